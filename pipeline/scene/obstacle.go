package scene

import (
	"math"
	"math/rand/v2"

	"scrim/redact/yuv"
)

// clothLuma is the luma of a cloth before the lens, whose folds are up to clothFold
// levels lighter or darker.
const (
	clothLuma = 38
	clothFold = 10
)

// drawCloth covers the rows from the top.
func drawCloth(im *yuv.Image, rows int) {
	rows = min(rows, im.Height)
	for y := range rows {
		row := im.Y[y*im.YStride:][:im.Width]
		for x := range row {
			row[x] = byte(clothLuma + clothFold*math.Sin(float64(x)*12/float64(im.Width)+float64(y)*5/float64(im.Height)))
		}
	}
	for y := range (rows + 1) / 2 {
		for x := range im.ChromaWidth() {
			im.U[y*im.CStride+x], im.V[y*im.CStride+x] = 132, 124
		}
	}
}

// Paint on the lens is out of focus: spots with a soft edge.
const (
	spots     = 90
	sprayLuma = 70
	// hiding is the opacity, of 256, from which on nothing is seen through the paint.
	hiding = 200
)

// spray is the paint on a lens: its opacity, 0 to 256, for each pixel.
type spray struct {
	opacity []uint16
	w, h    int
}

func newSpray(seed uint64, w, h int) *spray {
	r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // it must be repeatable
	s := &spray{opacity: make([]uint16, w*h), w: w, h: h}
	for range spots {
		// Most of it in the middle.
		cx, cy := float64(w)*(0.5+0.22*r.NormFloat64()), float64(h)*(0.5+0.22*r.NormFloat64())
		radius := float64(h) * (0.03 + 0.12*r.Float64())
		soft := radius * 1.35
		for y := max(int(cy-soft), 0); y < min(int(cy+soft)+1, h); y++ {
			for x := max(int(cx-soft), 0); x < min(int(cx+soft)+1, w); x++ {
				d := math.Hypot(float64(x)-cx, float64(y)-cy)
				at := &s.opacity[y*w+x]
				*at = max(*at, uint16(256*smooth(soft, 0.75*radius, d)))
			}
		}
	}
	return s
}

// at returns the opacity at a pixel when some share of the paint is there.
func (s *spray) at(x, y int, share float64) int {
	return int(float64(s.opacity[y*s.w+x]) * share)
}

// draw draws some share of the paint.
func (s *spray) draw(im *yuv.Image, share float64) {
	for y := range im.Height {
		row := im.Y[y*im.YStride:][:im.Width]
		for x := range row {
			row[x] = blend(row[x], sprayLuma, s.at(x, y, share))
		}
	}
	for y := range im.ChromaHeight() {
		for x := range im.ChromaWidth() {
			opacity := s.at(min(2*x, s.w-1), min(2*y, s.h-1), share)
			i := y*im.CStride + x
			im.U[i], im.V[i] = blend(im.U[i], 128, opacity), blend(im.V[i], 128, opacity)
		}
	}
}
