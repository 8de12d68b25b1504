package main

import (
	"math"
	"slices"

	"scrim/redact/sight"
)

// certain is the share of the faces of a size that must be found for the size to count.
const certain = 0.95

// The points of the curves. Steps grow with the values, as their effects do.
var (
	noisePoints    = []float64{0.05, 0.1, 0.2, 0.3, 0.4, 0.55, 0.75, 1, 1.4, 2}
	contrastPoints = []float64{0.7, 1, 1.4, 2, 3, 4, 6, 8, 12, 18, 30, 45}
	blurPoints     = []float64{0.4, 0.7, 1, 1.5, 2, 2.5, 3, 4, 6}
	whitePoints    = []float64{0.05, 0.15, 0.25, 0.4, 0.55, 0.7, 0.85}
)

// A model says which faces are missed because of the picture's condition, of those that are found in
// the clean picture. One of height h in pixels is missed with the probability
//
//	1 / (1 + exp(steep · (log2 h - size) + log(certain / (1-certain))))
//
// where size, the size from which on the certain share is found, is a sum of octaves: the base, and for
// each feature the steps of its curve up to there. No step is negative. The
// formula needs to hold about size only; that is where it is fitted.
type model struct {
	base, steep float64
	steps       []float64
}

// row returns by how much each step counts for the features.
func row(f sight.Features, into []float64) []float64 {
	into = steps(into, noisePoints, f.NoiseShare, false)
	into = steps(into, contrastPoints, f.Contrast, true)
	unknown := 0.0
	if f.Blur > 0 {
		into = steps(into, blurPoints, f.Blur, false)
	} else {
		into, unknown = steps(into, blurPoints, 0, false), 1
	}
	into = steps(into, whitePoints, f.White, false)
	return append(into, unknown)
}

// steps appends how far x is along each step between two points, 0 to 1; from the last one on
// if the curve falls.
func steps(into, points []float64, x float64, falls bool) []float64 {
	for i := range len(points) - 1 {
		share := min(max((x-points[i])/(points[i+1]-points[i]), 0), 1)
		if falls {
			share = 1 - share
		}
		into = append(into, share)
	}
	return into
}

// blurGroup is the curve of the blur among those of a row.
const blurGroup = 2

const (
	rounds = 800
	// reweighed is the number of rounds after which it is decided again which
	// observations are about the size: from below to above it, in octaves.
	reweighed    = 20
	below, above = 0.75, 1.25
	// rate is that of Adam (D. Kingma and J. Ba, 2015), with its usual constants.
	rate         = 0.03
	beta1, beta2 = 0.9, 0.999
	// ridge keeps steps small that nothing speaks for.
	ridge = 1e-5
)

// fit returns the model that fits best what was observed.
func fit(seen []observation) *model {
	n := len(row(sight.Features{}, nil))
	rows, heights, missed := make([]float64, 0, n*len(seen)), make([]float64, 0, len(seen)), make([]float64, 0, len(seen))
	for _, o := range seen {
		if o.Clean {
			rows = row(sight.FeaturesOf(o.Condition), rows)
			heights = append(heights, math.Log2(o.Height))
			missed = append(missed, 1)
			if o.Found {
				missed[len(missed)-1] = 0
			}
		}
	}
	p := make([]float64, 2+n) // base, logarithm of steep, steps
	p[0], p[1] = math.Log2(minHeight), 1
	for i := range n {
		p[2+i] = 0.05
	}
	// group is the curve to which a step belongs.
	group := make([]int, 0, n)
	for g, points := range [][]float64{noisePoints, contrastPoints, blurPoints, whitePoints} {
		group = append(group, slices.Repeat([]int{g}, len(points)-1)...)
	}
	group = append(group, blurGroup)
	// size returns the size and by how much it grows with each curve.
	size := func(i int) (s float64, by [4]float64) {
		var each [4]float64
		for k, v := range rows[i*n : (i+1)*n] {
			each[group[k]] += v * p[2+k]
		}
		octaves := sight.Effects{Noise: each[0], Contrast: each[1], Blur: each[blurGroup], White: each[3]}.Octaves()
		for g, e := range each {
			by[g] = e / max(octaves, 1e-9)
		}
		return p[0] + octaves, by
	}
	first, second, grad := make([]float64, len(p)), make([]float64, len(p)), make([]float64, len(p))
	var near []int
	offset := math.Log(certain / (1 - certain))
	for round := range rounds {
		if round%reweighed == 0 {
			near = near[:0]
			for i, h := range heights {
				s, _ := size(i)
				if z := h - s; z >= -below && z <= above {
					near = append(near, i)
				}
			}
		}
		clear(grad)
		steep := math.Exp(p[1])
		for _, i := range near {
			s, by := size(i)
			z := heights[i] - s
			// The derivative of the negative log likelihood by the logit.
			d := 1/(1+math.Exp(steep*z+offset)) - missed[i]
			grad[1] -= d * steep * z
			grad[0] += d * steep
			for k, v := range rows[i*n : (i+1)*n] {
				grad[2+k] += d * steep * v * by[group[k]]
			}
		}
		for i := range p {
			g := grad[i] / float64(len(near)+1)
			if i >= 2 {
				g += ridge
			}
			first[i] = beta1*first[i] + (1-beta1)*g
			second[i] = beta2*second[i] + (1-beta2)*g*g
			p[i] -= rate * (1 - float64(round)/rounds) * first[i] / (1 - math.Pow(beta1, float64(round+1))) /
				(math.Sqrt(second[i]/(1-math.Pow(beta2, float64(round+1)))) + 1e-9)
			if i >= 2 {
				p[i] = max(p[i], 0)
			}
		}
		p[1] = min(max(p[1], 0), 3)
	}
	return &model{base: p[0], steep: math.Exp(p[1]), steps: p[2:]}
}

// table returns m as a Table.
func (m *model) table(name, sha256 string, clean float64) sight.Table {
	t := sight.Table{Model: name, SHA256: sha256, Clean: round(clean, 2), Base: round(math.Exp2(m.base), 2), Largest: maxHeight}
	rest := m.steps
	curve := func(points []float64, falls bool) sight.Curve {
		own := rest[:len(points)-1]
		rest = rest[len(points)-1:]
		c := make(sight.Curve, len(points))
		for i, x := range points {
			c[i].X = x
		}
		if falls {
			for i := len(points) - 2; i >= 0; i-- {
				c[i].Octaves = c[i+1].Octaves + own[i]
			}
		} else {
			for i := 1; i < len(points); i++ {
				c[i].Octaves = c[i-1].Octaves + own[i-1]
			}
		}
		for i := range c {
			c[i].Octaves = round(c[i].Octaves, 3)
		}
		return c
	}
	t.Noise, t.Contrast = curve(noisePoints, false), curve(contrastPoints, true)
	t.Blur, t.White = curve(blurPoints, false), curve(whitePoints, false)
	t.UnknownBlur = round(rest[0], 3)
	return t
}

func round(v float64, digits int) float64 {
	f := math.Pow10(digits)
	return math.Round(v*f) / f
}
