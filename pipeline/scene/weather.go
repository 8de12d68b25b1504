package scene

import (
	"math"
	"math/rand/v2"

	"scrim/redact/yuv"
)

// Rain is drawn as streaks of one pixel's width.
const (
	streakArea  = 900 // pixels of the picture for each streak
	rainLight   = 85  // percent of the light that is left
	fallPerSize = 0.9 // pixels a second that a streak falls, in heights of the picture
)

// streak is one of the streaks of rain.
type streak struct {
	x, y   float64 // where it begins at first
	length int     // rows
	bright int     // levels that it adds
	speed  float64 // pixels a second, downwards
}

func newRain(seed uint64, w, h int) []streak {
	r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // it must be repeatable
	all := make([]streak, w*h/streakArea)
	for i := range all {
		all[i] = streak{
			x: r.Float64() * float64(w), y: r.Float64() * float64(h), length: 8 + r.IntN(18), bright: 72 + r.IntN(88),
			speed: (0.7 + 0.6*r.Float64()) * fallPerSize * float64(h),
		}
	}
	return all
}

// drawRain draws the streaks at a time in seconds. Each falls slantwise, and begins again
// elsewhere.
func drawRain(im *yuv.Image, rain []streak, t float64) {
	for i := range rain {
		s := &rain[i]
		fallen := s.y + s.speed*t
		rounds := math.Floor(fallen / float64(im.Height))
		top := int(fallen - rounds*float64(im.Height))
		const elsewhere = 0.618034 // of the width, at each round
		x := math.Mod(s.x+rounds*elsewhere*float64(im.Width), float64(im.Width))
		for k := range s.length {
			y, at := top+k, int(x)-k/4
			if y >= im.Height || at < 0 {
				break
			}
			v := &im.Y[y*im.YStride+at]
			*v = byte(min(int(*v)+s.bright, 235)) //nolint:gosec // within limits
		}
	}
}

// Headlights, in heights of the picture where they are lengths.
const (
	headlightGap  = 0.12 // between the two
	headlightY    = 0.62
	headlightLamp = 0.035 // sigma of the lamp
	headlightGlow = 0.22  // sigma of what is around it
	headlightVeil = 12    // levels that are added everywhere
	exposed       = 0.6   // of the other light that the camera then takes in
	glareSteps    = 1 << 12
)

// glare draws headlights. It is reused for its table.
type glare struct {
	levels []int16 // by squared distance
	reach  float64 // of the table: the longest squared distance
}

// draw draws the headlights where they are after some share of their way.
func (g *glare) draw(im *yuv.Image, passage float64) {
	w, h := float64(im.Width), float64(im.Height)
	if g.levels == nil {
		g.reach = 9 * headlightGlow * headlightGlow * h * h
		g.levels = make([]int16, glareSteps)
		for i := range g.levels {
			d := math.Sqrt((float64(i) + 0.5) / glareSteps * g.reach)
			g.levels[i] = int16(230*bell(d, headlightLamp*h) + 70*bell(d, headlightGlow*h))
		}
	}
	y, gap := headlightY*h, headlightGap*h
	x := -0.2*h + passage*(w+0.4*h)
	scale := glareSteps / g.reach
	for row := range im.Height {
		dy := float64(row) - y
		line := im.Y[row*im.YStride:][:im.Width]
		for col := range line {
			add := headlightVeil
			dx := float64(col) - x
			for _, dx := range [...]float64{dx - gap/2, dx + gap/2} {
				if i := int((dx*dx + dy*dy) * scale); i < glareSteps {
					add += int(g.levels[i])
				}
			}
			line[col] = byte(min(int(line[col])+add, 235)) //nolint:gosec // within limits
		}
	}
}
