package surface

/*
#cgo CFLAGS: -std=c11 -O3 -Wall
#include "surface.h"
*/
import "C"

import "unsafe"

// Paint implements obscure.Surface. It is safe for concurrent use as far as the
// slices are. Slices that are too short are left as they are.
func Paint(dst []byte, stride, w, h int, ring []int32, scratch []float32) {
	if w < 1 || h < 1 || stride < w || len(dst) < stride*(h-1)+w || len(ring) < 2*(w+h)+4 || len(scratch) < 4*w {
		return
	}
	C.scrim_surface((*C.uint8_t)(&dst[0]), C.int64_t(stride), C.int32_t(w), C.int32_t(h), //nolint:gosec // sides of pictures
		(*C.int32_t)(unsafe.Pointer(&ring[0])), (*C.float)(unsafe.Pointer(&scratch[0])))
}
