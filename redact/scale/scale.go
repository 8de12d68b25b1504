package scale

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall
#include "scale.h"
*/
import "C"

import (
	"fmt"
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
	s       C.scrim_scaling
	x, y    taps
	line    []C.float
	pix     []byte
	widest  int // bytes that a row has at least
	samples int // rows
}

// taps are the weights with which samples of one axis are added up.
type taps struct {
	first  []C.int32_t
	weight []C.float
	n      int
}

// New returns a Scaler of planes of fromW×fromH samples to w×h.
func New(fromW, fromH, w, h int) (*Scaler, error) {
	if w < 1 || h < 1 || fromW < w || fromH < h || fromW > MaxSide || fromH > MaxSide {
		return nil, fmt.Errorf("scaling from %d×%d to %d×%d is out of bounds", fromW, fromH, w, h)
	}
	s := &Scaler{x: axis(fromW, w), y: axis(fromH, h), pix: make([]byte, w*h), widest: fromW, samples: fromH}
	s.s = C.scrim_scaling{
		sw: C.int32_t(fromW), sh: C.int32_t(fromH), dw: C.int32_t(w), dh: C.int32_t(h),
		nx: C.int32_t(s.x.n), ny: C.int32_t(s.y.n),
	}
	if fromW%w == 0 && fromH%h == 0 && fromW/w <= maxWhole && fromH/h <= maxWhole {
		s.s.kx, s.s.ky = C.int32_t(fromW/w), C.int32_t(fromH/h)
	}
	s.line = make([]C.float, fromW+s.x.n)
	// For each tap all columns, as they are worked on.
	byColumn := s.x.weight
	s.x.weight = make([]C.float, len(byColumn))
	for i, v := range byColumn {
		s.x.weight[i%s.x.n*w+i/s.x.n] = v
	}
	return s, nil
}

// axis returns what each of n samples covers of from samples: the first of them
// and the weights, which sum up to 1.
func axis(from, n int) (t taps) {
	size := float64(from) / float64(n)
	begin := func(i int) float64 { return float64(i*from) / float64(n) }
	for i := range n {
		first, end := int(begin(i)), min(from, int(math.Ceil(begin(i+1))))
		t.n = max(t.n, end-first)
		t.first = append(t.first, C.int32_t(first))
	}
	t.weight = make([]C.float, n*t.n)
	for i := range n {
		low, high := begin(i), begin(i+1)
		for k := range t.n {
			at := float64(int(t.first[i]) + k)
			t.weight[i*t.n+k] = C.float(max(0, min(at+1, high)-max(at, low)) / size)
		}
	}
	return t
}

// Scale returns the plane whose rows pix holds, each stride bytes after the
// one before. The result has no padding and is valid until the next call.
func (s *Scaler) Scale(pix []byte, stride int) ([]byte, error) {
	if stride < s.widest || stride > 1<<20 || len(pix) < stride*(s.samples-1)+s.widest {
		return nil, fmt.Errorf("plane of %d×%d with rows of %d bytes has %d bytes", s.widest, s.samples, stride, len(pix))
	}
	C.scrim_scale(&s.s, &s.x.first[0], &s.x.weight[0], &s.y.first[0], &s.y.weight[0],
		(*C.uint8_t)(&pix[0]), C.int64_t(stride), &s.line[0], (*C.uint8_t)(&s.pix[0]))
	return s.pix, nil
}
