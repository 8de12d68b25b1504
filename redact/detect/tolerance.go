package detect

import (
	"math"

	"scrim/redact/mend"
)

const (
	// noiseDeviations is by how many standard deviations of the noise a mean must differ
	// to be a change: of 14,400 cells less than one in a hundred pictures does so by chance.
	noiseDeviations = 5
	// Noise whose neighbouring pixels are alike, by scaling or by a codec, is measured too
	// low, up to mostAlike times. How much most cells differ from the last inspection shows it.
	mostAlike = 2
	// medianDeviation is the median of what is normal and has the deviation 1, without its sign.
	medianDeviation = 0.6745
)

// roots are the square roots of the areas of blocks and of less.
var roots = func() (r [blockSize*blockSize + 1]float32) {
	for i := range r {
		r[i] = float32(math.Sqrt(float64(i)))
	}
	return r
}()

// tolerance says by how much cells must differ where pictures are mended. What is
// stretched before the network sees it counts by as much more. Noise must not count, or
// everything would always have changed; so larger parts are compared, too, which have less
// of it: means of 2×2 and of 4×4 cells.
type tolerance struct {
	adapted bool
	// level is by how much a mean of luma samples must differ, by what it is.
	level [256]float32
	// noise is the standard deviation of the noise in samples, and least by how much a sum of
	// samples must differ for each unit of the root of their number.
	noise, least float32

	recipe mend.Recipe
	base   int
	full   bool
}

// set computes t for copies that are mended by r and have so much noise, in levels. base is by
// how many samples a cell must differ where copies are not mended.
func (t *tolerance) set(r mend.Recipe, noise float64, base int, full bool) {
	if t.adapted = (r != mend.Recipe{}); !t.adapted {
		return
	}
	black, scale := 16.0, 255.0/219
	if full {
		black, scale = 0, 1
	}
	t.noise = float32(noise / scale)
	t.see(0)
	if t.recipe == r && t.base == base && t.full == full {
		return
	}
	t.recipe, t.base, t.full = r, base, full
	for i := range t.level {
		// What lies in a tail of the tone curve counts as before: it may be looked at as
		// it is, too.
		slope := max(r.Slope((float64(i)-black)*scale), 1)
		t.level[i] = float32(float64(base) / slope)
	}
}

// see corrects the noise by the median of the differences of the sums of whole cells
// between two pictures.
func (t *tolerance) see(median int) {
	seen := float32(median) / (medianDeviation * math.Sqrt2 * cellSize)
	t.least = noiseDeviations * math.Sqrt2 * min(max(t.noise, seen), mostAlike*t.noise)
}

// compareAdapted is the rest of compare where copies are mended.
func (g *changeMap) compareAdapted() (count int) {
	g.tolerance.see(g.medianDifference())
	const n = blockSize / cellSize
	for by := range g.bh {
		y0, y1 := by*n, min(by*n+n, g.rows)
		for bx := range g.bw {
			if g.blockChanged(bx*n, y0, min(bx*n+n, g.cols), y1) {
				g.changed[by*g.bw+bx] = true
				count++
			}
		}
	}
	return count
}

// medianDifference returns the median of the differences of whole cells, in sums of
// samples, to four; 0 if there are none.
func (g *changeMap) medianDifference() int {
	const step = 4
	var counts [cellSize*cellSize*256/step + 1]int32
	left := int32(0)
	for y := range g.h / cellSize {
		now, ref := g.now[y*g.cols:], g.ref[y*g.cols:]
		for x := range g.w / cellSize {
			d := int32(now[x]) - int32(ref[x])
			counts[max(d, -d)/step]++
			left++
		}
	}
	left /= 2
	for i, n := range counts {
		if left -= n; left < 0 {
			return i * step
		}
	}
	return 0
}

// blockChanged reports whether a block of cells has changed: one of them, a quarter of
// the block, or the whole.
func (g *changeMap) blockChanged(x0, y0, x1, y1 int) bool {
	var quarters [2][2]change
	var block change
	for y := y0; y < y1; y++ {
		height := min(cellSize, g.h-y*cellSize)
		for x := x0; x < x1; x++ {
			i, width := y*g.cols+x, min(cellSize, g.w-x*cellSize)
			c := change{int32(g.now[i]), int32(g.ref[i]), int32(width * height)} //nolint:gosec // small
			if g.tolerance.exceeded(c) {
				return true
			}
			quarters[(y-y0)/2][(x-x0)/2].add(c)
			block.add(c)
		}
	}
	for _, q := range quarters {
		if g.tolerance.exceeded(q[0]) || g.tolerance.exceeded(q[1]) {
			return true
		}
	}
	return g.tolerance.exceeded(block)
}

// change is what the samples of an area add up to, now and at the last inspection.
type change struct{ now, ref, area int32 }

func (c *change) add(o change) {
	c.now += o.now
	c.ref += o.ref
	c.area += o.area
}

// exceeded reports whether c is more than noise and what does not matter.
func (t *tolerance) exceeded(c change) bool {
	if c.area == 0 {
		return false
	}
	area, d := float32(c.area), float32(c.now-c.ref)
	d = max(d, -d)
	if d <= t.least*roots[c.area] {
		return false
	}
	mean := min(c.now, c.ref) / c.area
	return d > t.level[min(max(mean, 0), 255)]*area
}
