package scene

import (
	"math"
	"math/rand/v2"
)

// wallLuma is about the luma of the wall that faces are seen against.
const wallLuma = 155

// hardness is how a face is drawn that a detector finds as hard as a photographed one.
type hardness struct {
	contrast float64 // of the features with the skin: 1 as drawn otherwise
	softness float64 // sigma of the blur in face heights
	lamp     vec     // where the light comes from, as light
	ambient  float64 // light from everywhere
}

// harden makes the looks hard to tell from a ground of some luma. The strength is from 0,
// not at all, to 1. The ranges are such that scrim-face finds 90 % of the faces of a scene
// from about the size on from which it finds 90 % of photographed ones, within a factor of
// 1.2, with noise of 0 to 40 levels and in light of 12 to 100 %.
func (l *looks) harden(r *rand.Rand, ground, strength float64) {
	between := func(lo, hi float64) float64 { return strength * (lo + (hi-lo)*r.Float64()) }
	h := &hardness{
		contrast: 1 - between(0.3, 0.7),
		softness: between(0.01, 0.03),
	}
	side := between(-0.5, 0.5)
	h.lamp = vec{side, light.y + between(-0.1, 0.2), light.z - 0.3*math.Abs(side)}
	h.ambient = ambient + between(0, 0.2)
	l.skin = l.skin.toward(ground, between(0.4, 0.8))
	l.hair = l.hair.mix(l.skin, between(0.1, 0.6))
	l.hard = h
}

// toward returns c with its luma brought nearer to another by a share, in its own tone.
func (c rgb) toward(luma, share float64) rgb {
	y, _, _ := c.yuv()
	return c.times((y - 16 + (luma-y)*share) / (y - 16))
}

// blurred returns the level, blurred by sigma pixels.
func (l *level) blurred(sigma float64) level {
	out := level{w: l.w, h: l.h, scale: l.scale, ox: l.ox, oy: l.oy, pix: make([]uint32, len(l.pix))}
	n := int(math.Ceil(2.5 * sigma))
	kernel := make([]float32, 2*n+1)
	sum := float32(0)
	for i := range kernel {
		kernel[i] = float32(bell(float64(i-n), sigma))
		sum += kernel[i]
	}
	tmp := make([][4]float32, len(l.pix))
	for y := range l.h {
		for x := range l.w {
			var s [4]float32
			for i, k := range kernel {
				if sx := x + i - n; sx >= 0 && sx < l.w {
					p := l.pix[y*l.w+sx]
					for c := range s {
						s[c] += k * float32(p>>(8*c)&255)
					}
				}
			}
			tmp[y*l.w+x] = s
		}
	}
	for y := 1; y < l.h-1; y++ {
		for x := 1; x < l.w-1; x++ {
			var s [4]float32
			for i, k := range kernel {
				if sy := y + i - n; sy >= 0 && sy < l.h {
					for c, v := range tmp[sy*l.w+x] {
						s[c] += k * v
					}
				}
			}
			for c, v := range s {
				out.pix[y*l.w+x] |= uint32(v/(sum*sum)+0.5) << (8 * c)
			}
		}
	}
	return out
}

// hardRand returns the lots from which person id of a scene is made hard: others than
// those of its looks and ways, so that the same people go the same ways.
func hardRand(seed uint64, id int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 1<<32+uint64(id))) //nolint:gosec // it must be repeatable
}
