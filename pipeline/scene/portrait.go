package scene

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// SkinTones is the number of skin colours of a Portrait.
const SkinTones = 7

// Bounds of a Portrait's size in pixels.
const (
	MinPortrait = LeastFace
	MaxPortrait = 512
)

// Portrait is one head that is drawn by itself.
type Portrait struct {
	// Size is the height of the face in pixels, from hairline to chin, from MinPortrait to
	// MaxPortrait.
	Size float64
	// Yaw is how far the face is turned to the right of the picture, Roll how far the head
	// is tilted clockwise, in degrees, up to 180 either way.
	Yaw, Roll float64
	// Skin is the number of the skin colour, from the lightest, 0, to the darkest,
	// SkinTones-1.
	Skin int
	// Seed chooses the other looks.
	Seed uint64
	// Hardness is how hard the face is to find, from 0, as drawn otherwise, to 1, as those of
	// Options.HardFaces. The detector is the less certain the busier the picture
	// around the portrait is: there a third to a half is as hard as photographed faces.
	Hardness float64
	// Shoulders adds neck and shoulders, which fade out downwards.
	Shoulders bool
}

// Patch is a Portrait on a transparent ground.
type Patch struct {
	// Image belongs to the caller.
	Image *image.NRGBA
	// Face is the extent of the visible side of the face in it, in pixels, as the box of a
	// TrueFace. Its area is 0 if none is visible.
	Face geom.Box
}

const (
	// portraitSide and portraitUp are how far a Portrait reaches from the head's origin, to
	// each side and up, in face heights; portraitDown and shouldersDown how far down.
	portraitSide  = 1.35
	portraitUp    = 0.95
	portraitDown  = 0.95
	shouldersDown = 1.9
	// shouldersFade is from where on shoulders fade out, in face heights below the origin.
	shouldersFade = 1.2
)

// Draw draws the portrait. It fails when a field is out of bounds.
func (p Portrait) Draw() (Patch, error) {
	turned := math.Abs(p.Yaw) <= 180 && math.Abs(p.Roll) <= 180 // not NaN
	if !(p.Size >= MinPortrait && p.Size <= MaxPortrait && turned && p.Hardness >= 0 && p.Hardness <= 1) || p.Skin < 0 || p.Skin >= SkinTones {
		return Patch{}, fmt.Errorf("portrait of %v pixels with skin %d, turned by %v°, tilted by %v°, of hardness %v: "+
			"choose %d to %d pixels, skin 0 to %d, up to 180° and hardness 0 to 1",
			p.Size, p.Skin, p.Yaw, p.Roll, p.Hardness, MinPortrait, MaxPortrait, SkinTones-1)
	}
	down := portraitDown
	if p.Shoulders {
		down = shouldersDown
	}
	w, h := int(math.Ceil(2*portraitSide*p.Size)), int(math.Ceil((portraitUp+down)*p.Size))
	at := pose{
		who: p.person(), visible: true, x: float64(w) / 2, y: portraitUp * p.Size, size: p.Size,
		yaw: p.Yaw, roll: p.Roll, bodyYaw: p.Yaw * math.Pi / 180 / 2,
	}
	out := Patch{Image: image.NewNRGBA(image.Rect(0, 0, w, h)), Face: at.box()}
	dark, light, err := p.drawTwice(at, w, h)
	if err != nil {
		return Patch{}, err
	}
	for y := range h {
		fade := 1.0
		if p.Shoulders {
			fade = smooth(shouldersDown, shouldersFade, (float64(y)-at.y)/p.Size)
		}
		for x := range w {
			out.Image.SetNRGBA(x, y, between(dark, light, x, y, fade))
		}
	}
	return out, nil
}

// person returns whose portrait it is.
func (p Portrait) person() *person {
	r := rand.New(rand.NewPCG(p.Seed, 1)) //nolint:gosec // it must be repeatable
	who := &person{stature: lowest, build: 1}
	who.draw(r)
	who.skin = skins[p.Skin]
	who.lips = who.rosy()
	who.shirt = clothes[r.IntN(len(clothes))]
	if p.Hardness > 0 {
		who.harden(hardRand(p.Seed, 0), wallLuma, p.Hardness)
	}
	who.model = newHead(&who.looks)
	return who
}

// drawTwice draws the portrait twice as large, once on black and once on white.
func (p Portrait) drawTwice(at pose, w, h int) (dark, light *yuv.Image, err error) {
	if dark, err = yuv.New(2*w, 2*h); err != nil {
		return nil, nil, fmt.Errorf("portrait: %w", err)
	}
	at.x, at.y, at.size = 2*at.x, 2*at.y, 2*at.size
	var f figure
	f.build(&at)
	var r renderer
	head := r.render(at.who.model, math.Abs(at.yaw), max(at.size, leastLevel))
	dark.Fill(blackLuma, 128, 128)
	light = dark.Clone()
	light.Fill(whiteLuma, 128, 128)
	var fill filler
	for _, im := range []*yuv.Image{dark, light} {
		for i := range f.n {
			if p.Shoulders {
				fill.draw(im, &f.parts[i])
			}
		}
		head.draw(im, placement{x: at.x, y: at.y, scale: at.size, roll: at.roll * math.Pi / 180, mirror: at.yaw < 0})
	}
	return dark, light, nil
}

// Luma of black and white.
const (
	blackLuma = 16
	whiteLuma = 235
)

// between returns the colour, and the opacity times fade, of what was drawn twice as large
// on black and on white, at a pixel.
func between(dark, light *yuv.Image, x, y int, fade float64) color.NRGBA {
	mean := func(im *yuv.Image) float64 {
		i := 2*y*im.YStride + 2*x
		return float64(int(im.Y[i])+int(im.Y[i+1])+int(im.Y[i+im.YStride])+int(im.Y[i+im.YStride+1]))/4 - blackLuma
	}
	onBlack, onWhite := mean(dark), mean(light)
	const white = whiteLuma - blackLuma
	opacity := 1 - (onWhite-onBlack)/white
	if opacity < 1/255.0 {
		return color.NRGBA{}
	}
	i := y*dark.CStride + x
	luma, u, v := onBlack/opacity, (float64(dark.U[i])-128)/opacity, (float64(dark.V[i])-128)/opacity
	part := func(v float64) uint8 { return limit(v, 0, 255) }
	return color.NRGBA{
		R: part(1.164384*luma + 1.596027*v), G: part(1.164384*luma - 0.391762*u - 0.812968*v), B: part(1.164384*luma + 2.017232*u),
		A: part(255 * opacity * fade),
	}
}
