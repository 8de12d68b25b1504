package mend

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall
#include "mend.h"
*/
import "C"

import (
	"fmt"
	"image"
	"math"
)

// MaxSide bounds the sides of planes, in samples.
const MaxSide = 4096

// fractions is how many results a table has for each sample.
const fractions = 16

// Filter mends planes by the recipe of Set, which must be called first. It must be
// used by one goroutine at a time. All memory is Go's; C gets it for the
// duration of a call.
type Filter struct {
	recipe       Recipe
	full, set    bool
	luma, chroma [256 * fractions]byte
	low, high    int // sums of cells that do not stray
	weights      [looks]kernel
	looks        [looks]Look // room for Looks
	c            C.scrim_mending
	line         []C.uint16_t
}

// kernel is a Gaussian: weights from the middle one outwards, which are 256 in sum with
// the outer ones counted twice.
type kernel struct {
	reach  C.int32_t
	weight [C.SCRIM_MEND_REACH + 1]C.uint16_t
}

// Set makes f a filter by r for pictures in full range, or limited range.
func (f *Filter) Set(r Recipe, full bool) {
	if f.set && f.recipe == r && f.full == full {
		return
	}
	f.recipe, f.full, f.set = r, full, true
	black, white := 16.0, 235.0
	if full {
		black, white = 0, 255
	}
	if r.High > 0 {
		margin := strayShare*(r.High-r.Low) + strayNoise*r.Noise
		sum := func(level float64) int {
			return int(cell * cell * (black + level*(white-black)/255))
		}
		f.low, f.high = sum(r.Low-margin), sum(r.High+margin)
	}
	colours := r.chroma()
	for i := range f.luma {
		sample := float64(i) / fractions
		f.luma[i], f.chroma[i] = toByte(sample), toByte(128+(sample-128)*colours)
		if r.High > 0 {
			l := r.Level(min(max((sample-black)*255/(white-black), 0), 255))
			f.luma[i] = toByte(black + l*(white-black)/255)
		}
	}
	for look := range f.weights {
		f.weights[look] = gaussian(r.Sigma(Look(look)))
	}
}

// cell is the side of the cells that may stray, in samples.
const cell = 4

// Looks returns the looks that find most in the part r of a plane of luma. They are valid
// until the next call. In noise each of two looks finds what the other misses. A place whose
// light differs from that of most of a stretched picture is less visible there, so it is
// looked at as it is, too.
func (f *Filter) Looks(src []byte, stride, width, height int, r image.Rectangle) []Look {
	all := f.looks[:0]
	if f.recipe != (Recipe{}) {
		all = append(all, Mended)
	}
	if f.recipe.coded() {
		all = append(all, Soft)
	}
	if f.recipe.High == 0 || f.strays(src, stride, width, height, r) {
		all = append(all, Plain)
	}
	return all
}

// strays reports whether what lies in r has cells that stray.
func (f *Filter) strays(src []byte, stride, width, height int, r image.Rectangle) bool {
	r = r.Intersect(image.Rect(0, 0, width, height))
	if len(src) < stride*(height-1)+width {
		return false
	}
	strays := 0
	for y := r.Min.Y; y+cell <= r.Max.Y; y += cell {
		for x := r.Min.X; x+cell <= r.Max.X; x += cell {
			sum, at := 0, y*stride+x
			for range cell {
				p := src[at : at+cell]
				sum += int(p[0]) + int(p[1]) + int(p[2]) + int(p[3])
				at += stride
			}
			if sum < f.low || sum > f.high {
				if strays++; strays >= leastStrays {
					return true
				}
			}
		}
	}
	return false
}

// Recipe returns what f was set to.
func (f *Filter) Recipe() Recipe { return f.recipe }

// toByte rounds v.
func toByte(v float64) byte { return byte(min(max(math.Round(v), 0), 255)) }

// gaussian returns the Gaussian of a deviation, 0 for none.
func gaussian(sigma float64) (k kernel) {
	if sigma <= 0 {
		return k
	}
	n := min(max(int(math.Ceil(2.5*sigma)), 1), C.SCRIM_MEND_REACH)
	w, sum := make([]float64, n+1), 0.0
	for i := range w {
		w[i] = math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += w[i]
		if i > 0 {
			sum += w[i]
		}
	}
	left := 256
	for i := n; i > 0; i-- {
		share := int(math.Round(256 * w[i] / sum))
		k.weight[i] = C.uint16_t(share) //nolint:gosec // at most 256
		left -= 2 * share
	}
	k.weight[0] = C.uint16_t(left) //nolint:gosec // what is left of 256
	k.reach = C.int32_t(n)         //nolint:gosec // at most 5
	return k
}

// Luma writes what lies in r of a plane of luma of the given size, as look shows it, to
// the same place of dst. Rows are stride and dstStride bytes apart.
func (f *Filter) Luma(look Look, dst []byte, dstStride int, src []byte, stride, width, height int, r image.Rectangle) error {
	return f.plane(look, &f.luma, dst, dstStride, src, stride, width, height, r)
}

// Chroma is Luma for a plane of U or V.
func (f *Filter) Chroma(look Look, dst []byte, dstStride int, src []byte, stride, width, height int, r image.Rectangle) error {
	return f.plane(look, &f.chroma, dst, dstStride, src, stride, width, height, r)
}

func (f *Filter) plane(look Look, table *[256 * fractions]byte, dst []byte, dstStride int, src []byte, stride, w, h int, r image.Rectangle) error {
	if look <= Plain || look >= looks {
		return fmt.Errorf("mending by look %d: there is none", look)
	}
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide || stride < w || dstStride < w || stride > 1<<20 || dstStride > 1<<20 ||
		len(src) < stride*(h-1)+w || len(dst) < dstStride*(h-1)+w || !r.In(image.Rect(0, 0, w, h)) {
		return fmt.Errorf("mending %v of a plane of %d×%d: it has %d bytes in rows of %d, and the result %d in rows of %d",
			r, w, h, len(src), stride, len(dst), dstStride)
	}
	if r.Empty() {
		return nil
	}
	if need := 2*(w+2*C.SCRIM_MEND_REACH) + 16; len(f.line) < need {
		f.line = make([]C.uint16_t, need)
	}
	f.c.reach, f.c.weight = f.weights[look].reach, f.weights[look].weight
	f.c.w, f.c.h = C.int32_t(w), C.int32_t(h)
	f.c.x0, f.c.y0, f.c.x1, f.c.y1 = C.int32_t(r.Min.X), C.int32_t(r.Min.Y), C.int32_t(r.Max.X), C.int32_t(r.Max.Y)
	f.c.stride, f.c.dst_stride = C.int64_t(stride), C.int64_t(dstStride)
	C.scrim_mend(&f.c, (*C.uint8_t)(&table[0]), (*C.uint8_t)(&src[0]), &f.line[0], (*C.uint8_t)(&dst[0]))
	return nil
}
