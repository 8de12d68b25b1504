package sight

import (
	"image"
	"math"
	"slices"

	"scrim/redact/condition"
	"scrim/redact/yuv"
)

const (
	// partCols and partRows are the parts of a picture that are judged each for itself.
	partCols, partRows = 12, 9
	// partCells are the places along each side of a part that are looked at, means of cellSide² pixels.
	partCells, cellSide = 6, 4
	// lowShare and highShare are the shares of a part's places below its low and its high level.
	lowShare, highShare = 0.06, 0.94
	// brightPercent is the share of the parts that may show text, a logo, a lamp or a headlight: so many of the
	// brightest do not count, and neither do darkPercent of the darkest, where text has a black ground.
	brightPercent, darkPercent = 10, 6
	// A part has detail if a place differs by detailLevel levels, and detailNoise times the noise of a place, from the mean
	// of those next to it.
	detailLevel, detailNoise = 2.5, 3.5
	// A part is black if its high level is below blackLevel, where only noise and rounding lie, or below blackShare of the
	// bright level: nobody sees faces there. At most mostBlack of the parts may be: bars next to a picture of 4:3 in one of 16:9 are a quarter.
	blackLevel = 3.0
	blackShare = 0.08
	mostBlack  = 0.3
	// In a dim picture, whose bright level is below dimLevel, a camera's coding may have smeared the noise and
	// the faces in it. Noise of grainNoise levels shows that it has not.
	dimLevel, grainNoise = 60, 1.5
	// A picture without detail shows nothing if its range is below bareRange. Noise of bareNoise levels hides detail.
	bareRange, bareNoise = 40, 2.0
)

// parts is how bright the parts of a picture are, in levels.
type parts struct {
	known         bool
	width, height int // of the picture
	low, high     [partCols * partRows]float32
	middle        [partCols * partRows]float32
	// dark and bright are the levels of the scene without overlays, contrast the deviation within them.
	dark, bright, contrast float64
	// detail is by how much a place of a part differs from those next to it at most, in levels.
	detail [partCols * partRows]float32
}

// measure reads about 60 thousand pixels of im.
func (p *parts) measure(im *yuv.Image) {
	p.known, p.width, p.height = true, im.Width, im.Height
	lv := levelsOf(im)
	w, h := min(cellSide, im.Width), min(cellSide, im.Height)
	var all [partCols * partRows][partCells * partCells]int16
	for j := range partRows {
		y0, y1 := j*im.Height/partRows, (j+1)*im.Height/partRows
		for i := range partCols {
			x0, x1 := i*im.Width/partCols, (i+1)*im.Width/partCols
			n := j*partCols + i
			for k := range all[n] {
				x := min(x0+k%partCells*max(x1-x0-w, 0)/(partCells-1), im.Width-w)
				y := min(y0+k/partCells*max(y1-y0-h, 0)/(partCells-1), im.Height-h)
				sum := 0
				for l := range h {
					for _, v := range im.Y[(y+l)*im.YStride+x:][:w] {
						sum += int(v)
					}
				}
				all[n][k] = int16(4 * sum / (w * h)) //nolint:gosec // four means of bytes
			}
			p.detail[n] = float32(lv.scale * most(&all[n]) / 4)
			slices.Sort(all[n][:])
			at := func(share float64) float32 {
				return float32(max(lv.of(float64(all[n][int(share*(partCells*partCells-1)+0.5)])/4), 0))
			}
			p.low[n], p.middle[n], p.high[n] = at(lowShare), at(0.5), at(highShare)
		}
	}
	low, high := p.low, p.high
	slices.Sort(low[:])
	slices.Sort(high[:])
	p.dark, p.bright = float64(low[len(low)*darkPercent/100]), float64(high[len(high)-1-len(high)*brightPercent/100])
	p.bright = max(p.bright, p.dark)
	sum, squares := 0.0, 0.0
	for n := range all {
		for _, v := range all[n] {
			l := min(max(lv.of(float64(v)/4), p.dark), p.bright)
			sum, squares = sum+l, squares+l*l
		}
	}
	n := float64(len(all) * len(all[0]))
	p.contrast = math.Sqrt(max(squares/n-sum/n*sum/n, 0))
}

// without returns a condition of the picture as it would be without overlays.
func (p *parts) without(c condition.Condition) condition.Condition {
	c.Dark, c.Bright = max(c.Dark, p.dark), min(c.Bright, p.bright)
	c.Median = min(max(c.Median, c.Dark), max(c.Bright, c.Dark))
	noise := c.Noise / cellSide
	c.Contrast = min(c.Contrast, math.Sqrt(max(p.contrast*p.contrast-noise*noise, 0)))
	return c
}

// at returns the part in which a place lies.
func (p *parts) at(where image.Point) int {
	i := min(max(where.X*partCols/max(p.width, 1), 0), partCols-1)
	j := min(max(where.Y*partRows/max(p.height, 1), 0), partRows-1)
	return j*partCols + i
}

// most returns by how much a place differs from the mean of those on both sides of it at most.
func most(places *[partCells * partCells]int16) float64 {
	m := int16(0)
	for k, v := range places {
		for _, step := range [...]int{1, partCells} {
			at := k % partCells
			if step != 1 {
				at = k / partCells
			}
			if at == 0 || at == partCells-1 {
				continue
			}
			d := 2*v - places[k-step] - places[k+step]
			m = max(m, d, -d)
		}
	}
	return float64(m) / 2
}

// black reports whether nothing can be known in part n.
func (p *parts) black(n int) bool { return float64(p.high[n]) < max(blackLevel, blackShare*p.bright) }

// smeared reports whether nobody knows what coding has left of the picture, which has that noise.
func (p *parts) smeared(noise float64) bool { return p.bright < dimLevel && noise < grainNoise }

// tooBlack reports whether too much of the picture is black.
func (p *parts) tooBlack() bool {
	black := 0
	for n := range p.high {
		if p.black(n) {
			black++
		}
	}
	return float64(black) > mostBlack*float64(len(p.high))
}

// bare reports whether there is no detail in the picture but for overlays.
func (p *parts) bare(noise float64) bool {
	detailed := 0
	for _, d := range p.detail {
		if float64(d) > detailLevel+detailNoise*noise/cellSide {
			detailed++
		}
	}
	return p.bright-p.dark < bareRange && noise < bareNoise && 100*detailed <= brightPercent*len(p.detail)
}

const (
	// A part is darker than one that was proved if its high level is below darkMargin times that one, less darkStep. It
	// has lost its contrast if its range is below contrastMargin times that one's, less partStep. With more than mostLost
	// of the parts, the picture is worse. People and cars that pass change fewer.
	partStep = 8.0
	mostLost = 0.3
)

// worse reports whether much of the picture is worse than it was when it was proved.
func (p *parts) worse(then *parts) bool {
	if !p.known || !then.known {
		return false
	}
	dark, flat := 0, 0
	for n := range p.high {
		if float64(p.high[n]) < darkMargin*float64(then.high[n])-darkStep {
			dark++
		}
		if float64(p.high[n]-p.low[n]) < contrastMargin*float64(then.high[n]-then.low[n])-partStep {
			flat++
		}
	}
	return float64(max(dark, flat)) > mostLost*float64(len(p.high))
}
