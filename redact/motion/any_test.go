package motion

import (
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// drawPicture returns a picture whose planes end with their last sample.
func drawPicture(t *rapid.T, width, height int, r *rand.Rand) *yuv.Image {
	more := rapid.IntRange(0, 9).Draw(t, "stride")
	im := &yuv.Image{Width: width, Height: height, YStride: width + more, FullRange: rapid.Bool().Draw(t, "full")}
	cw, ch := im.ChromaWidth(), im.ChromaHeight()
	im.CStride = cw + more
	im.Y, im.U, im.V = make([]byte, im.YStride*(height-1)+width), make([]byte, im.CStride*(ch-1)+cw), make([]byte, im.CStride*(ch-1)+cw)
	spread := rapid.SampledFrom([]int{1, 8, 256}).Draw(t, "spread")
	for _, plane := range [][]byte{im.Y, im.U, im.V} {
		for i := range plane {
			plane[i] = byte(r.IntN(spread))
		}
	}
	return im
}

// Whatever the size and the clock are, nothing breaks, and regions lie in the picture.
func TestAnyPicturesAtAnyTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := New(Options{Absorb: time.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "absorb"))})
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		at := time.Unix(1e9, 0)
		for range rapid.IntRange(1, 4).Draw(t, "sizes") {
			width, height := rapid.IntRange(1, 140).Draw(t, "width"), rapid.IntRange(1, 70).Draw(t, "height")
			if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
				width *= 8
			}
			im := drawPicture(t, width, height, r)
			for range rapid.IntRange(1, 60).Draw(t, "pictures") {
				at = at.Add(time.Duration(rapid.SampledFrom([]int64{0, 1, 4e7, 2e8, 1e9, 3e9, -1, -5e9, 1 << 60, -1 << 60}).Draw(t, "step")))
				if rapid.IntRange(0, 9).Draw(t, "other") == 0 {
					im = drawPicture(t, width, height, r)
				}
				side := rapid.Float64Range(0, 16*8192)
				s := redact.Seen{Learn: rapid.IntRange(0, 4).Draw(t, "learn") > 0, Wanted: rapid.Bool().Draw(t, "wanted"), Faces: []face.Face{{
					Box:      geom.Box{X: side.Draw(t, "x") - 8192, Y: side.Draw(t, "y") - 8192, W: side.Draw(t, "w"), H: side.Draw(t, "h")},
					Rotation: rapid.SampledFrom(geom.Rotations[:]).Draw(t, "rotation"),
				}}}
				m, err := b.Observe(at, im, s)
				require.NoError(t, err)
				require.Equal(t, m.Known, m.Why == "")
				for _, g := range m.Regions {
					require.True(t, g.Rect.In(image.Rect(0, 0, width, height)) && !g.Rect.Empty(), "%v", g.Rect)
					require.Equal(t, g.Rect, g.Shape.Bounds())
				}
			}
		}
	})
}
