package stamp

import (
	"encoding/binary"
	"hash/crc32"
	"image"
	"math"
	"time"

	"scrim/redact/yuv"
)

// The layout; the package's description says how the parts fit together.
const (
	// CellsPerWidth is how many cells fit into the width of a picture: the side
	// of a cell is the picture's width divided by it, in pixels.
	CellsPerWidth = 128
	// Columns and Rows are the size of the code in cells, without the margin.
	Columns = 32
	Rows    = 4
	// Margin is the quiet zone on each side of the code, in cells.
	Margin = 1
	// Black and White are the luma of a 0 and of a 1.
	Black = 16
	White = 235
	// MinWidth and MinHeight are the size in pixels of the smallest picture that
	// carries a stamp.
	MinWidth  = 160
	MinHeight = 16
)

const neutral = 128 // chroma without colour

// words returns the content of the rows.
func words(number uint32, captured time.Time) [Rows]uint32 {
	var b [12]byte
	ns := uint64(captured.UnixNano())
	binary.BigEndian.PutUint32(b[:], number)
	binary.BigEndian.PutUint64(b[4:], ns)
	return [Rows]uint32{number, uint32(ns >> 32), uint32(ns), checksum(b)}
}

// checksum is crc32.ChecksumIEEE, which would move its argument to the heap.
func checksum(b [12]byte) uint32 {
	crc := ^uint32(0)
	for _, v := range b {
		crc = crc32.IEEETable[byte(crc)^v] ^ crc>>8
	}
	return ^crc
}

// Bounds returns the area that a stamp takes in a picture of the given size in
// pixels, quiet margin included: even on all sides, cut at the picture's edges.
func Bounds(width, height int) image.Rectangle {
	even := func(cells int) int { return (ceilDiv(cells*width, CellsPerWidth) + 1) &^ 1 }
	r := image.Rect(0, 0, even(Columns+2*Margin), even(Rows+2*Margin))
	return r.Intersect(image.Rect(0, 0, width, height))
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// Draw writes a stamp into the upper left corner of im. Times outside the years
// 1678 to 2262 do not fit into 64 bits of nanoseconds and come out as others.
// A picture smaller than MinWidth×MinHeight is left as it is. It allocates
// nothing.
func Draw(im *yuv.Image, number uint32, captured time.Time) {
	if !fits(im) {
		return
	}
	area := Bounds(im.Width, im.Height)
	clearArea(im, area)
	side := float64(im.Width) / CellsPerWidth
	for row, word := range words(number, captured) {
		y0, y1 := edge(row, side), min(edge(row+1, side), im.Height)
		for col := range Columns {
			if word>>(Columns-1-col)&1 == 0 {
				continue
			}
			x0, x1 := edge(col, side), edge(col+1, side)
			for y := y0; y < y1; y++ {
				fill(im.Y[y*im.YStride+x0:y*im.YStride+x1], White)
			}
		}
	}
}

// edge returns the first pixel of cell i of a row or column.
func edge(i int, side float64) int { return int(math.Round(float64(i+Margin) * side)) }

func clearArea(im *yuv.Image, area image.Rectangle) {
	for y := range area.Max.Y {
		fill(im.Y[y*im.YStride:y*im.YStride+area.Max.X], Black)
	}
	w := (area.Max.X + 1) / 2
	for y := range (area.Max.Y + 1) / 2 {
		fill(im.U[y*im.CStride:y*im.CStride+w], neutral)
		fill(im.V[y*im.CStride:y*im.CStride+w], neutral)
	}
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// fits reports whether im has the pixels that a stamp needs, in planes as large
// as its sizes say.
func fits(im *yuv.Image) bool {
	if im == nil || im.Width < MinWidth || im.Height < MinHeight || im.Width > yuv.MaxWidth || im.Height > yuv.MaxHeight {
		return false
	}
	if Bounds(im.Width, im.Height).Dy() < ceilDiv((Rows+2*Margin)*im.Width, CellsPerWidth) {
		return false
	}
	return im.YStride >= im.Width && im.CStride >= im.ChromaWidth() &&
		len(im.Y) >= im.YStride*(im.Height-1)+im.Width &&
		len(im.U) >= im.CStride*(im.ChromaHeight()-1)+im.ChromaWidth() &&
		len(im.V) >= im.CStride*(im.ChromaHeight()-1)+im.ChromaWidth()
}
