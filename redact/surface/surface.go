package surface

/*
#cgo CFLAGS: -std=c11 -O3 -Wall
#include "surface.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Paint implements obscure.Surface. It is safe for concurrent use as far as the
// slices are. It panics when they are too short, as the bounds checks of obscure's
// own code do: what is not painted must not pass for obscured.
func Paint(dst []byte, stride, w, h int, ring []int32, scratch []float32) {
	if w < 1 || h < 1 || stride < w || len(dst) < stride*(h-1)+w || len(ring) < 2*(w+h)+4 || len(scratch) < 4*w {
		panic(fmt.Sprintf("surface of %d×%d samples in rows of %d: there are only %d, a ring of %d and room for %d",
			w, h, stride, len(dst), len(ring), len(scratch)))
	}
	C.scrim_surface((*C.uint8_t)(&dst[0]), C.int64_t(stride), C.int32_t(w), C.int32_t(h), //nolint:gosec // sides of pictures
		(*C.int32_t)(unsafe.Pointer(&ring[0])), (*C.float)(unsafe.Pointer(&scratch[0])))
}
