package decode

import (
	"encoding/binary"
	"errors"

	"scrim/redact/yuv"
)

// orientation says how a picture must be turned to be looked at: it is
// transposed, when that is set, and read from the right or from below.
type orientation struct{ transpose, flipX, flipY bool }

// exifOrientations are Exif's values 1 to 8.
var exifOrientations = [...]orientation{
	1: {}, 2: {flipX: true}, 3: {flipX: true, flipY: true}, 4: {flipY: true},
	5: {transpose: true}, 6: {transpose: true, flipY: true}, 7: {transpose: true, flipX: true, flipY: true}, 8: {transpose: true, flipX: true},
}

const (
	displayMatrixBytes = 9 * 4
	matrixOne          = 1 << 16 // 1 in 16.16 fixed point
)

var errTurned = errors.New("the video is turned by something else than a multiple of 90°; bake that in first (`ffmpeg -i IN OUT` does)")

// displayOrientation reads FFmpeg's display matrix, which maps a point (p, q) of
// the picture to (a·p + c·q, b·p + d·q) on the screen.
func displayOrientation(matrix []byte) (orientation, error) {
	if len(matrix) == 0 {
		return orientation{}, nil
	}
	if len(matrix) < displayMatrixBytes {
		return orientation{}, errTurned
	}
	at := func(i int) int32 { return int32(binary.NativeEndian.Uint32(matrix[4*i:])) } //nolint:gosec // a bit pattern
	unit := func(v int32) bool { return v == matrixOne || v == -matrixOne }
	a, b, c, d := at(0), at(1), at(3), at(4)
	switch {
	case unit(a) && unit(d) && b == 0 && c == 0:
		return orientation{flipX: a < 0, flipY: d < 0}, nil
	case unit(b) && unit(c) && a == 0 && d == 0:
		return orientation{transpose: true, flipX: b < 0, flipY: c < 0}, nil
	}
	return orientation{}, errTurned
}

// size returns the size of a picture that was turned.
func (o orientation) size(width, height int) (w, h int) {
	if o.transpose {
		return height, width
	}
	return width, height
}

// turn writes src, upright, into dst, which has the size of src
// turned, or a column or row more: then the last one is repeated.
func (o orientation) turn(dst, src *yuv.Image) {
	dst.FullRange = src.FullRange
	w, h := src.Width, src.Height
	o.plane(dst.Y, dst.YStride, src.Y, src.YStride, w, h)
	cw, ch := (w+1)/2, (h+1)/2
	o.plane(dst.U, dst.CStride, src.U, src.CStride, cw, ch)
	o.plane(dst.V, dst.CStride, src.V, src.CStride, cw, ch)
	// Chroma has one sample for both.
	if w, h = o.size(w, h); w < dst.Width {
		for y := range h {
			dst.Y[y*dst.YStride+w] = dst.Y[y*dst.YStride+w-1]
		}
	}
	if h < dst.Height {
		copy(dst.Y[h*dst.YStride:h*dst.YStride+dst.Width], dst.Y[(h-1)*dst.YStride:])
	}
}

// plane turns width × height samples of src.
func (o orientation) plane(dst []byte, dstStride int, src []byte, srcStride, width, height int) {
	outW, outH := o.size(width, height)
	start, dx, dy := 0, 1, srcStride
	if o.flipX {
		start, dx = start+width-1, -1
	}
	if o.flipY {
		start, dy = start+(height-1)*srcStride, -srcStride
	}
	stepX, stepY := dx, dy // in src, for a step along x and y of dst
	if o.transpose {
		stepX, stepY = dy, dx
	}
	for y := range outH {
		row, from := dst[y*dstStride:y*dstStride+outW], start+y*stepY
		if stepX == 1 {
			copy(row, src[from:from+outW])
			continue
		}
		for x := range row {
			row[x] = src[from]
			from += stepX
		}
	}
}
