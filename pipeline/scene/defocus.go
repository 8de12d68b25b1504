package scene

import (
	"math"

	"scrim/redact/yuv"
)

// boxPasses is how many box filters make up a blur. Boxes whose outermost samples count
// in part give every sigma (P. Gwosdek et al., "Theoretical Foundations of Gaussian
// Convolution by Extended Box Filtering", SSVM 2011).
const boxPasses = 3

// blurScale is the unit of samples while they are blurred.
const blurScale = 64

// defocus blurs pictures. It is reused for its buffers.
type defocus struct {
	a, b []int32
	sums []int32
	wide []int32 // a row with what lies beyond its ends
}

// box is a filter of 2·radius+1 samples, and one more on each side that counts in part.
type box struct {
	radius      int
	whole, part float32 // weights
}

func newBox(sigma float64) box {
	v := sigma * sigma / boxPasses
	r := math.Floor((math.Sqrt(12*v+1) - 1) / 2)
	part := (2*r + 1) * (r*(r+1) - 3*v) / (6 * (v - (r+1)*(r+1)))
	whole := 1 / (2*r + 1 + 2*part)
	return box{radius: int(r), whole: float32(whole), part: float32(whole * part)}
}

func (b *box) mean(sum, ends int32) int32 {
	return int32(float32(sum)*b.whole + float32(ends)*b.part + 0.5)
}

// blur blurs im by sigma pixels.
func (d *defocus) blur(im *yuv.Image, sigma float64) {
	d.plane(im.Y, im.YStride, im.Width, im.Height, sigma)
	d.plane(im.U, im.CStride, im.ChromaWidth(), im.ChromaHeight(), sigma/2)
	d.plane(im.V, im.CStride, im.ChromaWidth(), im.ChromaHeight(), sigma/2)
}

func (d *defocus) plane(p []byte, stride, w, h int, sigma float64) {
	if cap(d.a) < w*h {
		d.a, d.b, d.sums = make([]int32, w*h), make([]int32, w*h), make([]int32, max(w, cap(d.sums)))
	}
	a, b := d.a[:w*h], d.b[:w*h]
	for y := range h {
		for x, v := range p[y*stride:][:w] {
			a[y*w+x] = int32(v) * blurScale
		}
	}
	f := newBox(sigma)
	for range boxPasses {
		for y := range h {
			f.row(b[y*w:][:w], d.widen(a[y*w:][:w], f.radius+1))
		}
		f.columns(a, b, d.sums[:w], w, h)
	}
	for y := range h {
		row := p[y*stride:][:w]
		for x := range row {
			row[x] = byte((a[y*w+x] + blurScale/2) / blurScale) //nolint:gosec // a mean of bytes
		}
	}
}

// widen returns a row that goes on beyond its ends, by some samples, as it ends.
func (d *defocus) widen(row []int32, by int) []int32 {
	if n := len(row) + 2*by; cap(d.wide) < n {
		d.wide = make([]int32, n)
	}
	wide := d.wide[:len(row)+2*by]
	copy(wide[by:], row)
	for i := range by {
		wide[i], wide[len(wide)-1-i] = row[0], row[len(row)-1]
	}
	return wide
}

// row filters a row that was widened.
func (b *box) row(dst, wide []int32) {
	n := 2*b.radius + 1
	sum := int32(0)
	for _, v := range wide[1 : n+1] {
		sum += v
	}
	leaves, left, right := wide[1:][:len(dst)], wide[:len(dst)], wide[n+1:][:len(dst)]
	for x := range dst {
		dst[x] = b.mean(sum, left[x]+right[x])
		sum += right[x] - leaves[x]
	}
}

// columns filters the columns of a plane.
func (b *box) columns(dst, src, sums []int32, w, h int) {
	at := func(y int) []int32 { return src[min(max(y, 0), h-1)*w:][:w] }
	clear(sums)
	for y := -b.radius; y <= b.radius; y++ {
		for x, v := range at(y) {
			sums[x] += v
		}
	}
	for y := range h {
		above, below, leaves := at(y-b.radius-1), at(y+b.radius+1), at(y-b.radius)
		row := dst[y*w:][:w]
		sums := sums[:len(row)]
		above, below, leaves = above[:len(row)], below[:len(row)], leaves[:len(row)]
		for x := range row {
			row[x] = b.mean(sums[x], above[x]+below[x])
			sums[x] += below[x] - leaves[x]
		}
	}
}
