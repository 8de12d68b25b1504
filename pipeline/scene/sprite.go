package scene

import (
	"image"
	"math"

	"scrim/redact/yuv"
)

// sprite is a head seen from one side, in several sizes. Samples are
// multiplied by their opacity.
type sprite struct{ levels []level }

// level is one size of a sprite. A pixel holds luma in bits 0–7, U in 8–15,
// opacity in 16–23, V in 24–31: luma and opacity, and U and V, are
// interpolated two at a time. The outermost pixels are empty.
type level struct {
	pix    []uint32
	w, h   int
	scale  float64 // pixels per face height
	ox, oy float64 // of the head's origin
}

// leastLevel is the size in pixels per face height below which no level is made.
const leastLevel = 10

// addLevels makes the smaller sizes from the largest.
func (s *sprite) addLevels() {
	for {
		big := &s.levels[len(s.levels)-1]
		if big.scale/2 < leastLevel {
			return
		}
		s.levels = append(s.levels, big.halved())
	}
}

// halved returns the level at half its size, as the mean of 2×2 pixels.
func (l *level) halved() level {
	// One pixel more on each side keeps the rim empty; ox moves by two.
	out := level{w: (l.w+1)/2 + 2, h: (l.h+1)/2 + 2, scale: l.scale / 2, ox: l.ox/2 + 1, oy: l.oy/2 + 1}
	out.pix = make([]uint32, out.w*out.h)
	for y := range out.h - 2 {
		for x := range out.w - 2 {
			var low, high uint32
			for k := range 4 {
				sx, sy := 2*x+k&1, 2*y+k>>1
				if sx < l.w && sy < l.h {
					p := l.pix[sy*l.w+sx]
					low += p & 0x00ff00ff
					high += p >> 8 & 0x00ff00ff
				}
			}
			low, high = (low+0x00020002)>>2&0x00ff00ff, (high+0x00020002)>>2&0x00ff00ff
			out.pix[(y+1)*out.w+x+1] = low | high<<8
		}
	}
	return out
}

// at returns the level that suits a size in pixels per face height: it is drawn
// at between half and all of its own size, or larger if it is the largest.
func (s *sprite) at(scale float64) *level {
	for i := len(s.levels) - 1; i > 0; i-- {
		if s.levels[i].scale >= scale {
			return &s.levels[i]
		}
	}
	return &s.levels[0]
}

// placement is where a head is drawn: its origin and size in pixels, turned by
// roll (clockwise, radians) about the origin, and mirrored.
type placement struct {
	x, y, scale, roll float64
	mirror            bool
}

// draw blends the sprite over im.
func (s *sprite) draw(im *yuv.Image, p placement) {
	s.at(p.scale).walk(im.Width, im.Height, p, func(l *level, y, x0, x1 int, sx, sy, stepX, stepY int32) {
		l.lumaRow(im.Y[y*im.YStride+x0:y*im.YStride+x1], sx, sy, stepX, stepY)
	})
	c := placement{x: p.x / 2, y: p.y / 2, scale: p.scale / 2, roll: p.roll, mirror: p.mirror}
	s.at(c.scale).walk(im.ChromaWidth(), im.ChromaHeight(), c, func(l *level, y, x0, x1 int, sx, sy, stepX, stepY int32) {
		l.chromaRow(im.U[y*im.CStride+x0:y*im.CStride+x1], im.V[y*im.CStride+x0:y*im.CStride+x1], sx, sy, stepX, stepY)
	})
}

// walk calls row for each row of a plane that the level touches, with the place
// in the level of the row's first pixel and the step from one to the next, in
// 1/65536 pixels.
func (l *level) walk(width, height int, p placement, row func(l *level, y, x0, x1 int, sx, sy, stepX, stepY int32)) {
	k := l.scale / p.scale
	sin, cos := math.Sincos(p.roll)
	ux, uy, vx, vy := cos*k, sin*k, -sin*k, cos*k // level x and y by picture x and y
	if p.mirror {
		ux, uy = -ux, -uy
	}
	box := l.extent(p, sin, cos).Intersect(image.Rect(0, 0, width, height))
	for y := box.Min.Y; y < box.Max.Y; y++ {
		dx, dy := float64(box.Min.X)+0.5-p.x, float64(y)+0.5-p.y
		sx, sy := l.ox+ux*dx+uy*dy-0.5, l.oy+vx*dx+vy*dy-0.5
		lo, hi := clipSpan(0, float64(box.Dx()-1), sx, ux, float64(l.w-1))
		lo, hi = clipSpan(lo, hi, sy, vx, float64(l.h-1))
		first, last := int(math.Ceil(lo)), int(math.Floor(hi))
		if first > last {
			continue
		}
		f := float64(first)
		const one = 1 << 16
		row(l, y, box.Min.X+first, box.Min.X+last+1, int32((sx+f*ux)*one), int32((sy+f*vx)*one), int32(math.Round(ux*one)), int32(math.Round(vx*one)))
	}
}

// clipSpan narrows lo…hi to where 0 < start+i·step < limit.
func clipSpan(lo, hi, start, step, limit float64) (float64, float64) {
	const rim = 0.02 // for the rounding of steps
	if math.Abs(step) < 1e-9 {
		if start <= rim || start >= limit-rim {
			return 1, 0
		}
		return lo, hi
	}
	a, b := (rim-start)/step, (limit-rim-start)/step
	return max(lo, min(a, b)), min(hi, max(a, b))
}

// extent returns the pixels that the level may touch.
func (l *level) extent(p placement, sin, cos float64) image.Rectangle {
	k := p.scale / l.scale
	x0, x1 := -l.ox*k, (float64(l.w)-l.ox)*k
	if p.mirror {
		x0, x1 = -x1, -x0
	}
	y0, y1 := -l.oy*k, (float64(l.h)-l.oy)*k
	minX, maxX := spread(x0*cos, x1*cos, -y0*sin, -y1*sin)
	minY, maxY := spread(x0*sin, x1*sin, y0*cos, y1*cos)
	return image.Rect(int(math.Floor(p.x+minX)), int(math.Floor(p.y+minY)), int(math.Ceil(p.x+maxX)), int(math.Ceil(p.y+maxY)))
}

// spread returns the least and greatest sum of one of a and b and one of c and d.
func spread(a, b, c, d float64) (lo, hi float64) { return min(a, b) + min(c, d), max(a, b) + max(c, d) }

// lanes is what two samples of a pixel occupy.
const lanes = 0x00ff00ff

// lerp interpolates two samples at a time; f goes from 0 to 256.
func lerp(a, b, f uint32) uint32 { return (a*(256-f) + b*f) >> 8 & lanes }

// opaque is the least opacity that hides what is below: interpolation of 255
// may lose some.
const opaque = 253

// lumaRow blends luma over dst.
func (l *level) lumaRow(dst []byte, sx, sy, stepX, stepY int32) {
	w, pix := l.w, l.pix
	for i := range dst {
		at := int(sy>>16)*w + int(sx>>16)
		if uint(at+w+1) < uint(len(pix)) {
			fx, fy := uint32(sx>>8)&255, uint32(sy>>8)&255
			top := lerp(pix[at]&lanes, pix[at+1]&lanes, fx)
			v := lerp(top, lerp(pix[at+w]&lanes, pix[at+w+1]&lanes, fx), fy)
			switch {
			case v>>16 >= opaque:
				dst[i] = byte(v)
			case v != 0:
				dst[i] = over(v&255, v>>16, dst[i])
			}
		}
		sx += stepX
		sy += stepY
	}
}

// chromaRow blends U and V over u and v.
func (l *level) chromaRow(u, v []byte, sx, sy, stepX, stepY int32) {
	w := l.w
	for i := range u {
		at := int(sy>>16)*w + int(sx>>16)
		if uint(at+w+1) < uint(len(l.pix)) {
			fx, fy := uint32(sx>>8)&255, uint32(sy>>8)&255
			a, b, c, d := l.pix[at], l.pix[at+1], l.pix[at+w], l.pix[at+w+1]
			alpha := lerp(lerp(a&lanes, b&lanes, fx), lerp(c&lanes, d&lanes, fx), fy) >> 16
			if alpha != 0 {
				uv := lerp(lerp(a>>8&lanes, b>>8&lanes, fx), lerp(c>>8&lanes, d>>8&lanes, fx), fy)
				u[i], v[i] = over(uv&255, alpha, u[i]), over(uv>>16, alpha, v[i])
			}
		}
		sx += stepX
		sy += stepY
	}
}

// over lays a sample that is multiplied by its opacity over another.
func over(sample, alpha uint32, under byte) byte {
	t := uint32(under)*(255-alpha) + 128
	return byte(min(sample+(t+t>>8)>>8, 255))
}
