package motion

import (
	"encoding/binary"

	"scrim/redact/yuv"
)

const (
	// largeCell and smallCell are the side of a cell in pixels. A picture whose longer
	// side is below largePicture has small ones.
	largeCell    = 8
	smallCell    = 4
	largePicture = 960
	// planes are luma and the two of chroma.
	planes = 3
)

// grid divides a picture into cells.
type grid struct {
	width, height int // of the picture in pixels
	side          int // of a cell in pixels
	cols, rows    int
}

func newGrid(width, height int) grid {
	g := grid{width: width, height: height, side: largeCell}
	if max(width, height) < largePicture {
		g.side = smallCell
	}
	g.cols, g.rows = (width+g.side-1)/g.side, (height+g.side-1)/g.side
	return g
}

func (g grid) cells() int { return g.cols * g.rows }

// means are the mean samples of all cells, by plane.
type means [planes][]float32

func newMeans(n int) (m means) {
	for k := range m {
		m[k] = make([]float32, n)
	}
	return m
}

func (m *means) copyFrom(o *means) {
	for k := range m {
		copy(m[k], o[k])
	}
}

// measure sets m to the means of im, which must have the grid's size.
func (g grid) measure(m *means, im *yuv.Image) {
	g.measurePlane(m[0], im.Y, im.YStride, im.Width, im.Height, g.side)
	g.measurePlane(m[1], im.U, im.CStride, im.ChromaWidth(), im.ChromaHeight(), g.side/2)
	g.measurePlane(m[2], im.V, im.CStride, im.ChromaWidth(), im.ChromaHeight(), g.side/2)
}

func (g grid) measurePlane(out []float32, pix []byte, stride, width, height, side int) {
	for row := range g.rows {
		top, bottom := min(row*side, height-1), min((row+1)*side, height)
		line := out[row*g.cols : (row+1)*g.cols]
		col := 0
		switch {
		case bottom-top != side:
		case side == 8:
			col = sum8(line, pix[top*stride:], stride, width)
		case side == 4:
			col = sum4(line, pix[top*stride:], stride, width)
		}
		for ; col < g.cols; col++ {
			left, right := min(col*side, width-1), min((col+1)*side, width)
			sum := 0
			for y := top; y < bottom; y++ {
				for _, v := range pix[y*stride+left : y*stride+right] {
					sum += int(v)
				}
			}
			line[col] = float32(sum) / float32((bottom-top)*(right-left))
		}
	}
}

// even are the bytes that are added up in lanes of 16 bits.
const even = 0x00ff00ff00ff00ff

// sum8 sets out to the means of the whole cells of 8×8 samples in a row of them, and
// returns how many there are.
func sum8(out []float32, pix []byte, stride, width int) int {
	n := width / 8
	for i := range n {
		at, lanes := 8*i, uint64(0)
		for range 8 {
			v := binary.LittleEndian.Uint64(pix[at:])
			lanes += v&even + v>>8&even
			at += stride
		}
		out[i] = float32(lanes*0x0001000100010001>>48) * (1.0 / 64)
	}
	return n
}

// sum4 is sum8 for cells of 4×4 samples, of which it takes two at a time.
func sum4(out []float32, pix []byte, stride, width int) int {
	n := width / 8 * 2
	for i := 0; i < n; i += 2 {
		at, lanes := 4*i, uint64(0)
		for range 4 {
			v := binary.LittleEndian.Uint64(pix[at:])
			lanes += v&even + v>>8&even
			at += stride
		}
		out[i] = float32(lanes&0xffff+lanes>>16&0xffff) * (1.0 / 16)
		out[i+1] = float32(lanes>>32&0xffff+lanes>>48) * (1.0 / 16)
	}
	return n
}
