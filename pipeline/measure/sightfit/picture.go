package main

import (
	"math"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// planes is a picture in red, green and blue, 0 to 255, without rounding: degradations
// follow one another, as they do in a camera, and only the last result has 8 bits.
type planes struct {
	w, h int
	rgb  [3][]float32
}

func newPlanes(w, h int) *planes {
	p := &planes{w: w, h: h}
	mem := make([]float32, 3*w*h)
	for c := range p.rgb {
		p.rgb[c] = mem[c*w*h : (c+1)*w*h : (c+1)*w*h]
	}
	return p
}

func (p *planes) clone() *planes {
	q := newPlanes(p.w, p.h)
	for c := range p.rgb {
		copy(q.rgb[c], p.rgb[c])
	}
	return q
}

// fromYUV converts a picture whose samples go from 0 to 255 (ITU-T T.871).
func fromYUV(im *yuv.Image) *planes {
	p := newPlanes(im.Width, im.Height)
	for y := range p.h {
		for x := range p.w {
			l := float32(im.Y[y*im.YStride+x])
			c := y/2*im.CStride + x/2
			u, v := float32(im.U[c])-128, float32(im.V[c])-128
			i := y*p.w + x
			p.rgb[0][i] = clip(l + 1.402*v)
			p.rgb[1][i] = clip(l - 0.344136*u - 0.714136*v)
			p.rgb[2][i] = clip(l + 1.772*u)
		}
	}
	return p
}

// toYUV converts a picture to what a camera sends: samples from 16 to 235 and 240, of
// ITU-R BT.601.
func (p *planes) toYUV() (*yuv.Image, error) {
	im, err := yuv.New(p.w, p.h)
	if err != nil {
		return nil, err
	}
	r, g, b := p.rgb[0], p.rgb[1], p.rgb[2]
	for y := range p.h {
		for x, i := 0, y*p.w; x < p.w; x, i = x+1, i+1 {
			l := 0.299*clip(r[i]) + 0.587*clip(g[i]) + 0.114*clip(b[i])
			im.Y[y*im.YStride+x] = sample(16 + l*219/255)
		}
	}
	for cy := range im.ChromaHeight() {
		for cx := range im.ChromaWidth() {
			var sr, sg, sb, n float32
			for y := 2 * cy; y < min(2*cy+2, p.h); y++ {
				for x := 2 * cx; x < min(2*cx+2, p.w); x++ {
					i := y*p.w + x
					sr, sg, sb, n = sr+clip(r[i]), sg+clip(g[i]), sb+clip(b[i]), n+1
				}
			}
			sr, sg, sb = sr/n, sg/n, sb/n
			y := 0.299*sr + 0.587*sg + 0.114*sb
			im.U[cy*im.CStride+cx] = sample(128 + (sb-y)*0.564334*224/255)
			im.V[cy*im.CStride+cx] = sample(128 + (sr-y)*0.713267*224/255)
		}
	}
	return im, nil
}

func clip(v float32) float32 { return min(max(v, 0), 255) }

func sample(v float32) byte { return byte(clip(v + 0.5)) }

// scaled returns the part of p that lies within area, scaled to w×h pixels: by the mean
// of what each pixel covers where that is more than a pixel, else between pixels.
func (p *planes) scaled(area geom.Box, w, h int) *planes {
	q := newPlanes(w, h)
	columns, rows := axis(area.X, area.W, p.w, w), axis(area.Y, area.H, p.h, h)
	line := make([]float32, p.w)
	for c := range p.rgb {
		for y := range h {
			clear(line)
			for _, t := range rows[y] {
				for x, v := range p.rgb[c][t.at*p.w : (t.at+1)*p.w] {
					line[x] += t.weight * v
				}
			}
			for x := range w {
				var sum float32
				for _, t := range columns[x] {
					sum += t.weight * line[t.at]
				}
				q.rgb[c][y*w+x] = sum
			}
		}
	}
	return q
}

// tap is one of the samples that make another, and its share.
type tap struct {
	at     int
	weight float32
}

// axis returns for each of n samples what it is made of: a triangle around its middle,
// as wide as the step from one to the next, or a sample if that is more.
func axis(from, length float64, samples, n int) [][]tap {
	step := length / float64(n)
	width := max(step, 1)
	all := make([][]tap, n)
	for i := range all {
		middle := from + (float64(i)+0.5)*step - 0.5
		var sum float32
		for at := int(math.Ceil(middle - width)); float64(at) <= middle+width; at++ {
			w := float32(1 - math.Abs(float64(at)-middle)/width)
			all[i] = append(all[i], tap{at: min(max(at, 0), samples-1), weight: w})
			sum += w
		}
		for k := range all[i] {
			all[i][k].weight /= sum
		}
	}
	return all
}

// feather is how many pixels pasted parts take to become opaque: their borders must not be the
// sharpest edges of the picture, or they would say how sharp it is.
const feather = 6

// paste puts q into p at x, y, with soft borders. What reaches outside is left out.
func (p *planes) paste(q *planes, x, y int) {
	w, h := min(q.w, p.w-x), min(q.h, p.h-y)
	for row := range h {
		for column := range w {
			at, from := (y+row)*p.w+x+column, row*q.w+column
			edge := min(row+1, q.h-row, column+1, q.w-column)
			share := min(float32(edge)/(feather+1), 1)
			for c := range p.rgb {
				p.rgb[c][at] += share * (q.rgb[c][from] - p.rgb[c][at])
			}
		}
	}
}
