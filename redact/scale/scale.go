package scale

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall
#include "scale.h"
*/
import "C"

import (
	"fmt"
	"image"
	"math"
)

// MaxSide bounds the sides of planes, in samples.
const MaxSide = 4096

// maxWhole is the largest whole factor that is done in integers: sums of rows fit
// 16 bits by far.
const maxWhole = 64

// Scaler scales planes of one size to another, not larger one. It must be used by
// one goroutine at a time.
type Scaler struct {
	s            C.scrim_scaling
	x, y         taps
	line         []C.float
	pix          []byte
	widest       int // bytes that a row has at least
	samples      int // rows
	skipX, skipY int // samples and rows that are not needed
}

// taps are the weights with which samples of one axis are added up.
type taps struct {
	first  []C.int32_t
	weight []C.float
	n      int
}

// New returns a Scaler of planes of fromW×fromH samples to w×h.
func New(fromW, fromH, w, h int) (*Scaler, error) {
	return NewPart(fromW, fromH, w, h, image.Rect(0, 0, fromW, fromH), image.Rect(0, 0, w, h))
}

// NewPart returns a Scaler of a part of such a plane. It makes what lies in dst of the
// scaled plane, with the same values, from what lies in src of the plane. Inside
// says which dst has all that it covers in src.
func NewPart(fromW, fromH, w, h int, src, dst image.Rectangle) (*Scaler, error) {
	if w < 1 || h < 1 || fromW < w || fromH < h || fromW > MaxSide || fromH > MaxSide {
		return nil, fmt.Errorf("scaling from %d×%d to %d×%d is out of bounds", fromW, fromH, w, h)
	}
	if dst.Empty() || !src.In(image.Rect(0, 0, fromW, fromH)) || !dst.In(Inside(fromW, fromH, w, h, src)) {
		return nil, fmt.Errorf("scaling from %d×%d to %d×%d: %v does not lie in %v", fromW, fromH, w, h, dst, src)
	}
	s := &Scaler{pix: make([]byte, dst.Dx()*dst.Dy())}
	s.x, s.skipX = axis(fromW, w, src.Min.X, src.Max.X, dst.Min.X, dst.Max.X)
	s.y, s.skipY = axis(fromH, h, src.Min.Y, src.Max.Y, dst.Min.Y, dst.Max.Y)
	s.widest, s.samples = src.Dx(), src.Dy()
	s.s = C.scrim_scaling{
		sw: C.int32_t(s.widest - s.skipX), sh: C.int32_t(s.samples - s.skipY), dw: C.int32_t(dst.Dx()), dh: C.int32_t(dst.Dy()),
		nx: C.int32_t(s.x.n), ny: C.int32_t(s.y.n),
	}
	if fromW%w == 0 && fromH%h == 0 && fromW/w <= maxWhole && fromH/h <= maxWhole {
		s.s.kx, s.s.ky = C.int32_t(fromW/w), C.int32_t(fromH/h)
	}
	s.line = make([]C.float, s.widest-s.skipX+s.x.n)
	// For each tap all columns, as they are worked on.
	byColumn := s.x.weight
	s.x.weight = make([]C.float, len(byColumn))
	for i, v := range byColumn {
		s.x.weight[i%s.x.n*dst.Dx()+i/s.x.n] = v
	}
	return s, nil
}

// Inside returns which part of a plane of w×h, scaled from fromW×fromH, covers nothing
// outside src.
func Inside(fromW, fromH, w, h int, src image.Rectangle) image.Rectangle {
	low := func(at, from, n int) int { return (at*n + from - 1) / from }
	return image.Rectangle{
		Min: image.Pt(low(src.Min.X, fromW, w), low(src.Min.Y, fromH, h)),
		Max: image.Pt(src.Max.X*w/fromW, src.Max.Y*h/fromH),
	}
}

// axis returns what each of the samples from dst0 to dst1, of n that are made of from
// samples, covers: the first of them and the weights, which sum up to 1. The plane has
// those from src0 to src1. The first skip of them are not needed; t.first counts from there.
func axis(from, n, src0, src1, dst0, dst1 int) (t taps, skip int) {
	size := float64(from) / float64(n)
	begin := func(i int) float64 { return float64(i*from) / float64(n) }
	skip = int(begin(dst0)) - src0
	for i := dst0; i < dst1; i++ {
		first, end := int(begin(i)), min(src1, int(math.Ceil(begin(i+1))))
		t.n = max(t.n, end-first)
		t.first = append(t.first, C.int32_t(first-src0-skip))
	}
	t.weight = make([]C.float, (dst1-dst0)*t.n)
	for i := dst0; i < dst1; i++ {
		low, high := begin(i), begin(i+1)
		for k := range t.n {
			at := float64(int(low) + k)
			t.weight[(i-dst0)*t.n+k] = C.float(max(0, min(at+1, high)-max(at, low)) / size)
		}
	}
	return t, skip
}

// Scale returns the plane whose rows pix holds, each stride bytes after the
// one before. The result has no padding and is valid until the next call.
func (s *Scaler) Scale(pix []byte, stride int) ([]byte, error) {
	if stride < s.widest || stride > 1<<20 || len(pix) < stride*(s.samples-1)+s.widest {
		return nil, fmt.Errorf("plane of %d×%d with rows of %d bytes has %d bytes", s.widest, s.samples, stride, len(pix))
	}
	C.scrim_scale(&s.s, &s.x.first[0], &s.x.weight[0], &s.y.first[0], &s.y.weight[0],
		(*C.uint8_t)(&pix[s.skipY*stride+s.skipX]), C.int64_t(stride), &s.line[0], (*C.uint8_t)(&s.pix[0]))
	return s.pix, nil
}
