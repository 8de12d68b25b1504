package infer

import (
	"image"
	"math"
)

// plane is a map of a slow and plain implementation, that the kernels are held
// against.
type plane struct {
	w, h, c int
	v       []float64
}

func newPlane(w, h, c int) plane { return plane{w, h, c, make([]float64, w*h*c)} }

// at returns a value; outside the map there are zeros.
func (p *plane) at(x, y, c int) float64 {
	if x < 0 || y < 0 || x >= p.w || y >= p.h {
		return 0
	}
	return p.v[(y*p.w+x)*p.c+c]
}

func (p *plane) each(f func(x, y, c int) float64) {
	for i := range p.v {
		p.v[i] = f(i/p.c%p.w, i/p.c/p.w, i%p.c)
	}
}

// seen returns what the network sees of a picture: blue, green, red, as package
// detect's tables have it.
func seen(p *Picture, r image.Rectangle) plane {
	black, luma, chroma := 16.0, 255.0/219, 255.0/224
	if p.Full {
		black, luma, chroma = 0, 1, 1
	}
	in := newPlane(r.Dx(), r.Dy(), 3)
	in.each(func(x, y, c int) float64 {
		x, y = min(max(x+r.Min.X, 0), p.Width-1), min(max(y+r.Min.Y, 0), p.Height-1)
		at := y/2*p.CStride + x/2
		du, dv := float64(p.U[at])-128, float64(p.V[at])-128
		l := int((float64(p.Y[y*p.YStride+x])-black)*luma + 0.5)
		switch c {
		case 0:
			l += int(1.772 * chroma * du)
		case 1:
			l += int(-0.344*chroma*du) + int(-0.714*chroma*dv)
		case 2:
			l += int(1.402 * chroma * dv)
		}
		return float64(min(max(l, 0), 255))
	})
	return in
}

// taps returns the sum of weights times the 3×3 values around a place.
func (p *plane) taps(x, y, c int, weights []float32) (sum float64) {
	for i, w := range weights[:9] {
		sum += float64(w) * p.at(x+i%3-1, y+i/3-1, c)
	}
	return sum
}

func separable(in plane, pw, dw conv) plane {
	outs := len(pw.bias)
	mid, out := newPlane(in.w, in.h, outs), newPlane(in.w, in.h, outs)
	mid.each(func(x, y, c int) float64 {
		sum := float64(pw.bias[c])
		for k := range in.c {
			sum += float64(pw.weights[c*in.c+k]) * in.at(x, y, k)
		}
		return sum
	})
	out.each(func(x, y, c int) float64 { return float64(dw.bias[c]) + mid.taps(x, y, c, dw.weights[9*c:]) })
	return out
}

func rectify(p plane) plane {
	p.each(func(x, y, c int) float64 { return max(0, p.at(x, y, c)) })
	return p
}

// compute runs the steps of a network and returns its outputs.
func compute(steps []step, in plane) [][]float64 {
	maps := make([]plane, len(steps))
	outs := make([][]float64, len(outputs)*len(strides))
	for i, s := range steps {
		from := maps[s.in]
		switch s.kind {
		case stem:
			maps[i] = newPlane(in.w/2, in.h/2, s.cout)
			maps[i].each(func(x, y, c int) float64 {
				sum := float64(s.pw.bias[c])
				for k := range 3 {
					sum += in.taps(2*x, 2*y, k, s.pw.weights[27*c+9*k:])
				}
				return max(0, sum)
			})
		case unit:
			maps[i] = rectify(separable(from, s.pw, s.dw))
		case pool:
			maps[i] = newPlane(from.w/2, from.h/2, from.c)
			maps[i].each(func(x, y, c int) float64 {
				x, y = 2*x, 2*y
				return max(from.at(x, y, c), from.at(x+1, y, c), from.at(x, y+1, c), from.at(x+1, y+1, c))
			})
		case add:
			coarse := maps[s.coarse]
			maps[i] = newPlane(from.w, from.h, from.c)
			maps[i].each(func(x, y, c int) float64 { return from.at(x, y, c) + coarse.at(x/2, y/2, c) })
		case head:
			got := separable(from, s.pw, s.dw)
			for at := range got.w * got.h {
				v := got.v[at*headValues : (at+1)*headValues]
				outs[s.scale] = append(outs[s.scale], 1/(1+math.Exp(-v[0])))
				outs[3+s.scale] = append(outs[3+s.scale], 1/(1+math.Exp(-v[1])))
				outs[6+s.scale] = append(outs[6+s.scale], v[2:]...)
			}
		}
	}
	return outs
}
