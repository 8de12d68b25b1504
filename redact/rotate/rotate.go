package rotate

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall
#include "rotate.h"
*/
import "C"

import (
	"fmt"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// Orientation says how the samples of a picture are moved to turn it. With FlipX it is read
// from the right, with FlipY from below. With Transpose rows become columns. The zero
// Orientation leaves it as it is.
type Orientation struct{ Transpose, FlipX, FlipY bool }

// By returns the Orientation that turns pictures by r, which must be valid.
func By(r geom.Rotation) Orientation {
	switch r {
	case geom.Turned90:
		return Orientation{Transpose: true, FlipY: true}
	case geom.Turned180:
		return Orientation{FlipX: true, FlipY: true}
	case geom.Turned270:
		return Orientation{Transpose: true, FlipX: true}
	}
	return Orientation{}
}

// Then returns the Orientation that has the effect of o and then p.
func (o Orientation) Then(p Orientation) Orientation {
	if o.Transpose {
		p.FlipX, p.FlipY = p.FlipY, p.FlipX
	}
	return Orientation{Transpose: o.Transpose != p.Transpose, FlipX: o.FlipX != p.FlipX, FlipY: o.FlipY != p.FlipY}
}

// Size returns the size of a picture of width × height after it was turned.
func (o Orientation) Size(width, height int) (w, h int) {
	if o.Transpose {
		return height, width
	}
	return width, height
}

// Image turns src and writes it into dst. dst has the size of src after the turn, or one
// column or row more; then the last one is repeated. They must not share memory.
func (o Orientation) Image(dst, src *yuv.Image) error {
	w, h := o.Size(src.Width, src.Height)
	if dst.Width < w || dst.Width > w+1 || dst.Height < h || dst.Height > h+1 {
		return fmt.Errorf("picture of %d×%d does not turn into one of %d×%d", src.Width, src.Height, dst.Width, dst.Height)
	}
	if err := checkPlanes(src); err != nil {
		return err
	}
	if err := checkPlanes(dst); err != nil {
		return err
	}
	dst.FullRange = src.FullRange
	o.plane(dst.Y, dst.YStride, src.Y, src.YStride, src.Width, src.Height)
	o.plane(dst.U, dst.CStride, src.U, src.CStride, src.ChromaWidth(), src.ChromaHeight())
	o.plane(dst.V, dst.CStride, src.V, src.CStride, src.ChromaWidth(), src.ChromaHeight())
	// A side that was padded to an even one has no chroma sample more.
	repeatLast(dst.Y, dst.YStride, w, h, dst.Width, dst.Height)
	cw, ch := o.Size(src.ChromaWidth(), src.ChromaHeight())
	repeatLast(dst.U, dst.CStride, cw, ch, dst.ChromaWidth(), dst.ChromaHeight())
	repeatLast(dst.V, dst.CStride, cw, ch, dst.ChromaWidth(), dst.ChromaHeight())
	return nil
}

// Turned returns src turned by r, in dst if that has the right size.
func Turned(dst, src *yuv.Image, r geom.Rotation) (*yuv.Image, error) {
	w, h := r.Size(src.Width, src.Height)
	if dst == nil || dst.Width != w || dst.Height != h {
		var err error
		if dst, err = yuv.New(w, h); err != nil {
			return nil, err
		}
	}
	return dst, By(r).Image(dst, src)
}

// repeatLast fills the columns from w on and the rows from h on.
func repeatLast(pix []byte, stride, w, h, width, height int) {
	for x := w; x < width; x++ {
		for y := range h {
			pix[y*stride+x] = pix[y*stride+w-1]
		}
	}
	for y := h; y < height; y++ {
		copy(pix[y*stride:y*stride+width], pix[(h-1)*stride:])
	}
}

// checkPlanes checks what the C code relies on.
func checkPlanes(im *yuv.Image) error {
	if err := yuv.CheckSize(im.Width, im.Height); err != nil {
		return err
	}
	holds := func(pix []byte, stride, w, h int) bool { return stride >= w && len(pix) >= stride*(h-1)+w }
	if cw, ch := im.ChromaWidth(), im.ChromaHeight(); !holds(im.Y, im.YStride, im.Width, im.Height) ||
		!holds(im.U, im.CStride, cw, ch) || !holds(im.V, im.CStride, cw, ch) {
		return fmt.Errorf("planes of a picture of %d×%d are too short", im.Width, im.Height)
	}
	return nil
}

// plane turns width × height samples of src.
func (o Orientation) plane(dst []byte, dstStride int, src []byte, srcStride, width, height int) {
	// What flips along y only takes the rows from below.
	from, fromStride, to, toStride := 0, srcStride, 0, dstStride
	if o.FlipY {
		from, fromStride = (height-1)*srcStride, -srcStride
	}
	if o.Transpose && o.FlipX {
		to, toStride = (width-1)*dstStride, -dstStride
	}
	switch {
	case o.Transpose:
		C.scrim_transpose((*C.uint8_t)(&src[from]), C.int64_t(fromStride), C.int32_t(width), C.int32_t(height),
			(*C.uint8_t)(&dst[to]), C.int64_t(toStride))
	case o.FlipX:
		C.scrim_mirror((*C.uint8_t)(&src[from]), C.int64_t(fromStride), C.int32_t(width), C.int32_t(height),
			(*C.uint8_t)(&dst[to]), C.int64_t(toStride))
	default:
		for y := range height {
			copy(dst[y*dstStride:y*dstStride+width], src[from+y*fromStride:])
		}
	}
}
