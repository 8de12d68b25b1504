package condition

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/pipeline/scene"
	"scrim/redact/yuv"
)

// drawn returns a picture of people in a room, whose floor and walls have texture.
func drawn(tb testing.TB, w, h int, seed uint64) *yuv.Image {
	tb.Helper()
	s, err := scene.New(scene.Options{Width: w, Height: h, Seed: seed, People: 8, NoStamp: true})
	require.NoError(tb, err)
	im, err := yuv.New(w, h)
	require.NoError(tb, err)
	_, err = s.Draw(im, 120, time.Time{})
	require.NoError(tb, err)
	return im
}

// uniform returns a grey picture.
func uniform(tb testing.TB, w, h int, sample byte) *yuv.Image {
	tb.Helper()
	im, err := yuv.New(w, h)
	require.NoError(tb, err)
	im.Fill(sample, 128, 128)
	return im
}

// noisy returns a copy of im with normal noise of sigma levels.
func noisy(im *yuv.Image, sigma float64) *yuv.Image {
	r := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // a test
	n := im.Clone()
	scale := 219.0 / 255
	if im.FullRange {
		scale = 1
	}
	for i, v := range n.Y {
		n.Y[i] = byte(min(max(math.Round(float64(v)+r.NormFloat64()*sigma*scale), 0), 255))
	}
	return n
}

// mapped returns a copy of im whose luma samples went through f.
func mapped(im *yuv.Image, f func(sample float64) float64) *yuv.Image {
	n := im.Clone()
	for i, v := range n.Y {
		n.Y[i] = byte(min(max(math.Round(f(float64(v))), 0), 255))
	}
	return n
}

// blurred returns a copy of im that a Gaussian of sigma pixels went over.
func blurred(im *yuv.Image, sigma float64) *yuv.Image {
	reach, sum := int(math.Ceil(3*sigma)), 0.0
	kernel := make([]float64, 2*reach+1)
	for i := range kernel {
		d := float64(i - reach)
		kernel[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += kernel[i]
	}
	b, line := im.Clone(), make([]float64, max(im.Width, im.Height))
	filter := func(pix []byte, n, step int) {
		for i := range n {
			line[i] = 0
			for k, weight := range kernel {
				line[i] += weight / sum * float64(pix[min(max(i+k-reach, 0), n-1)*step])
			}
		}
		for i := range n {
			pix[i*step] = byte(math.Round(line[i]))
		}
	}
	for y := range b.Height {
		filter(b.Y[y*b.YStride:], b.Width, 1)
	}
	for x := range b.Width {
		filter(b.Y[x:], b.Height, b.YStride)
	}
	return b
}

func TestNoiseThatIsAddedIsMeasured(t *testing.T) {
	for name, im := range map[string]*yuv.Image{
		"grey":                 uniform(t, 640, 360, 120),
		"people, 640":          drawn(t, 640, 360, 3),
		"people, 1080":         drawn(t, 1920, 1080, 4),
		"people, 7 % of light": mapped(drawn(t, 640, 360, 5), func(v float64) float64 { return 40 + (v-16)*0.07 }),
	} {
		own := Measure(im).Noise
		require.Less(t, own, 1.5, name)
		for _, sigma := range []float64{3, 6, 10, 16, 25, 40} {
			got := Measure(noisy(im, sigma)).Noise
			require.InDelta(t, sigma, got, 0.2*sigma, "%s with noise %v has %.2f without", name, sigma, own)
		}
	}
}

func TestTextureIsNotNoise(t *testing.T) {
	im := uniform(t, 1280, 720, 100)
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a test
	// Leaves: overlapping discs of all sizes, which cover three quarters of the picture.
	for range 40_000 {
		cx, cy, size, v := r.IntN(1280), r.IntN(540), 2+r.IntN(9), byte(60+r.IntN(120))
		for y := max(cy-size, 0); y < min(cy+size, 540); y++ {
			for x := max(cx-size, 0); x < min(cx+size, 1280); x++ {
				if (x-cx)*(x-cx)+(y-cy)*(y-cy) < size*size {
					im.Y[y*im.YStride+x] = v
				}
			}
		}
	}
	require.Less(t, Measure(im).Noise, 1.5)
	require.InDelta(t, 12, Measure(noisy(im, 12)).Noise, 0.2*12)
}

func TestBlurGrowsWithTheBlurOfThePicture(t *testing.T) {
	sharp := drawn(t, 960, 540, 3)
	for _, noise := range []float64{0, 4, 10} {
		before := Measure(noisy(sharp, noise)).Blur
		require.InDelta(t, 0.3, before, 0.15, "sharp, noise %v", noise)
		for _, sigma := range []float64{1, 2, 4, 8} {
			got := Measure(noisy(blurred(sharp, sigma), noise)).Blur
			require.Greater(t, got, 1.2*before, "blur %v, noise %v", sigma, noise)
			require.InDelta(t, sigma, got, 0.55*sigma, "blur %v, noise %v", sigma, noise)
			before = got
		}
	}
}

func TestBlurIsUnknownWithoutEdges(t *testing.T) {
	require.Zero(t, Measure(uniform(t, 640, 360, 100)).Blur)
	require.Zero(t, Measure(noisy(uniform(t, 640, 360, 100), 30)).Blur)
}

func TestLevelsAreOfFullRangeInBothRanges(t *testing.T) {
	limited := drawn(t, 640, 360, 8)
	whole := mapped(limited, func(v float64) float64 { return (v - 16) * 255 / 219 })
	whole.FullRange = true
	a, b := Measure(noisy(limited, 5)), Measure(noisy(whole, 5))
	av, bv := a.values(), b.values()
	for i, v := range av {
		require.InDelta(t, *v, *bv[i], 0.6+0.05**v, "value %d of %v and %v", i, a, b)
	}
	require.Zero(t, Measure(uniform(t, 64, 64, 16)).Median)
	require.InDelta(t, 255, Measure(uniform(t, 64, 64, 235)).Median, 0.01)
	require.InDelta(t, 1, Measure(uniform(t, 64, 64, 235)).Clipped, 0)
	require.InDelta(t, 0, Measure(uniform(t, 64, 64, 128)).Clipped, 0)
}

func TestBrightnessAndContrastAreThoseOfThePicture(t *testing.T) {
	im := drawn(t, 1280, 720, 3)
	bright := Measure(im)
	require.Greater(t, bright.Range(), 100.0)
	dark := Measure(mapped(im, func(v float64) float64 { return 16 + (v-16)*0.12 }))
	require.InDelta(t, 0.12*bright.Bright, dark.Bright, 2)
	require.InDelta(t, 0.12*bright.Median, dark.Median, 2)
	require.InDelta(t, 0.12*bright.Contrast, dark.Contrast, 1)
	fog := Measure(mapped(im, func(v float64) float64 { return 150 + (v-16)*0.2 }))
	require.Greater(t, fog.Dark, 140.0)
	require.InDelta(t, 0.2*bright.Contrast, fog.Contrast, 1)
	// Noise is no contrast, and moves no percentile far.
	grey := Measure(noisy(uniform(t, 1280, 720, 100), 30))
	require.Less(t, grey.Contrast, 3.0)
	require.InDelta(t, grey.Median, grey.Dark, 25)
	over := Measure(mapped(im, func(v float64) float64 { return min(16+(v-16)*2.5, 235) }))
	require.Greater(t, over.Clipped, 0.3)
}

func TestMeasureTakesEveryPicture(t *testing.T) {
	require.Zero(t, Measure(nil))
	require.Zero(t, Measure(&yuv.Image{}))
	require.Zero(t, Measure(&yuv.Image{Width: 100, Height: 100, YStride: 100, Y: make([]byte, 9999)}))
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 300).Draw(t, "w"), rapid.IntRange(1, 200).Draw(t, "h")
		im := &yuv.Image{Width: w, Height: h, YStride: w + rapid.IntRange(0, 9).Draw(t, "gap"), FullRange: rapid.Bool().Draw(t, "full")}
		im.Y = make([]byte, im.YStride*(h-1)+w)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)) //nolint:gosec // a test
		for i := range im.Y {
			im.Y[i] = byte(r.IntN(256))
		}
		c := Measure(im)
		for _, v := range c.values() {
			require.True(t, *v >= 0 && *v < 256, "%v", c)
		}
		require.True(t, c.Dark <= c.Median && c.Median <= c.Bright && c.Clipped <= 1)
	})
}

func TestMeasureAllocatesNothing(t *testing.T) {
	im := noisy(drawn(t, 640, 360, 3), 5)
	require.Zero(t, testing.AllocsPerRun(10, func() { Measure(im) }))
}

func BenchmarkMeasure(b *testing.B) {
	for _, size := range [][2]int{{640, 360}, {1920, 1080}, {3840, 2160}} {
		im := noisy(drawn(b, size[0], size[1], 3), 5)
		b.Run(fmt.Sprintf("%d×%d", size[0], size[1]), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Measure(im)
			}
		})
	}
}
