package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// degradation is what light, weather, lens, sensor and coding make of a picture, in
// that order. The zero value with a Light of 1 leaves it as it is.
type degradation struct {
	// Kind is its name without its amounts, for the tables.
	Kind string `json:"kind"`
	// Rain is how many drops there are for each 900 pixels.
	Rain float64 `json:"rain,omitempty"`
	// Fog is the share of the contrast that fog takes, 0 to 1.
	Fog float64 `json:"fog,omitempty"`
	// Grey takes the colours, as infrared light does.
	Grey bool `json:"grey,omitempty"`
	// Blur is the sigma of the lens's blur in pixels.
	Blur float64 `json:"blur,omitempty"`
	// Light multiplies all samples; above 1 it is an overexposure.
	Light float64 `json:"light"`
	// Noise is the sigma of the noise of each colour, in levels of 255. Grain is the sigma
	// in pixels over which the noise of neighbours is alike, as in a camera that smooths.
	Noise float64 `json:"noise,omitempty"`
	Grain float64 `json:"grain,omitempty"`
	// Quality is that of JPEG, 1 to 100, for what a low bit rate leaves; 0: not coded.
	Quality int `json:"quality,omitempty"`
}

// name is for people.
func (d degradation) name() string {
	var parts []string
	add := func(format string, set bool, v ...any) {
		if set {
			parts = append(parts, fmt.Sprintf(format, v...))
		}
	}
	add("rain %g", d.Rain > 0, d.Rain)
	add("fog %g %%", d.Fog > 0, 100*d.Fog)
	add("infrared", d.Grey)
	add("blur %g px", d.Blur > 0, d.Blur)
	add("light %g %%", d.Light != 1, 100*d.Light)
	add("noise %g", d.Noise > 0, d.Noise)
	add("grain %g px", d.Grain > 0, d.Grain)
	add("quality %d", d.Quality > 0, d.Quality)
	if len(parts) == 0 {
		return "clean"
	}
	return strings.Join(parts, ", ")
}

const (
	// fogLevel is the level of fog.
	fogLevel = 200
	// dropArea is the area in pixels that has one drop where Rain is 1.
	dropArea = 900
	// rainDim is how much of the light rain leaves, rainShine how bright its drops are.
	rainDim, rainShine = 0.85, 0.8
)

// named are the conditions in which fitted tables are compared with what is found. The first is
// the clean one.
func named() []degradation {
	all := []degradation{{Kind: "clean", Light: 1}}
	add := func(d degradation) {
		if d.Light == 0 {
			d.Light = 1
		}
		all = append(all, d)
	}
	for _, s := range []float64{10, 20, 25, 30, 40, 50, 60} {
		add(degradation{Kind: "noise", Noise: s})
	}
	for _, l := range []float64{0.5, 0.2, 0.12, 0.08, 0.05, 0.03} {
		add(degradation{Kind: "dark", Light: l, Noise: 2})
	}
	for _, l := range []float64{0.2, 0.12, 0.08, 0.05} {
		add(degradation{Kind: "dark and noisy", Light: l, Noise: 6})
	}
	for _, f := range []float64{0.5, 0.8, 0.9, 0.95} {
		add(degradation{Kind: "fog", Fog: f, Noise: 2})
	}
	for _, b := range []float64{1, 1.5, 2, 3, 4, 6} {
		add(degradation{Kind: "blur", Blur: b})
	}
	for _, l := range []float64{1.5, 2.5, 4} {
		add(degradation{Kind: "overexposed", Light: l})
	}
	for _, r := range []float64{0.5, 1, 2} {
		add(degradation{Kind: "rain", Rain: r})
	}
	for _, s := range []float64{8, 15, 25} {
		add(degradation{Kind: "night", Grey: true, Blur: 1, Light: 0.6, Noise: s})
	}
	for _, q := range []int{12, 8, 5} {
		add(degradation{Kind: "low bit rate", Quality: q})
	}
	for _, s := range []float64{10, 20} {
		add(degradation{Kind: "grain", Noise: s, Grain: 1})
	}
	return all
}

// mixed returns a degradation by chance, for fitting: any amount, alone and with others.
func mixed(r *rand.Rand) degradation {
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	along := func(a, b float64) float64 { return a * math.Pow(b/a, r.Float64()) } // as likely in each octave
	d := degradation{Kind: "mixed", Light: 1}
	switch r.IntN(10) {
	case 0:
		d.Noise = between(0, 60)
	case 1:
		d.Light, d.Noise = along(0.03, 1), along(0.5, 10)
	case 2:
		d.Fog, d.Noise = 1-along(0.04, 1), along(0.5, 15)
	case 3:
		d.Blur, d.Noise = between(0, 6), between(0, 4)
	case 4:
		d.Blur, d.Noise = between(0, 3), along(4, 40)
	case 5:
		d.Light, d.Noise = along(1, 4), between(0, 10)
	case 6:
		d.Grey, d.Blur, d.Light, d.Noise = true, between(0, 2), along(0.1, 1), along(2, 30)
	case 7:
		d.Rain, d.Noise, d.Light = between(0, 2.5), between(0, 10), along(0.3, 1)
	case 8:
		d.Light = along(1, 4)
	case 9: // little: the condition tells neither
		d.Quality, d.Noise = 15+r.IntN(60), between(0, 10)
		if r.IntN(2) == 0 {
			d.Quality, d.Grain, d.Light = 0, between(0.3, 0.8), along(0.5, 1)
		}
	}
	if d.Fog < 0.02 {
		d.Fog = 0
	}
	return d
}

// apply degrades p in place.
func (d degradation) apply(p *planes, r *rand.Rand) {
	if d.Rain > 0 {
		p.rain(d.Rain, r)
	}
	each := func(f func(float32) float32) {
		for c := range p.rgb {
			for i, v := range p.rgb[c] {
				p.rgb[c][i] = f(v)
			}
		}
	}
	if d.Fog > 0 {
		f := float32(d.Fog)
		each(func(v float32) float32 { return v*(1-f) + fogLevel*f })
	}
	if d.Grey {
		for i := range p.rgb[0] {
			y := 0.299*p.rgb[0][i] + 0.587*p.rgb[1][i] + 0.114*p.rgb[2][i]
			p.rgb[0][i], p.rgb[1][i], p.rgb[2][i] = y, y, y
		}
	}
	for c := range p.rgb {
		smooth(p.rgb[c], p.w, p.h, d.Blur)
	}
	if d.Light != 1 {
		l := float32(d.Light)
		each(func(v float32) float32 { return v * l }) // what is too bright is clipped with its noise
	}
	if d.Noise > 0 {
		p.noise(d.Noise, d.Grain, r)
	}
	each(clip)
	if d.Quality > 0 {
		p.code(d.Quality)
	}
}

// rain draws bright streaks, and dims the rest.
func (p *planes) rain(density float64, r *rand.Rand) {
	drops := make([]float32, p.w*p.h)
	for range int(density * float64(p.w*p.h) / dropArea) {
		x, y, length := r.IntN(p.w), r.IntN(p.h), 8+r.IntN(18)
		level := float32(90 + r.IntN(110))
		for k := range length {
			if sx, sy := x-k/4, y+k; sx >= 0 && sy < p.h {
				drops[sy*p.w+sx] = level
			}
		}
	}
	for c := range p.rgb {
		for i, v := range p.rgb[c] {
			p.rgb[c][i] = clip(v*rainDim + drops[i]*rainShine)
		}
	}
}

// gauss has normally distributed numbers, which are faster to look up than to make.
var gauss = func() (t [1 << 16]float32) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range t {
		t[i] = float32(r.NormFloat64())
	}
	return t
}()

// noise adds noise of its own to each colour.
func (p *planes) noise(sigma, grain float64, r *rand.Rand) {
	field := make([]float32, p.w*p.h)
	for c := range p.rgb {
		for i := 0; i < len(field); {
			bits := r.Uint64()
			for k := 0; k < 4 && i < len(field); k, i = k+1, i+1 {
				field[i] = gauss[uint16(bits>>(16*k))] //nolint:gosec // 16 of its bits
			}
		}
		scale := float32(sigma)
		if grain > 0 {
			smooth(field, p.w, p.h, grain)
			var sum float64
			for _, v := range field {
				sum += float64(v) * float64(v)
			}
			scale /= float32(math.Sqrt(sum / float64(len(field))))
		}
		for i, v := range field {
			p.rgb[c][i] += scale * v
		}
	}
}

// smooth blurs a plane in place by a normal distribution of that sigma in pixels.
func smooth(plane []float32, w, h int, sigma float64) {
	if sigma <= 0 {
		return
	}
	n := int(math.Ceil(3 * sigma))
	kernel := make([]float32, n+1)
	var sum float32
	for i := range kernel {
		kernel[i] = float32(math.Exp(-float64(i*i) / (2 * sigma * sigma)))
		sum += kernel[i]
		if i > 0 {
			sum += kernel[i]
		}
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	// Along the columns by adding up rows, along the rows in one with a margin.
	out := make([]float32, len(plane))
	for y := range h {
		to := out[y*w : (y+1)*w]
		for k := -n; k <= n; k++ {
			f := kernel[max(k, -k)]
			for x, v := range plane[min(max(y+k, 0), h-1)*w:][:w] {
				to[x] += f * v
			}
		}
	}
	line := make([]float32, w+2*n)
	for y := range h {
		row := out[y*w : (y+1)*w]
		for i := range line {
			line[i] = row[min(max(i-n, 0), w-1)]
		}
		to := plane[y*w : (y+1)*w]
		clear(to)
		for k := -n; k <= n; k++ {
			f := kernel[max(k, -k)]
			for x := range to {
				to[x] += f * line[x+n+k]
			}
		}
	}
}
