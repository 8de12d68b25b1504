package scene

import "math"

// rgb is a colour with components from 0 to 255, gamma-encoded.
type rgb struct{ r, g, b float64 }

// ink is a colour in BT.601 YUV with limited range.
type ink struct{ y, u, v byte }

func (c rgb) times(f float64) rgb { return rgb{c.r * f, c.g * f, c.b * f} }

// mix returns c for f = 0 and o for f = 1.
func (c rgb) mix(o rgb, f float64) rgb {
	return rgb{c.r + (o.r-c.r)*f, c.g + (o.g-c.g)*f, c.b + (o.b-c.b)*f}
}

// yuv returns the components of c as real numbers.
func (c rgb) yuv() (y, u, v float64) {
	y = 16 + (65.481*c.r+128.553*c.g+24.966*c.b)/255
	u = 128 + (-37.797*c.r-74.203*c.g+112*c.b)/255
	v = 128 + (112*c.r-93.786*c.g-18.214*c.b)/255
	return y, u, v
}

func (c rgb) ink() ink {
	y, u, v := c.yuv()
	return ink{limit(y, 16, 235), limit(u, 16, 240), limit(v, 16, 240)}
}

func limit(v, lo, hi float64) byte { return byte(math.Round(min(max(v, lo), hi))) }

// smooth rises from 0 at lo to 1 at hi, with slope 0 at both.
func smooth(lo, hi, v float64) float64 {
	f := min(max((v-lo)/(hi-lo), 0), 1)
	return f * f * (3 - 2*f)
}

// bell is a Gaussian with a top of 1.
func bell(d, sigma float64) float64 { return math.Exp(-d * d / (2 * sigma * sigma)) }

// bell2 is a Gaussian over an ellipse.
func bell2(dx, sx, dy, sy float64) float64 {
	return math.Exp(-dx*dx/(2*sx*sx) - dy*dy/(2*sy*sy))
}

var skins = [SkinTones]rgb{
	{240, 204, 180}, {228, 186, 158}, {214, 168, 136}, {196, 148, 116}, {168, 120, 90}, {138, 96, 70}, {112, 76, 56},
}

var hairs = []rgb{
	{38, 30, 26}, {58, 42, 32}, {84, 58, 40}, {120, 84, 52}, {168, 132, 84}, {110, 52, 34}, {150, 146, 142}, {26, 26, 30},
}

var clothes = []rgb{
	{52, 70, 110}, {140, 48, 48}, {60, 104, 74}, {206, 200, 188}, {54, 54, 60}, {168, 140, 70}, {98, 74, 120}, {84, 120, 150}, {150, 92, 60},
	{40, 44, 52}, {190, 170, 150}, {70, 90, 60},
}

var irises = []rgb{{62, 42, 30}, {84, 60, 36}, {84, 104, 120}, {84, 100, 74}, {44, 32, 26}}
