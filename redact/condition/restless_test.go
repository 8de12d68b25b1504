package condition

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/yuv"
)

// hall draws a picture of steps of grey, in which a block stands at x.
func hall(t *testing.T, x int) *yuv.Image {
	t.Helper()
	im, err := yuv.New(320, 180)
	require.NoError(t, err)
	for y := range 180 {
		for i := range 320 {
			im.Y[y*im.YStride+i] = byte(60 + 40*(i/80) - 20*(y/90))
		}
		for i := x; i < x+60 && y > 40; i++ {
			im.Y[y*im.YStride+i] = 220
		}
	}
	return im
}

func TestRainAndNoiseAreRestlessAndWhoWalksIsNot(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(r *rand.Rand, im *yuv.Image)
		want  bool
	}{
		{"clean", func(*rand.Rand, *yuv.Image) {}, false},
		{"noise of a good sensor", noiseOf(2), false},
		{"noise of a poor sensor", noiseOf(15), true},
		{"rain", func(r *rand.Rand, im *yuv.Image) {
			for range 600 {
				x, y := r.IntN(320), r.IntN(168)
				for i := range 12 {
					im.Y[(y+i)*im.YStride+x] = 235
				}
			}
		}, true},
		{"dark and noisy", func(r *rand.Rand, im *yuv.Image) {
			for i, p := range im.Y {
				im.Y[i] = 16 + (p-16)/16
			}
			noiseOf(3)(r, im)
		}, true},
		{"flicker", func(r *rand.Rand, im *yuv.Image) {
			by := byte(r.IntN(30))
			for i := range im.Y {
				im.Y[i] += by
			}
		}, false},
	} {
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
		var rest Restlessness
		at := time.Unix(100, 0)
		for i := range 40 {
			im := hall(t, 5*i)
			c.spoil(random, im)
			got := rest.Update(at, im)
			require.Equal(t, c.want || i == 0, got, "%s, picture %d", c.name, i)
			require.Equal(t, got, rest.Update(at, im), "%s, picture %d once more", c.name, i)
			at = at.Add(40 * time.Millisecond)
		}
		calm := hall(t, 250)
		rest.Update(at, calm)
		require.False(t, rest.Update(at.Add(restlessTime), calm), c.name)
		rest.Reset()
		require.True(t, rest.Update(at.Add(restlessTime), calm))
	}
}

func noiseOf(sigma float64) func(*rand.Rand, *yuv.Image) {
	return func(r *rand.Rand, im *yuv.Image) {
		for i, p := range im.Y {
			im.Y[i] = byte(min(max(float64(p)+sigma*r.NormFloat64(), 0), 255))
		}
	}
}

func BenchmarkRestlessness(b *testing.B) {
	var rest Restlessness
	var pictures [2]*yuv.Image
	for i := range pictures {
		im, err := yuv.New(1920, 1080)
		require.NoError(b, err)
		noiseOf(5)(rand.New(rand.NewPCG(uint64(i), 2)), im) //nolint:gosec // no secret
		pictures[i] = im
	}
	b.ReportAllocs()
	for i := range b.N {
		rest.Update(time.Time{}, pictures[i%2])
	}
}
