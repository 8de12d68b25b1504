// Package stamptest reads the stamps that package stamp draws, for tests.
package stamptest

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"scrim/pipeline/scene/stamp"
	"scrim/redact/yuv"
)

// insetFrom and insetTo bound the part of a cell that is read, as fractions of its side.
// threshold is the least mean luma of a 1.
const (
	insetFrom = 0.25
	insetTo   = 0.75
	threshold = 126
)

// ErrNone is returned by Read for a picture in which no stamp can be read.
var ErrNone = errors.New("no stamp can be read in the picture's upper left corner")

// Stamp is what a picture's block code says.
type Stamp struct {
	// Number is the frame's number.
	Number uint32
	// Captured is when the frame was captured, in UTC, with nanoseconds.
	Captured time.Time
}

// Read returns the stamp of im, or ErrNone. It looks at luma only, writes nothing
// and allocates nothing.
func Read(im *yuv.Image) (Stamp, error) {
	if !fits(im) {
		return Stamp{}, ErrNone
	}
	side := float64(im.Width) / stamp.CellsPerWidth
	var b [4 * stamp.Rows]byte
	for row := range stamp.Rows {
		y0, y1 := inset(row, side)
		word := uint32(0)
		for col := range stamp.Columns {
			x0, x1 := inset(col, side)
			word <<= 1
			if mean(im, x0, y0, x1, y1) >= threshold {
				word |= 1
			}
		}
		binary.BigEndian.PutUint32(b[4*row:], word)
	}
	if checksum(b[:12]) != binary.BigEndian.Uint32(b[12:]) {
		return Stamp{}, ErrNone
	}
	ns := int64(binary.BigEndian.Uint64(b[4:])) //nolint:gosec // as it was written
	return Stamp{Number: binary.BigEndian.Uint32(b[:]), Captured: time.Unix(0, ns).UTC()}, nil
}

// checksum is crc32.ChecksumIEEE, which would move its argument to the heap.
func checksum(b []byte) uint32 {
	crc := ^uint32(0)
	for _, v := range b {
		crc = crc32.IEEETable[byte(crc)^v] ^ crc>>8
	}
	return ^crc
}

// inset returns the pixels of cell i that are read: from lo to before hi.
func inset(i int, side float64) (lo, hi int) {
	lo = int(math.Round((float64(i+stamp.Margin) + insetFrom) * side))
	return lo, max(lo+1, int(math.Round((float64(i+stamp.Margin)+insetTo)*side)))
}

func mean(im *yuv.Image, x0, y0, x1, y1 int) int {
	sum := 0
	for y := y0; y < y1; y++ {
		for _, v := range im.Y[y*im.YStride+x0 : y*im.YStride+x1] {
			sum += int(v)
		}
	}
	return sum / ((x1 - x0) * (y1 - y0))
}

// fits reports whether im has the pixels of a stamp, in a plane as large as its sizes say.
func fits(im *yuv.Image) bool {
	if im == nil || im.Width < stamp.MinWidth || im.Height < stamp.MinHeight || im.Width > yuv.MaxWidth || im.Height > yuv.MaxHeight {
		return false
	}
	rows := ((stamp.Rows+2*stamp.Margin)*im.Width + stamp.CellsPerWidth - 1) / stamp.CellsPerWidth
	return stamp.Bounds(im.Width, im.Height).Dy() >= rows && im.YStride >= im.Width && len(im.Y) >= im.YStride*(im.Height-1)+im.Width
}
