package canary

import (
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/redact/yuv"
)

// testenv.Update asks for it.
var _ = flag.Bool("update", false, "draw face.png anew")

// TestDrawFace draws the embedded picture: a person of the drawn scene who
// looks into the camera.
func TestDrawFace(t *testing.T) {
	testenv.Need(t, testenv.Update)
	s, err := scene.New(scene.Options{Width: 1920, Height: 1080, Seed: 3, People: 8, NoStamp: true})
	require.NoError(t, err)
	im, err := yuv.New(1920, 1080)
	require.NoError(t, err)
	var best scene.TrueFace
	frame, score := uint32(0), math.Inf(1)
	for n := range uint32(5000) {
		for _, f := range s.Truth(n).Faces {
			off := math.Abs(f.Yaw) + math.Abs(f.Roll) + math.Abs(f.Box.H-150)/10
			if f.Visible > 0.99 && f.Box.X > 150 && f.Box.X < 1700 && f.Box.Y > 150 && f.Box.Y < 800 && off < score {
				best, frame, score = f, n, off
			}
		}
	}
	_, err = s.Draw(im, frame, time.Unix(0, 0))
	require.NoError(t, err)
	side := best.Box.H * 2
	cx, cy := best.Box.X+best.Box.W/2, best.Box.Y+best.Box.H/2
	out := image.NewRGBA(image.Rect(0, 0, faceSide, faceSide))
	for y := range faceSide {
		for x := range faceSide {
			sx := int(cx + (float64(x)/faceSide-0.5)*side)
			sy := int(cy + (float64(y)/faceSide-0.5)*side)
			c := color.YCbCr{Y: im.Y[sy*im.YStride+sx], Cb: im.U[sy/2*im.CStride+sx/2], Cr: im.V[sy/2*im.CStride+sx/2]}
			r, g, b := limitedRGB(c)
			out.SetRGBA(x, y, color.RGBA{r, g, b, 255})
		}
	}
	f, err := os.Create("face.png")
	require.NoError(t, err)
	require.NoError(t, png.Encode(f, out))
	require.NoError(t, f.Close())
	t.Logf("face %+v of frame %d", best, frame)
}

// limitedRGB converts limited-range BT.601.
func limitedRGB(c color.YCbCr) (r, g, b uint8) {
	y, u, v := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
	clip := func(v float64) uint8 { return uint8(min(max(v, 0), 255)) }
	return clip(y + 1.596*v), clip(y - 0.392*u - 0.813*v), clip(y + 2.017*u)
}
