package detect

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// relight returns im with another luma.
func relight(im *yuv.Image, f func(x, y int, v float64) float64) *yuv.Image {
	out := im.Clone()
	for y := range im.Height {
		for x := range im.Width {
			i := y*im.YStride + x
			out.Y[i] = byte(min(max(math.Round(f(x, y, float64(im.Y[i]))), 16), 235))
		}
	}
	return out
}

// fade returns im with a part of its colours.
func fade(im *yuv.Image, part float64) *yuv.Image {
	out := im.Clone()
	for _, plane := range [][]byte{out.U, out.V} {
		for i, v := range plane {
			plane[i] = byte(math.Round(128 + part*(float64(v)-128)))
		}
	}
	return out
}

// gamma brightens the middle of the range.
func gamma(im *yuv.Image, g float64) *yuv.Image {
	return relight(im, func(_, _ int, v float64) float64 { return 16 + 219*math.Pow((v-16)/219, g) })
}

// shift returns im as a camera sees it that was pushed by some pixels, an even
// number.
func shift(im *yuv.Image, by int) *yuv.Image {
	out := im.Clone()
	for y := range im.Height {
		row := im.Y[y*im.YStride : y*im.YStride+im.Width]
		copy(out.Y[y*im.YStride+by:y*im.YStride+im.Width], row)
	}
	for y := range im.ChromaHeight() {
		from, to := y*im.CStride, y*im.CStride+im.ChromaWidth()
		copy(out.U[from+by/2:to], im.U[from:to])
		copy(out.V[from+by/2:to], im.V[from:to])
	}
	return out
}

// shelf returns im with things on the left and a plain wall next to them.
func shelf(im *yuv.Image, wall int) *yuv.Image {
	r := rand.New(rand.NewPCG(1, 3)) //nolint:gosec // a test
	var things [32][64]float64
	for i := range things {
		for k := range things[i] {
			things[i][k] = 60 * (r.Float64() - 0.5)
		}
	}
	out := relight(im, func(x, y int, v float64) float64 {
		if x >= wall {
			return 120
		}
		return v + things[y/20][x/20]
	})
	for y := range out.ChromaHeight() {
		for x := wall / 2; x < out.ChromaWidth(); x++ {
			out.U[y*out.CStride+x], out.V[y*out.CStride+x] = 128, 128
		}
	}
	return out
}

// What happens to the camera or to the light happens to all passes: also those
// are repeated in which too little has changed, or nothing that they look at.
func TestEverythingIsInspectedWhenCameraOrLightChange(t *testing.T) {
	im, _ := draw(t, 960, 540, 5, 100)
	half := shelf(im, 410)
	d, now := skipping(t, Config{Size: 640, Tiles: true, SkipUnchanged: true})
	fresh, _ := skipping(t, Config{Size: 640, Tiles: true})
	for _, c := range []struct {
		name     string
		im, then *yuv.Image
	}{
		{"camera bumped by 8 pixels", im, shift(im, 8)},
		{"camera bumped, half of what it sees is a plain wall", half, shift(half, 8)},
		{"colours gone", im, fade(im, 0)},
		{"colours gone, luma a little brighter", im, gamma(fade(im, 0), 0.97)},
		{"night mode", im, gamma(fade(im, 0), 0.6)},
		// Just enough for the whole picture, too little for the tiles.
		{"dimmed by 7 levels", im, relight(im, func(_, _ int, v float64) float64 { return v - 7 })},
		{"dark in one half", im, relight(im, func(x, _ int, v float64) float64 { return v - 30*float64(1-x*2/960) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.Reset()
			_, all := detect(t, d, c.im)
			*now = now.Add(40 * time.Millisecond)
			got, pixels := detect(t, d, c.then)
			require.Equal(t, all, pixels)
			want, _ := detect(t, fresh, c.then)
			require.ElementsMatch(t, want, got)
			*now = now.Add(40 * time.Millisecond)
			_, pixels = detect(t, d, c.then)
			require.Zero(t, pixels, "it has been inspected")
		})
	}
}

// A change too slow to be one between pictures is one since the last
// inspection. The pictures here end before the first one that is due anyway.
func TestSlowChangesAreInspected(t *testing.T) {
	const pictures = 14
	im, _ := draw(t, 960, 540, 5, 100)
	d, now := skipping(t, Config{Size: 640, SkipUnchanged: true})
	for _, c := range []struct {
		name string
		at   func(i float64) *yuv.Image
		full int // inspections of everything, at least
	}{
		{"light", func(i float64) *yuv.Image { return relight(im, func(_, _ int, v float64) float64 { return v - 2*i }) }, 3},
		{"colours", func(i float64) *yuv.Image { return fade(im, 1-i/pictures) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.Reset()
			_, all := detect(t, d, im)
			sum := 0
			for i := range pictures {
				*now = now.Add(30 * time.Millisecond)
				_, pixels := detect(t, d, c.at(float64(i+1)))
				sum += pixels
			}
			require.GreaterOrEqual(t, sum, c.full*all)
		})
	}
}

// Somebody comes out of the dark, by less from picture to picture than counts
// as a change. YuNet-n finds no face in the colours alone, with which it begins.
func TestFaceThatFadesInIsFound(t *testing.T) {
	const pictures = 14
	src, err := yuv.New(192, 192)
	require.NoError(t, err)
	drawn, err := drawFace(src)
	require.NoError(t, err)
	d, now := skipping(t, Config{Model: testenv.Path(t, testenv.YuNet), Size: 640, SkipUnchanged: true})
	im, err := yuv.New(640, 360)
	require.NoError(t, err)
	for i := range pictures + 1 {
		paint(im, src, 300, 0.4*float64(i)/pictures)
		*now = now.Add(30 * time.Millisecond)
		found, _ := detect(t, d, im)
		if i == 0 {
			require.Empty(t, found)
		}
		if i == pictures {
			require.True(t, hidden(face.Face{Box: geom.Box{X: 300 + drawn.X, Y: 80 + drawn.Y, W: drawn.W, H: drawn.H}}, found))
		}
	}
}

func TestTintSeesColoursOfPicturesOfEverySize(t *testing.T) {
	for _, size := range [][2]int{{1920, 1080}, {641, 361}, {64, 36}, {34, 19}, {2, 2}} {
		im, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		see := func(tt *tint, u, v byte) bool {
			im.Fill(100, u, v)
			picture, err := viewOf(im)
			require.NoError(t, err)
			tt.update(&picture)
			return tt.changed()
		}
		var tt tint
		see(&tt, 110, 140)
		tt.ref = tt.now
		require.False(t, see(&tt, 110+tintLevel, 140-tintLevel), "%v", size)
		large := size[0] > 16
		require.Equal(t, large, see(&tt, 110+tintLevel+1, 140), "%v", size)
		require.Equal(t, large, see(&tt, 110, 140-tintLevel-1), "%v", size)
	}
}

func BenchmarkTint(b *testing.B) {
	im, _ := draw(b, 1920, 1080, 5, 100)
	picture, err := viewOf(im)
	require.NoError(b, err)
	var t tint
	b.ReportAllocs()
	for b.Loop() {
		t.update(&picture)
		_ = t.changed()
	}
}
