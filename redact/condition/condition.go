package condition

import (
	"fmt"
	"math"
	"slices"

	"scrim/redact/yuv"
)

// Condition is what was measured in a picture. Levels are those of luma in full
// range, 0 (black) to 255 (white), whatever range the samples of the picture have.
type Condition struct {
	// Dark, Median and Bright are the levels below which 1, 50 and 99 % of the
	// picture lie, as means of 4×4 pixels: single noisy pixels do not count.
	Dark, Median, Bright float64
	// Contrast is the standard deviation of these means in levels, without the part
	// that is noise.
	Contrast float64
	// Noise is the standard deviation of the noise of single pixels, in levels.
	Noise float64
	// Blur is how soft the sharper edges are: the standard deviation, in pixels of
	// this picture, of the Gaussian that would make them of steps. About 0.5 is
	// sharp. Strong noise hides how sharp they are, so that more is measured, up to
	// 3 pixels. Zero: no edge stands out from the noise, so that it is not known.
	Blur float64
	// Clipped is the share of pixels, 0 to 1, that are as black or as white as
	// samples can be.
	Clipped float64
}

// Range returns Bright less Dark, in levels.
func (c Condition) Range() float64 { return c.Bright - c.Dark }

// String returns the condition in one line for logs.
func (c Condition) String() string {
	return fmt.Sprintf("luma %.0f…%.0f…%.0f, contrast %.0f, noise %.1f, blur %.1f px, clipped %.0f %%",
		c.Dark, c.Median, c.Bright, c.Contrast, c.Noise, c.Blur, 100*c.Clipped)
}

const (
	// blockSide is the side of the blocks that are looked at, in pixels; they are
	// spread over the picture in a grid of at most maxCols×maxRows.
	blockSide        = 16
	maxCols, maxRows = 26, 16
	// cellSide is the side of the cells whose means are the brightness.
	cellSide = 4
	// noiseQuantile is which of the blocks, sorted by noise, says what the noise is:
	// in all but the barest scenes most blocks have texture. noiseFactor makes up for
	// its being below the mean in a scene without any.
	noiseQuantile = 0.2
	noiseFactor   = 1.09
	// maxClipped is the share of clipped pixels from which on a block says nothing of
	// noise, and minBlocks the share of the blocks that must be left.
	maxClipped = 0.1
	minBlocks  = 0.05
)

// grey is a plane of luma.
type grey struct {
	pix           []byte
	stride        int
	width, height int
	black, white  byte    // samples of black and white
	scale         float64 // levels that a step of a sample is
}

// greyOf returns the luma of im; false if it has none.
func greyOf(im *yuv.Image) (grey, bool) {
	if im == nil || im.Width < 1 || im.Height < 1 || im.YStride < im.Width || len(im.Y) < im.YStride*(im.Height-1)+im.Width {
		return grey{}, false
	}
	g := grey{pix: im.Y, stride: im.YStride, width: im.Width, height: im.Height, white: 255, scale: 1}
	if !im.FullRange {
		g.black, g.white, g.scale = 16, 235, 255.0/219
	}
	return g, true
}

// level returns what a sample, or a mean of some, is in full range.
func (g *grey) level(sample float64) float64 {
	return min(max((sample-float64(g.black))*g.scale, 0), 255)
}

// Measure returns the condition of im. It reads only the luma. The result is the
// zero Condition where the plane is too small for the size that im says. Measure
// allocates nothing, and may be called by several goroutines.
func Measure(im *yuv.Image) Condition {
	g, ok := greyOf(im)
	if !ok {
		return Condition{}
	}
	var m measurement
	m.look(&g)
	c := m.condition(&g)
	c.Blur = blur(&g, c.Noise)
	return c
}

// measurement is what the blocks of a picture add up to.
type measurement struct {
	// cells counts means of cells, by quarters of a sample.
	cells  [4 * 256]int32
	n      int // cells
	noise  [maxCols * maxRows]float32
	blocks int // that say something of noise
	all    [maxCols * maxRows]float32
	seen   int // blocks
	// clipped of samples pixels are.
	clipped, samples int
}

// look adds the blocks of g.
func (m *measurement) look(g *grey) {
	w, h := min(blockSide, g.width), min(blockSide, g.height)
	cols, rows := min(maxCols, g.width/w), min(maxRows, g.height/h)
	for j := range rows {
		y := spread(j, rows, g.height-h)
		for i := range cols {
			x := spread(i, cols, g.width-w)
			m.block(g, x, y, w, h)
		}
	}
}

// spread returns where part i of n begins, if the first begins at 0 and the last one
// at last.
func spread(i, n, last int) int {
	if n == 1 {
		return last / 2
	}
	return i * last / (n - 1)
}

// block adds one block.
func (m *measurement) block(g *grey, x0, y0, w, h int) {
	cw, ch := min(cellSide, w), min(cellSide, h)
	for y := y0; y+ch <= y0+h; y += ch {
		for x := x0; x+cw <= x0+w; x += cw {
			m.cells[4*g.sum(x, y, cw, ch)/(cw*ch)]++
			m.n++
		}
	}
	sum, clipped, n := 0, 0, 0
	for y := y0 + 1; y+1 < y0+h; y += 2 {
		// Slices of one length spare the checks of bounds.
		above := g.pix[(y-1)*g.stride+x0:][:w]
		here := g.pix[y*g.stride+x0:][:w]
		below := g.pix[(y+1)*g.stride+x0:][:w]
		for x := 1; x+1 < w; x += 2 {
			p := here[x]
			if p <= g.black || p >= g.white {
				clipped++
			}
			d := int(above[x-1]) - 2*int(above[x]) + int(above[x+1]) - 2*int(here[x-1]) + 4*int(p) - 2*int(here[x+1]) +
				int(below[x-1]) - 2*int(below[x]) + int(below[x+1])
			sum += max(d, -d)
			n++
		}
	}
	if n == 0 {
		return
	}
	m.samples += n
	m.clipped += clipped
	// For normal noise the mean of the absolute response is sqrt(2/π) times its
	// standard deviation, which is six times that of the noise.
	noise := float32(math.Sqrt(math.Pi/2) / 6 * float64(sum) / float64(n))
	m.all[m.seen] = noise
	m.seen++
	if float64(clipped) <= maxClipped*float64(n) {
		m.noise[m.blocks] = noise
		m.blocks++
	}
}

// sum adds up a cell.
func (g *grey) sum(x, y, w, h int) (sum int) {
	at := y*g.stride + x
	if w == cellSide {
		for range h {
			p := g.pix[at : at+cellSide]
			sum += int(p[0]) + int(p[1]) + int(p[2]) + int(p[3])
			at += g.stride
		}
		return sum
	}
	for range h {
		for _, p := range g.pix[at : at+w] {
			sum += int(p)
		}
		at += g.stride
	}
	return sum
}

// condition returns what the blocks say.
func (m *measurement) condition(g *grey) (c Condition) {
	c.Dark, c.Median, c.Bright = m.percentile(g, 0.01), m.percentile(g, 0.5), m.percentile(g, 0.99)
	blocks := m.noise[:m.blocks]
	if float64(m.blocks) < minBlocks*float64(m.seen) {
		blocks = m.all[:m.seen]
	}
	if len(blocks) > 0 {
		slices.Sort(blocks)
		c.Noise = float64(blocks[int(noiseQuantile*float64(len(blocks)-1))]) * noiseFactor * g.scale
	}
	if m.samples > 0 {
		c.Clipped = float64(m.clipped) / float64(m.samples)
	}
	sum, squares := 0.0, 0.0
	for i, n := range m.cells {
		l := g.level(float64(i) / 4)
		sum += l * float64(n)
		squares += l * l * float64(n)
	}
	n := float64(max(m.n, 1))
	noise := c.Noise / cellSide
	c.Contrast = math.Sqrt(max(squares/n-sum/n*sum/n-noise*noise, 0))
	return c
}

// percentile returns the level below which a share of the cells lies.
func (m *measurement) percentile(g *grey, share float64) float64 {
	left := int32(share * float64(m.n))
	for i, n := range m.cells {
		if left -= n; left < 0 {
			return g.level(float64(i) / 4)
		}
	}
	return 0
}
