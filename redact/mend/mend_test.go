package mend

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/condition"
)

// good is the condition of a picture in good light.
var good = condition.Condition{Dark: 12, Median: 110, Bright: 230, Contrast: 50, Noise: 1.5}

// dimmed returns the condition of a good picture in a share of the light.
func dimmed(share, noise float64) condition.Condition {
	return condition.Condition{Dark: 12 * share, Median: 110 * share, Bright: 230 * share, Contrast: 50 * share, Noise: noise}
}

func TestGoodPicturesAreLeftAsTheyAre(t *testing.T) {
	for _, c := range []condition.Condition{
		good,
		{Dark: 56, Median: 58, Bright: 181, Contrast: 38, Noise: 0.2},
		{Dark: 2, Median: 209, Bright: 255, Contrast: 80, Noise: 3.2},
		dimmed(0.6, 2),
	} {
		if c.Median-c.Dark >= closeMedian {
			require.Zero(t, Choose(c, Recipe{}), "%v", c)
		}
	}
	var f Filter
	f.Set(Recipe{}, false)
	src := random(64*64, 1)
	dst := make([]byte, len(src))
	require.NoError(t, f.Luma(Mended, dst, 64, src, 64, 64, 64, image.Rect(0, 0, 64, 64)))
	require.Equal(t, src, dst)
	require.NoError(t, f.Chroma(Mended, dst, 64, src, 64, 64, 64, image.Rect(0, 0, 64, 64)))
	require.Equal(t, src, dst)
}

func TestPoorRangesAreStretchedOverNearlyAll(t *testing.T) {
	for name, c := range map[string]condition.Condition{
		"an eighth of the light": dimmed(0.12, 0.3),
		"a 25th of the light":    dimmed(0.04, 0.1),
		"fog":                    {Dark: 150, Median: 167, Bright: 186, Contrast: 9},
		"washed out":             {Dark: 165, Median: 200, Bright: 245, Contrast: 21},
	} {
		t.Run(name, func(t *testing.T) {
			r := Choose(c, Recipe{})
			require.Positive(t, r.High)
			require.Less(t, r.Level(c.Dark), 40.0)
			require.Greater(t, r.Level(c.Bright), 150.0)
			require.Greater(t, r.Level(c.Bright)-r.Level(c.Dark), 2*c.Range())
		})
	}
}

// A lamp, or a window, must not keep the rest of a dark picture dark.
func TestDarkPicturesWithALampAreStretched(t *testing.T) {
	c := dimmed(0.08, 0.5)
	c.Bright = 255
	r := Choose(c, Recipe{})
	require.Greater(t, r.Level(c.Median), 5*c.Median)
	over := condition.Condition{Dark: 60, Median: 243, Bright: 255, Contrast: 60}
	r = Choose(over, Recipe{})
	require.Greater(t, r.Low, 150.0)
	require.Less(t, r.Level(r.Low), 60.0)
}

func TestStrongNoiseIsSmoothedByAsMuchAsItNeeds(t *testing.T) {
	before := 0.0
	for _, noise := range []float64{2, 7, 16, 24, 33, 60} {
		c := good
		c.Noise = noise
		sigma := Choose(c, Recipe{}).Sigma(Mended)
		if noise < loudNoise {
			require.Zero(t, sigma)
			continue
		}
		require.Greater(t, sigma, before)
		require.LessOrEqual(t, sigma, float64(mostSigma))
		before = sigma
	}
	// Stretching makes noise louder.
	require.Zero(t, Choose(dimmed(0.12, 0.3), Recipe{}).Noise)
	require.Positive(t, Choose(dimmed(0.12, 2), Recipe{}).Noise)
}

func TestRecipesDoNotFlutter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test
	for _, c := range []condition.Condition{
		dimmed(poorRange/218.0, 1), dimmed(fineRange/218.0, 1), dimmed(0.3, 1.5), dimmed(0.08, 2),
		{Dark: 12, Median: 110, Bright: 230, Noise: loudNoise}, {Dark: 12, Median: 110, Bright: 230, Noise: quietNoise},
		{Dark: 2, Median: 2 + closeMedian, Bright: 200},
	} {
		var was Recipe
		changes := 0
		for range 500 {
			near := c
			for _, v := range []*float64{&near.Dark, &near.Median, &near.Bright, &near.Noise} {
				*v *= 1 + 0.04*(2*r.Float64()-1)
			}
			next := Choose(near, was)
			if next != was {
				changes++
			}
			was = next
		}
		require.LessOrEqual(t, changes, 3, "%v", c)
	}
}

func TestToneRisesEverywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c condition.Condition
		c.Dark = rapid.Float64Range(0, 255).Draw(t, "dark")
		c.Median = rapid.Float64Range(c.Dark, 255).Draw(t, "median")
		c.Bright = rapid.Float64Range(c.Median, 255).Draw(t, "bright")
		c.Noise = rapid.Float64Range(0, 80).Draw(t, "noise")
		r := Choose(c, Recipe{})
		before := -1.0
		for l := range 256 {
			v := r.Level(float64(l))
			require.True(t, v >= 0 && v <= 255, "%v becomes %v by %+v", l, v, r)
			require.Greater(t, v, before, "%v by %+v", l, r)
			before = v
		}
		require.InDelta(t, 0, r.Level(0), 1e-9)
		require.InDelta(t, 255, r.Level(255), 1e-9)
		require.Zero(t, Recipe{}.Sigma(Mended))
		require.LessOrEqual(t, r.Sigma(Mended), float64(mostSigma))
		settled := Choose(c, r)
		require.Equal(t, settled, Choose(c, settled), "it stays")
	})
}

// random returns n random samples.
func random(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 9)) //nolint:gosec // a test
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	return b
}

// The definition, in floating point: a Gaussian, then the tone.
func TestFilterDoesWhatTheRecipeSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 60).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		stride := w + rapid.IntRange(0, 5).Draw(t, "gap")
		full := rapid.Bool().Draw(t, "full")
		r := rapid.SampledFrom([]Recipe{
			{}, {Low: 2, High: 30}, {Noise: 8}, {Noise: 33}, {Low: 150, High: 200, Noise: 4}, {Low: 0, High: 9, Noise: 2},
		}).Draw(t, "recipe")
		look := rapid.SampledFrom([]Look{Mended, Soft}).Draw(t, "look")
		x0, y0 := rapid.IntRange(0, w).Draw(t, "x0"), rapid.IntRange(0, h).Draw(t, "y0")
		part := image.Rect(x0, y0, rapid.IntRange(x0, w).Draw(t, "x1"), rapid.IntRange(y0, h).Draw(t, "y1"))
		src := random(stride*(h-1)+w, rapid.Uint64().Draw(t, "seed"))
		dst := make([]byte, w*h)
		var f Filter
		f.Set(r, full)
		require.NoError(t, f.Luma(look, dst, w, src, stride, w, h, part))
		black, scale := 16.0, 255.0/219
		if full {
			black, scale = 0, 1
		}
		k := gaussian(max(r.Sigma(look), 0.01))
		reach, weight := k.reach, k.weight
		for y := range h {
			for x := range w {
				if !image.Pt(x, y).In(part) {
					require.Zero(t, dst[y*w+x], "outside")
					continue
				}
				sum := 0.0
				for j := -int(reach); j <= int(reach); j++ {
					for i := -int(reach); i <= int(reach); i++ {
						p := src[min(max(y+j, 0), h-1)*stride+min(max(x+i, 0), w-1)]
						sum += float64(p) * float64(weight[max(i, -i)]) / 256 * float64(weight[max(j, -j)]) / 256
					}
				}
				level := func(sample float64) float64 { return r.Level(min(max((sample-black)*scale, 0), 255)) }
				// Sums are rounded to a sixteenth before the tone.
				low, high := level(sum-1.0/16)/scale+black-0.51, level(sum+1.0/16)/scale+black+0.51
				if full || sum > 16 && sum < 235 || r == (Recipe{}) {
					got := float64(dst[y*w+x])
					require.True(t, got >= low && got <= high || r == (Recipe{}) && got == sum, "%v is %v, not %v to %v", sum, got, low, high)
				}
			}
		}
	})
}

func TestWeightsAreWhole(t *testing.T) {
	for sigma := 0.1; sigma < 3; sigma += 0.05 {
		k := gaussian(sigma)
		sum := int(k.weight[0])
		for i := 1; i <= int(k.reach); i++ {
			require.LessOrEqual(t, k.weight[i], k.weight[i-1])
			sum += 2 * int(k.weight[i])
		}
		require.Equal(t, 256, sum)
	}
}

func TestFilterRefusesWhatItCannotReach(t *testing.T) {
	var f Filter
	f.Set(Recipe{Noise: 20}, false)
	b := make([]byte, 100)
	ten := image.Rect(0, 0, 10, 10)
	require.NoError(t, f.Luma(Mended, b, 10, b, 10, 10, 10, ten))
	require.NoError(t, f.Luma(Mended, b, 10, b, 10, 10, 10, image.Rectangle{}))
	for name, err := range map[string]error{
		"short source": f.Luma(Mended, b, 10, b[:99], 10, 10, 10, ten),
		"short result": f.Luma(Mended, b[:99], 10, b, 10, 10, 10, ten),
		"stride":       f.Luma(Mended, b, 10, b, 9, 10, 10, ten),
		"no look":      f.Luma(Plain, b, 10, b, 10, 10, 10, ten),
		"outside":      f.Luma(Mended, b, 10, b, 10, 10, 10, image.Rect(0, 0, 11, 10)),
		"no size":      f.Luma(Mended, b, 10, b, 10, 0, 10, image.Rectangle{}),
		"huge":         f.Luma(Mended, b, MaxSide+1, b, MaxSide+1, MaxSide+1, 1, image.Rectangle{}),
	} {
		require.Error(t, err, name)
	}
}

func TestPicturesAreLookedAtInAllWaysThatFindMore(t *testing.T) {
	const w, h = 160, 90
	all := image.Rect(0, 0, w, h)
	src := make([]byte, w*h)
	for i := range src {
		src[i] = byte(18 + i%12)
	}
	check := func(r Recipe, part image.Rectangle, want ...Look) {
		t.Helper()
		var f Filter
		f.Set(r, false)
		require.Equal(t, want, f.Looks(src, w, w, h, part), "%v", r)
	}
	dark := Recipe{Low: 2, High: 16}
	for range 2 {
		check(Recipe{}, all, Plain)
		check(Recipe{Noise: 9}, all, Mended, Plain)
		check(dark, image.Rect(0, 0, 64, 90), Mended, Soft)
		check(Recipe{Low: 2, High: 100}, image.Rect(0, 0, 64, 90), Mended)
		check(Recipe{Low: 2, High: 100, Noise: 4}, image.Rect(0, 0, 64, 90), Mended, Soft)
		// A face in a spot of light is less visible when the dark around it is stretched.
		for y := 40; y < 52; y++ {
			for x := 80; x < 92; x++ {
				src[y*w+x] = byte(90 + x)
			}
		}
		check(dark, all, Mended, Soft, Plain)
		check(dark, image.Rect(64, 32, 128, 90), Mended, Soft, Plain)
	}
}

func TestMendingAllocatesNothing(t *testing.T) {
	src := random(320*180, 1)
	dst := make([]byte, len(src))
	var f Filter
	f.Set(Recipe{Low: 3, High: 40, Noise: 3}, false)
	all := image.Rect(0, 0, 320, 180)
	run := func() {
		if err := f.Luma(Mended, dst, 320, src, 320, 320, 180, all); err != nil {
			t.Fatal(err)
		}
	}
	run()
	require.Zero(t, testing.AllocsPerRun(10, run))
}

func BenchmarkMend(b *testing.B) {
	const w, h = 640, 360
	src := random(w*h, 1)
	dst := make([]byte, len(src))
	for name, r := range map[string]Recipe{
		"stretched": {Low: 3, High: 40}, "smoothed, 0.7": {Noise: 8}, "smoothed, 2": {Noise: 60},
	} {
		b.Run(name, func(b *testing.B) {
			var f Filter
			f.Set(r, false)
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Luma(Mended, dst, w, src, w, w, h, image.Rect(0, 0, w, h)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("looks", func(b *testing.B) {
		var f Filter
		f.Set(Recipe{Low: 0, High: 255}, true)
		for b.Loop() {
			if len(f.Looks(src, w, w, h, image.Rect(0, 0, w, h))) > 1 {
				b.Fatal("nothing strays")
			}
		}
	})
}
