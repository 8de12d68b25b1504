package scene

import (
	"math"
	"math/rand/v2"

	"scrim/redact/yuv"
)

// noiseSamples is the length of the table of noise, a power of 2. Rows take their noise
// from random places of it.
const noiseSamples = 1 << 16

// noiseUnit is one sigma in the unscaled table.
const noiseUnit = 256

// chromaNoise is the sigma of chroma noise in that of luma noise.
const chromaNoise = 0.5

// sensor is what a camera's sensor does with the light.
type sensor struct {
	seed         uint64
	unit         []int16 // noise of one sigma
	luma, chroma []int16 // scaled
	sigma        float64 // to which they are scaled
}

// addNoise adds noise of some sigma in levels, other noise in each picture.
func (s *sensor) addNoise(im *yuv.Image, number uint32, sigma float64) {
	if s.unit == nil {
		r := rand.New(rand.NewPCG(s.seed, 0)) //nolint:gosec // it must be repeatable
		s.unit, s.luma, s.chroma = make([]int16, noiseSamples), make([]int16, noiseSamples), make([]int16, noiseSamples)
		for i := range s.unit {
			s.unit[i] = int16(noiseUnit * min(max(r.NormFloat64(), -5), 5))
		}
	}
	if sigma != s.sigma {
		for i, v := range s.unit {
			s.luma[i] = int16(math.Round(float64(v) / noiseUnit * sigma))
			s.chroma[i] = int16(math.Round(float64(v) / noiseUnit * sigma * chromaNoise))
		}
		s.sigma = sigma
	}
	lots := rand.NewPCG(s.seed, uint64(number)+1) // other lots for each picture
	cw, ch := im.ChromaWidth(), im.ChromaHeight()
	for y := range im.Height {
		grain(im.Y[y*im.YStride:][:im.Width], s.luma, lots.Uint64(), 235)
	}
	for y := range ch {
		grain(im.U[y*im.CStride:][:cw], s.chroma, lots.Uint64(), 240)
		grain(im.V[y*im.CStride:][:cw], s.chroma, lots.Uint64(), 240)
	}
}

// grain adds noise from a place of the table to a row.
func grain(row []byte, noise []int16, place uint64, most int) {
	const longest = yuv.MaxWidth
	noise = noise[place%(noiseSamples-longest):][:len(row)]
	for i, v := range row {
		row[i] = byte(min(max(int(v)+int(noise[i]), 16), most)) //nolint:gosec // within limits
	}
}

// scaleLight scales the light to some percent.
func scaleLight(im *yuv.Image, percent float64) {
	var luma, chroma [256]byte
	for i := range luma {
		luma[i] = limit(16+(float64(i)-16)*percent/100, 16, 235)
		chroma[i] = limit(128+(float64(i)-128)*min(percent, 100)/100, 16, 240)
	}
	mapRows(im.Y, im.YStride, im.Width, im.Height, &luma)
	mapRows(im.U, im.CStride, im.ChromaWidth(), im.ChromaHeight(), &chroma)
	mapRows(im.V, im.CStride, im.ChromaWidth(), im.ChromaHeight(), &chroma)
}

func mapRows(plane []byte, stride, w, h int, table *[256]byte) {
	for y := range h {
		row := plane[y*stride:][:w]
		for i, v := range row {
			row[i] = table[v]
		}
	}
}
