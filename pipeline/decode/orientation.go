package decode

import (
	"encoding/binary"
	"errors"

	"scrim/redact/rotate"
)

// exifOrientations are Exif's values 1 to 8.
var exifOrientations = [...]rotate.Orientation{
	1: {}, 2: {FlipX: true}, 3: {FlipX: true, FlipY: true}, 4: {FlipY: true},
	5: {Transpose: true}, 6: {Transpose: true, FlipY: true}, 7: {Transpose: true, FlipX: true, FlipY: true}, 8: {Transpose: true, FlipX: true},
}

const (
	displayMatrixBytes = 9 * 4
	matrixOne          = 1 << 16 // 1 in 16.16 fixed point
)

var errTurned = errors.New("the video is turned by something else than a multiple of 90°; bake that in first (`ffmpeg -i IN OUT` does)")

// displayOrientation reads FFmpeg's display matrix, which maps a point (p, q) of
// the picture to (a·p + c·q, b·p + d·q) on the screen.
func displayOrientation(matrix []byte) (rotate.Orientation, error) {
	if len(matrix) == 0 {
		return rotate.Orientation{}, nil
	}
	if len(matrix) < displayMatrixBytes {
		return rotate.Orientation{}, errTurned
	}
	at := func(i int) int32 { return int32(binary.NativeEndian.Uint32(matrix[4*i:])) } //nolint:gosec // a bit pattern
	unit := func(v int32) bool { return v == matrixOne || v == -matrixOne }
	a, b, c, d := at(0), at(1), at(3), at(4)
	switch {
	case unit(a) && unit(d) && b == 0 && c == 0:
		return rotate.Orientation{FlipX: a < 0, FlipY: d < 0}, nil
	case unit(b) && unit(c) && a == 0 && d == 0:
		return rotate.Orientation{Transpose: true, FlipX: b < 0, FlipY: c < 0}, nil
	}
	return rotate.Orientation{}, errTurned
}
