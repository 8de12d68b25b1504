package motion

import (
	"image"

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
	words         int // of a row of a mask
}

func newGrid(width, height int) grid {
	g := grid{width: width, height: height, side: largeCell}
	if max(width, height) < largePicture {
		g.side = smallCell
	}
	g.cols, g.rows = (width+g.side-1)/g.side, (height+g.side-1)/g.side
	g.words = (g.cols + wordBits - 1) / wordBits
	return g
}

func (g grid) cells() int { return g.cols * g.rows }

// each calls f with each cell that r, in pixels, touches.
func (g grid) each(r image.Rectangle, f func(i int)) {
	r = r.Intersect(image.Rect(0, 0, g.width, g.height))
	if r.Empty() {
		return
	}
	for y := r.Min.Y / g.side; y <= (r.Max.Y-1)/g.side; y++ {
		for x := r.Min.X / g.side; x <= (r.Max.X-1)/g.side; x++ {
			f(y*g.cols + x)
		}
	}
}

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
	cols, rows := width/side, height/side
	meanWhole(out, g.cols, pix, stride, cols, rows, side)
	for y := range g.rows {
		from := 0
		if y < rows {
			from = cols
		}
		for x := from; x < g.cols; x++ {
			out[y*g.cols+x] = meanPart(pix, stride, image.Rect(x*side, y*side, (x+1)*side, (y+1)*side), width, height)
		}
	}
}

// meanPart returns the mean of the samples of r that lie in a plane; some do.
func meanPart(pix []byte, stride int, r image.Rectangle, width, height int) float32 {
	r.Max.X, r.Max.Y = min(r.Max.X, width), min(r.Max.Y, height)
	sum := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range pix[y*stride+r.Min.X : y*stride+r.Max.X] {
			sum += int(v)
		}
	}
	return float32(sum) / float32(r.Dx()*r.Dy())
}
