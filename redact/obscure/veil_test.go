package obscure

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// slope is a picture that is brighter to the right and below.
func slope(width, height int) *yuv.Image {
	im := padded(width, height, 3)
	eachByte(im, func(_ int, p *plane, x, y int, b *byte, _ bool) { *b = byte(40 + 80*x/p.width + 80*y/p.height) })
	return im
}

// Large shapes are painted in blocks, which cannot be told from what is painted sample by
// sample.
func TestLargeShapesAreAsSmoothAsRectangles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.IntRange(-40, 60).Draw(t, "x"), rapid.IntRange(-40, 60).Draw(t, "y")
		shape := triangle(image.Rect(x, y, x+rapid.IntRange(100, 500).Draw(t, "w"), y+rapid.IntRange(100, 400).Draw(t, "h")))
		a, b := slope(520, 430), slope(520, 430)
		require.NoError(t, newObscurer(t, Options{Feather: -1}).Apply(a, []geom.Region{shape}))
		require.NoError(t, newObscurer(t, Options{Feather: -1}).Apply(b, []geom.Region{{Rect: shape.Rect}}))
		fine := split(b)
		eachByte(a, func(i int, p *plane, x, y int, v *byte, inPicture bool) {
			if inPicture && inside(p.kind, x, y, a, []geom.Region{shape}) {
				require.InDelta(t, fine[i].pix[y*fine[i].stride+x], *v, 4, "plane %d at %d, %d", i, x, y)
			}
		})
	})
}

// Of what a large shape covers nothing is left, and nothing else changes.
func TestLargeShapesLeaveNothing(t *testing.T) {
	shape := triangle(image.Rect(60, 40, 480, 400))
	shape.Source = geom.Moving
	a, was := slope(520, 430), slope(520, 430)
	b := slope(520, 430)
	eachByte(b, func(_ int, p *plane, x, y int, v *byte, inPicture bool) {
		if inPicture && inside(p.kind, x, y, b, []geom.Region{shape}) {
			*v ^= 0x5a
		}
	})
	require.NoError(t, newObscurer(t, Options{}).Apply(a, []geom.Region{shape}))
	require.NoError(t, newObscurer(t, Options{}).Apply(b, []geom.Region{shape}))
	require.Equal(t, a, b)
	before := split(was)
	eachByte(a, func(i int, p *plane, x, y int, v *byte, inPicture bool) {
		if inPicture && !inside(p.kind, x, y, a, []geom.Region{shape}) {
			require.Equal(t, before[i].pix[y*before[i].stride+x], *v, "plane %d at %d, %d", i, x, y)
		}
	})
}

func TestThinnedRingHasTheMiddlesOfBlocks(t *testing.T) {
	var g ring
	g.reset(image.Rect(0, 0, 6, 5))
	for i := range g.value {
		g.value[i] = int32(i)
	}
	require.Equal(t, g.value, g.thinned(1))
	// Blocks of 4: columns 0 to 3 and 4 to 5, rows 0 to 3 and 4.
	require.Equal(t, []int32{0, 3, 6, 7, 10, 12, 13, 14, 17, 20, 21, 23}, g.thinned(4))
}
