package main

import "math"

// block is the side of the blocks of JPEG and of most video.
const block = 8

// lumaSteps and chromaSteps are the quantisers of ITU-T T.81, tables K.1 and K.2.
var (
	lumaSteps = [block * block]float32{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
	chromaSteps = [block * block]float32{
		17, 18, 24, 47, 99, 99, 99, 99,
		18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99,
		47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
	}
	// cosines are the rows of the discrete cosine transform.
	cosines = func() (t [block][block]float32) {
		for u := range t {
			for x := range t[u] {
				t[u][x] = float32(math.Cos(float64(2*x+1)*float64(u)*math.Pi/(2*block)) / 2)
				if u == 0 {
					t[u][x] /= math.Sqrt2
				}
			}
		}
		return t
	}()
)

// code replaces p by what coding at that quality of JPEG leaves of it. The colours have
// half the resolution.
func (p *planes) code(quality int) {
	scale := float32(200 - 2*quality)
	if quality < 50 {
		scale = 5000 / float32(quality)
	}
	r, g, b := p.rgb[0], p.rgb[1], p.rgb[2]
	cw, ch := (p.w+1)/2, (p.h+1)/2
	luma, cb, cr := make([]float32, p.w*p.h), make([]float32, cw*ch), make([]float32, cw*ch)
	for i := range r {
		l := 0.299*r[i] + 0.587*g[i] + 0.114*b[i]
		c := i/p.w/2*cw + i%p.w/2
		luma[i] = l - 128
		cb[c] += (b[i] - l) * 0.564334 / 4
		cr[c] += (r[i] - l) * 0.713267 / 4
	}
	quantise(luma, p.w, p.h, &lumaSteps, scale)
	quantise(cb, cw, ch, &chromaSteps, scale)
	quantise(cr, cw, ch, &chromaSteps, scale)
	for i := range r {
		c := i/p.w/2*cw + i%p.w/2
		l := luma[i] + 128
		r[i], g[i], b[i] = clip(l+1.402*cr[c]), clip(l-0.344136*cb[c]-0.714136*cr[c]), clip(l+1.772*cb[c])
	}
}

// quantise rounds the frequencies of each block of a plane. At the right and lower
// border blocks are moved inward, so that none is cut.
func quantise(plane []float32, w, h int, steps *[block * block]float32, scale float32) {
	var step [block * block]float32
	for i, s := range steps {
		step[i] = min(max(float32(math.Floor(float64((s*scale+50)/100))), 1), 255)
	}
	for y := 0; y < h; y += block {
		for x := 0; x < w; x += block {
			quantiseBlock(plane[min(y, max(h-block, 0))*w+min(x, max(w-block, 0)):], w, &step)
		}
	}
}

func quantiseBlock(at []float32, stride int, step *[block * block]float32) {
	var rows, freq [block][block]float32
	for y := range block {
		for u := range block {
			for x := range block {
				rows[y][u] += cosines[u][x] * at[y*stride+x]
			}
		}
	}
	for v := range block {
		for u := range block {
			for y := range block {
				freq[v][u] += cosines[v][y] * rows[y][u]
			}
			s := step[v*block+u]
			freq[v][u] = float32(math.Round(float64(freq[v][u]/s))) * s
		}
	}
	clear(rows[:])
	for v := range block {
		for y := range block {
			for u := range block {
				rows[y][u] += cosines[v][y] * freq[v][u]
			}
		}
	}
	for y := range block {
		for x := range block {
			var sum float32
			for u := range block {
				sum += cosines[u][x] * rows[y][u]
			}
			at[y*stride+x] = sum
		}
	}
}
