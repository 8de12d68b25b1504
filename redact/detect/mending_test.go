package detect

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/face"
	"scrim/redact/mend"
	"scrim/redact/yuv"
)

// spoiled returns a copy of im with a share of its light, raised by some levels, and with
// noise of sigma levels, both in full range. The same seed gives the same noise.
func spoiled(im *yuv.Image, light, raised, sigma float64, seed uint64) *yuv.Image {
	const scale = 219.0 / 255
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
	s := im.Clone()
	for i, v := range s.Y {
		s.Y[i] = toSample(16 + (float64(v)-16)*light + raised*scale + r.NormFloat64()*sigma*scale)
	}
	for i := range s.U {
		s.U[i] = toSample(128 + (float64(s.U[i])-128)*light + r.NormFloat64()*sigma*scale/2)
		s.V[i] = toSample(128 + (float64(s.V[i])-128)*light + r.NormFloat64()*sigma*scale/2)
	}
	return s
}

func toSample(v float64) byte { return byte(min(max(math.Round(v), 0), 255)) }

// unmended returns the faces that are found in im as it is: a new detector has measured
// nothing.
func unmended(t *testing.T, c Config, im *yuv.Image) []face.Face {
	t.Helper()
	d, _ := skipping(t, c)
	found, err := d.DetectPart(im, image.Point{}, im.Width, im.Height)
	require.NoError(t, err)
	return strong(found)
}

// recorder is an engine that keeps what it is shown.
type recorder struct {
	engine
	seen []view
}

func (r *recorder) run(v *view, at image.Rectangle) ([][]float32, error) {
	c := *v
	c.y, c.u, c.v = bytes.Clone(v.y), bytes.Clone(v.u), bytes.Clone(v.v)
	r.seen = append(r.seen, c)
	return r.engine.run(v, at)
}

func TestCleanPicturesAreInspectedBitForBitAsTheyAre(t *testing.T) {
	for _, size := range [][2]int{{1280, 720}, {640, 360}, {960, 540}} {
		for seed := range uint64(3) {
			d, _ := skipping(t, Config{Size: 640, Tiles: true})
			eyes := &recorder{engine: d.engine}
			d.engine = eyes
			im, _ := draw(t, size[0], size[1], 40+seed, 200)
			_, err := d.Detect(im)
			require.NoError(t, err)
			require.Len(t, eyes.seen, len(d.passes.all), "each pass looks once")
			picture, err := viewOf(im)
			require.NoError(t, err)
			for i := range eyes.seen {
				require.Zero(t, d.mending.recipe(d.passes.kind(i)))
				require.NoError(t, d.passes.luma(i, picture))
				require.NoError(t, d.passes.chroma(i, picture))
				require.Equal(t, d.passes.all[i].view, eyes.seen[i], "pass %d of %v", i, size)
			}
		}
	}
}

func TestHardPicturesAreMendedAndTheirFacesFound(t *testing.T) {
	model := testenv.Path(t, testenv.YuNet)
	for name, c := range map[string]struct{ light, raised, noise float64 }{
		"a 25th of the light":      {0.04, 0, 0},
		"an eighth, noise 4":       {0.12, 4, 4},
		"fog":                      {0.08, 150, 0},
		"noise 40":                 {1, 0, 40},
		"an eighth of the light":   {0.12, 0, 0},
		"a quarter, raised, noise": {0.25, 30, 6},
	} {
		t.Run(name, func(t *testing.T) {
			plain, mended, all := 0, 0, 0
			for seed := range uint64(3) {
				im, truth := draw(t, 640, 360, 60+seed, 150)
				hard := spoiled(im, c.light, c.raised, c.noise, seed)
				d, _ := skipping(t, Config{Model: model, Size: 640})
				found, _ := detect(t, d, hard)
				require.NotZero(t, d.mending.recipe(scaledCopy))
				before := unmended(t, Config{Model: model, Size: 640}, hard)
				for _, f := range truth.Faces {
					if min(f.Box.W, f.Box.H) < 14 || f.Visible < 0.8 || math.Abs(f.Yaw) > 45 {
						continue
					}
					all++
					mended += count(hidden(face.Face{Box: f.Box}, found))
					plain += count(hidden(face.Face{Box: f.Box}, before))
				}
			}
			t.Logf("of %d faces %d are found as they are, %d mended", all, plain, mended)
			require.Positive(t, all)
			require.GreaterOrEqual(t, mended, plain)
			require.GreaterOrEqual(t, mended*10, all*9)
		})
	}
}

// Where the light is poor, faces change the picture by less.
func TestFaceThatAppearsInTheDarkIsInspectedAtOnce(t *testing.T) {
	d, now := skipping(t, Config{Size: 640, SkipUnchanged: true})
	missed, faces := 0, 0
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for seed := range uint64(3) {
		from, truth := draw(t, 1280, 720, 20+seed, 50)
		other, _ := draw(t, 1280, 720, 20+seed, 300)
		dark, cur := spoiled(from, 0.05, 0, 0, 1), spoiled(other, 0.05, 0, 0, 1)
		_, _ = detect(t, d, cur)
		for range 8 {
			*now = now.Add(20 * time.Millisecond)
			part := paste(cur, dark, truth.Faces[r.IntN(len(truth.Faces))].Box, r)
			fresh, _ := skipping(t, Config{Size: 640})
			want, _ := detect(t, fresh, cur)
			got, _ := detect(t, d, cur)
			for _, f := range want {
				if f.Box.Rect().Overlaps(part.Inset(-8)) {
					faces++
					missed += count(!hidden(f, got))
				}
			}
		}
	}
	t.Logf("%d of %d faces in what changed are missed", missed, faces)
	require.Greater(t, faces, 10)
	require.Zero(t, missed)
}

func TestNoiseIsNoChange(t *testing.T) {
	for _, tiles := range []bool{false, true} {
		d, now := skipping(t, Config{Size: 640, SkipUnchanged: true, Tiles: tiles})
		im, _ := draw(t, 960, 540, 5, 100)
		_, all := detect(t, d, spoiled(im, 1, 0, 30, 0))
		require.Positive(t, d.mending.recipe(scaledCopy).Noise)
		sum := 0
		for i := range 9 {
			*now = now.Add(20 * time.Millisecond)
			_, pixels := detect(t, d, spoiled(im, 1, 0, 30, uint64(1+i))) //nolint:gosec // small
			sum += pixels
		}
		require.LessOrEqual(t, sum, 2*all, "tiles %v: %d pixels inspected in 9 pictures, %d in the first one", tiles, sum, all)
		// What is new is seen for all that.
		other, truth := draw(t, 960, 540, 5, 400)
		for _, f := range truth.Faces {
			if min(f.Box.W, f.Box.H) > 30 {
				cur := im.Clone()
				r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
				paste(cur, other, f.Box, r)
				_, pixels := detect(t, d, spoiled(cur, 1, 0, 30, 99))
				require.Positive(t, pixels)
				d.Reset()
				_, _ = detect(t, d, spoiled(im, 1, 0, 30, 0))
			}
		}
	}
}

func TestEverythingIsInspectedWhenTheMendingChanges(t *testing.T) {
	d, now := skipping(t, Config{Size: 640, SkipUnchanged: true})
	im, _ := draw(t, 640, 360, 5, 100)
	_, all := detect(t, d, im)
	require.Zero(t, d.mending.recipe(scaledCopy))
	*now = now.Add(20 * time.Millisecond)
	dark := spoiled(im, 0.06, 0, 0, 1)
	_, pixels := detect(t, d, dark)
	require.GreaterOrEqual(t, pixels, all, "the light went out")
	require.Positive(t, d.mending.recipe(scaledCopy).High, "in the same picture")
	*now = now.Add(20 * time.Millisecond)
	_, pixels = detect(t, d, dark)
	require.Zero(t, pixels)
	*now = now.Add(20 * time.Millisecond)
	_, pixels = detect(t, d, im)
	require.Equal(t, all, pixels, "it is light again")
	require.Zero(t, d.mending.recipe(scaledCopy))

	// Noise changes no means, so that it is noticed when it is measured next.
	noisy := spoiled(im, 1, 0, 30, 3)
	for range measurePictures {
		*now = now.Add(measureInterval / measurePictures)
		_, _ = detect(t, d, noisy)
	}
	require.Positive(t, d.mending.recipe(scaledCopy).Noise)
}

// Pictures of another size, and the one that tries the model, are no part of it.
func TestFirstPictureIsMendedByWhatIsMeasuredOfIt(t *testing.T) {
	im, _ := draw(t, 640, 360, 5, 100)
	other, _ := draw(t, 320, 180, 5, 100)
	for _, light := range []float64{0.02, 0.15, 0.3} {
		d, now := skipping(t, Config{Size: 640, SkipUnchanged: true})
		hard := spoiled(im, light, 120, 0, 1)
		_, _ = detect(t, d, hard)
		first := d.mending.recipe(scaledCopy)
		for range 30 {
			*now = now.Add(40 * time.Millisecond)
			_, _ = detect(t, d, hard)
			require.Equal(t, first, d.mending.recipe(scaledCopy))
		}
		_, _ = detect(t, d, spoiled(other, light, 100, 0, 1))
		_, _ = detect(t, d, hard)
		require.Equal(t, first, d.mending.recipe(scaledCopy))
	}
}

// The picture of a self-test is not the camera's.
func TestResetForgetsWhatWasMeasured(t *testing.T) {
	d, now := skipping(t, Config{Size: 640, SkipUnchanged: true})
	im, _ := draw(t, 640, 360, 5, 100)
	dark := spoiled(im, 0.06, 0, 0, 1)
	want, _ := detect(t, d, dark)
	recipe := d.mending.recipe(scaledCopy)
	require.NotZero(t, recipe)
	for range 3 {
		d.Reset()
		drawn, err := yuv.New(640, 640)
		require.NoError(t, err)
		_, err = drawFace(drawn)
		require.NoError(t, err)
		_, err = d.Detect(drawn)
		require.NoError(t, err)
		d.Reset()
		*now = now.Add(time.Millisecond)
		got, _ := detect(t, d, dark)
		require.Equal(t, recipe, d.mending.recipe(scaledCopy))
		require.ElementsMatch(t, want, got)
	}
}

// Files hold pictures that have nothing to do with each other.
func TestPicturesOfFilesAreMendedEachForItself(t *testing.T) {
	d, _ := skipping(t, Config{Size: 640})
	im, _ := draw(t, 640, 360, 5, 100)
	for _, im := range []*yuv.Image{im, spoiled(im, 0.06, 0, 0, 1), im, spoiled(im, 1, 0, 30, 2), im} {
		fresh, _ := skipping(t, Config{Size: 640})
		want, _ := detect(t, fresh, im)
		got, _ := detect(t, d, im)
		require.Equal(t, want, got)
		require.Equal(t, fresh.mending.recipe(scaledCopy), d.mending.recipe(scaledCopy))
	}
}

func TestPartsAreMendedAsThePictureIs(t *testing.T) {
	var _ redact.Adapter = (*yuNet)(nil)
	im, _ := draw(t, 1280, 720, 5, 100)
	for _, hard := range []*yuv.Image{spoiled(im, 0.06, 0, 0, 1), spoiled(im, 0.15, 5, 4, 1), spoiled(im, 1, 0, 40, 1)} {
		d, _ := skipping(t, Config{Size: 640, SkipUnchanged: true})
		require.NoError(t, d.Adapt(hard))
		recipe := d.mending.recipe(scaledCopy)
		require.NotZero(t, recipe)
		parts, err := d.DetectPart(hard, image.Point{}, hard.Width, hard.Height)
		require.NoError(t, err)
		got := strong(parts)
		want, _ := detect(t, d, hard)
		require.Equal(t, recipe, d.mending.recipe(scaledCopy))
		require.ElementsMatch(t, want, got)

		// It changes nothing of what is remembered.
		require.NoError(t, d.Adapt(hard))
		_, pixels := detect(t, d, hard)
		require.Zero(t, pixels)
	}
	d, _ := skipping(t, Config{Size: 640})
	require.Error(t, d.Adapt(&yuv.Image{Width: 10, Height: 10}))
	require.NoError(t, d.Close())
	require.Error(t, d.Adapt(im))
}

func TestToleranceGrowsWithNoiseAndShrinksWithTheLight(t *testing.T) {
	var bright, dark, noisy tolerance
	bright.set(mend.Recipe{}, 3, scaledLevel, false)
	require.False(t, bright.adapted)
	dark.set(mend.Recipe{Low: 2, High: 20}, 0, scaledLevel, false)
	noisy.set(mend.Recipe{Noise: 20}, 20, scaledLevel, false)
	cell := func(from, to, area int32) change { return change{now: to * area, ref: from * area, area: area} }
	require.True(t, dark.exceeded(cell(20, 22, 16)))
	require.False(t, dark.exceeded(cell(150, 156, 16)), "what is brighter counts as ever")
	require.True(t, dark.exceeded(cell(150, 157, 16)))
	require.False(t, noisy.exceeded(cell(100, 125, 16)))
	require.True(t, noisy.exceeded(cell(100, 125, 64)), "a larger part has less noise")
	require.True(t, noisy.exceeded(cell(100, 140, 16)))
	require.False(t, noisy.exceeded(cell(100, 106, 256)))
	require.False(t, noisy.exceeded(change{}))

	// Where neighbouring pixels have the same noise, cells differ by more.
	least := noisy.least
	noisy.see(120)
	require.InDelta(t, 1.8, noisy.least/least, 0.1)
	noisy.see(3000)
	require.InDelta(t, mostAlike, noisy.least/least, 0.01, "not for everything that moves")
	noisy.see(0)
	require.Equal(t, least, noisy.least)
}

// BenchmarkMending is what an inspection costs of good pictures, and of others, all of them
// or only what has changed.
func BenchmarkMending(b *testing.B) {
	cv.SetThreads(1)
	im, _ := draw(b, 1920, 1080, 77, 200)
	for _, c := range []struct {
		name                 string
		light, raised, noise float64
	}{{"good", 1, 0, 0}, {"an eighth of the light", 0.12, 0, 0}, {"fog", 0.15, 150, 0}, {"noise 40", 1, 0, 40}} {
		pictures := make([]*yuv.Image, 6)
		for i := range pictures {
			pictures[i] = spoiled(im, c.light, c.raised, c.noise, uint64(i)) //nolint:gosec // small
		}
		for _, skip := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/skip=%v", c.name, skip), func(b *testing.B) {
				d, now := skipping(b, Config{Size: 640, SkipUnchanged: skip})
				b.ReportAllocs()
				i := 0
				before := cpu(b)
				for b.Loop() {
					*now = now.Add(40 * time.Millisecond)
					if _, err := d.Detect(pictures[i%len(pictures)]); err != nil {
						b.Fatal(err)
					}
					i++
				}
				b.ReportMetric((cpu(b)-before)*1e3/float64(i), "cpu-ms/op")
				b.ReportMetric(float64(d.pixels)/float64(i), "pixels/op")
			})
		}
	}
}
