package detect

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// A dim face that moves slowly next to something that always moves does not
// creep out of its box, although from picture to picture it hardly changes.
func TestSkipUnchangedSlowFaceBesideMotionStaysInItsBox(t *testing.T) {
	const contrast, speed, pictures = 0.3, 0.5, 70
	src, err := yuv.New(192, 192)
	require.NoError(t, err)
	drawn, err := drawFace(src)
	require.NoError(t, err)
	d, now := skipping(t, Config{Size: 640, SkipUnchanged: true})
	im, err := yuv.New(640, 360)
	require.NoError(t, err)
	for i := range pictures {
		left := 300 + speed*float64(i)
		paint(im, src, left, contrast)
		x := int(left+drawn.X) - 36 // the motion
		for y := 150; y < 200; y++ {
			for dx := range 16 {
				im.Y[y*im.YStride+x-16+dx] = byte(60 + 80*(i%2))
			}
		}
		*now = now.Add(33 * time.Millisecond)
		want := geom.Box{X: left + drawn.X, Y: 80 + drawn.Y, W: drawn.W, H: drawn.H}
		found, err := d.Detect(im)
		require.NoError(t, err)
		lag := math.Inf(1)
		for _, f := range found {
			if f.Box.IoU(want) > 0.2 {
				lag = min(lag, math.Abs(f.Box.X+f.Box.W/2-want.X-want.W/2))
			}
		}
		require.Less(t, lag, 0.15*drawn.W, "picture %d", i)
	}
}

// paint draws src at a sub-pixel place into im, with less contrast.
func paint(im, src *yuv.Image, left, contrast float64) {
	const ground = 110
	im.Fill(ground, 128, 128)
	x0, part := int(left), left-math.Floor(left)
	for y := range src.Height {
		for x := 1; x < src.Width-1; x++ {
			a, b := float64(src.Y[y*src.YStride+x]), float64(src.Y[y*src.YStride+x-1])
			im.Y[(y+80)*im.YStride+x0+x] = byte(ground + contrast*((1-part)*a+part*b-ground) + 0.5)
			im.U[(y+80)/2*im.CStride+(x0+x)/2] = src.U[y/2*src.CStride+x/2]
			im.V[(y+80)/2*im.CStride+(x0+x)/2] = src.V[y/2*src.CStride+x/2]
		}
	}
}
