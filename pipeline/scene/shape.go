package scene

import (
	"image"
	"math"

	"scrim/redact/yuv"
)

type point struct{ x, y float64 }

// maxCorners bounds the corners of a shape.
const maxCorners = 20

// shape is a convex polygon, filled with one colour that is darker at its sides.
type shape struct {
	corners [maxCorners]point
	n       int
	col     ink
	round   bool // shaded like a cylinder
}

func (s *shape) add(x, y float64) {
	if s.n < maxCorners {
		s.corners[s.n] = point{x, y}
		s.n++
	}
}

// limb returns the hull of two discs: a tapered capsule.
func limb(a point, ra float64, b point, rb float64, col ink) shape {
	s := shape{col: col, round: true}
	dx, dy := b.x-a.x, b.y-a.y
	d := math.Hypot(dx, dy)
	if d <= math.Abs(ra-rb)+1e-9 { // one disc holds the other
		if rb > ra {
			a, ra = b, rb
		}
		for i := range maxCorners {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / maxCorners)
			s.add(a.x+ra*cos, a.y+ra*sin)
		}
		return s
	}
	axis, tilt := math.Atan2(dy, dx), math.Acos((ra-rb)/d)
	const half = maxCorners / 2
	for i := range half { // around the end of b, from one tangent to the other
		sin, cos := math.Sincos(axis - tilt + 2*tilt*float64(i)/(half-1))
		s.add(b.x+rb*cos, b.y+rb*sin)
	}
	for i := range half {
		sin, cos := math.Sincos(axis + tilt + 2*(math.Pi-tilt)*float64(i)/(half-1))
		s.add(a.x+ra*cos, a.y+ra*sin)
	}
	return s
}

// bounds returns the extent of s.
func (s *shape) bounds() (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range s.corners[:s.n] {
		x0, y0, x1, y1 = min(x0, p.x), min(y0, p.y), max(x1, p.x), max(y1, p.y)
	}
	return x0, y0, x1, y1
}

// holds reports whether a point is in s, whichever way round the corners go.
func (s *shape) holds(x, y float64) bool {
	left, right := false, false
	for i := range s.n {
		a, b := s.corners[i], s.corners[(i+1)%s.n]
		c := (b.x-a.x)*(y-a.y) - (b.y-a.y)*(x-a.x)
		left, right = left || c > 0, right || c < 0
	}
	return left != right
}

// subRows are the scan lines per row of pixels, for smooth edges.
const subRows = 4

// filler draws shapes. It is reused for its buffers.
type filler struct {
	left, right []float32 // by scan line
	ramp        [rampSteps]byte
	spans       [2 * subRows]float32 // of the current row
}

const rampSteps = 64

// draw blends s over im.
func (f *filler) draw(im *yuv.Image, s *shape) {
	for i := range f.ramp {
		shade := 1.0
		if s.round {
			d := 2*(float64(i)+0.5)/rampSteps - 0.9 // light from slightly left
			shade = 1.04 - 0.34*d*d
		}
		f.ramp[i] = limit(16+float64(int(s.col.y)-16)*shade, 16, 235)
	}
	f.plane(s, 1, im.Width, im.Height, func(y, x0, x1 int, spans []float32) {
		f.luma(im.Y[y*im.YStride:y*im.YStride+im.Width], x0, x1, spans)
	})
	f.plane(s, 0.5, im.ChromaWidth(), im.ChromaHeight(), func(y, x0, x1 int, spans []float32) {
		flat(im.U[y*im.CStride:y*im.CStride+im.ChromaWidth()], x0, x1, spans, s.col.u)
		flat(im.V[y*im.CStride:y*im.CStride+im.ChromaWidth()], x0, x1, spans, s.col.v)
	})
}

// plane scans s, its coordinates times k, and calls row for each row of the
// plane that it touches: the pixels that it may touch, and where it begins and
// ends on each scan line (begins in even places).
func (f *filler) plane(s *shape, k float64, width, height int, row func(y, x0, x1 int, spans []float32)) {
	minX, minY, maxX, maxY := s.bounds()
	area := image.Rect(int(math.Floor(minX*k)), int(math.Floor(minY*k)), int(math.Ceil(maxX*k)), int(math.Ceil(maxY*k)))
	area = area.Intersect(image.Rect(0, 0, width, height))
	if area.Empty() {
		return
	}
	f.scan(s, k, area)
	spans := f.spans[:]
	for y := range area.Dy() {
		first, last := float32(width), float32(0)
		for i := range subRows {
			l, r := f.left[y*subRows+i], f.right[y*subRows+i]
			l, r = max(l, 0), min(r, float32(width))
			if l >= r {
				l, r = 0, 0
			} else {
				first, last = min(first, l), max(last, r)
			}
			spans[2*i], spans[2*i+1] = l, r
		}
		if first < last {
			row(area.Min.Y+y, int(first), min(int(math.Ceil(float64(last))), width), spans)
		}
	}
}

// scan finds where each scan line of area enters and leaves s.
func (f *filler) scan(s *shape, k float64, area image.Rectangle) {
	n := area.Dy() * subRows
	if cap(f.left) < n {
		f.left, f.right = make([]float32, n), make([]float32, n)
	}
	f.left, f.right = f.left[:n], f.right[:n]
	for i := range n {
		f.left[i], f.right[i] = math.MaxFloat32, -math.MaxFloat32
	}
	for i := range s.n {
		a, b := s.corners[i], s.corners[(i+1)%s.n]
		if a.y > b.y {
			a, b = b, a
		}
		top, bottom := (a.y*k-float64(area.Min.Y))*subRows-0.5, (b.y*k-float64(area.Min.Y))*subRows-0.5
		if bottom-top < 1e-9 {
			continue
		}
		slope := (b.x - a.x) * k / (bottom - top)
		for line := max(int(math.Ceil(top)), 0); line < n && float64(line) <= bottom; line++ {
			x := float32(a.x*k + (float64(line)-top)*slope)
			f.left[line], f.right[line] = min(f.left[line], x), max(f.right[line], x)
		}
	}
}

// inner returns the pixels that every scan line covers whole.
func inner(spans []float32) (lo, hi int) {
	l, r := spans[0], spans[1]
	for i := 2; i < len(spans); i += 2 {
		l, r = max(l, spans[i]), min(r, spans[i+1])
	}
	return int(math.Ceil(float64(l))), int(r)
}

// coverage returns how much of pixel x is covered, 0 to 256.
func coverage(x int, spans []float32) int {
	sum := float32(0)
	for i := 0; i < len(spans); i += 2 {
		sum += max(0, min(float32(x+1), spans[i+1])-max(float32(x), spans[i]))
	}
	return int(sum * (256 / subRows))
}

func blend(under, over byte, cover int) byte {
	return byte(int(under) + ((int(over)-int(under))*cover+128)>>8)
}

// luma fills a row with the ramp.
func (f *filler) luma(dst []byte, x0, x1 int, spans []float32) {
	lo, hi := inner(spans)
	step := int32(rampSteps<<16) / int32(max(x1-x0, 1))
	at := step / 2
	for x := x0; x < x1; x++ {
		v := f.ramp[(at>>16)&(rampSteps-1)]
		if x >= lo && x < hi {
			dst[x] = v
		} else {
			dst[x] = blend(dst[x], v, coverage(x, spans))
		}
		at += step
	}
}

// flat fills a row with one value.
func flat(dst []byte, x0, x1 int, spans []float32, v byte) {
	lo, hi := inner(spans)
	if lo >= hi {
		lo, hi = x1, x1
	}
	for x := x0; x < min(lo, x1); x++ {
		dst[x] = blend(dst[x], v, coverage(x, spans))
	}
	for x := lo; x < hi; x++ {
		dst[x] = v
	}
	for x := max(hi, x0); x < x1; x++ {
		dst[x] = blend(dst[x], v, coverage(x, spans))
	}
}
