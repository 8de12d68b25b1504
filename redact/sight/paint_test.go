package sight

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/condition"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// grey returns a picture of one colour with noise of sigma samples.
func grey(tb testing.TB, w, h int, luma byte, sigma float64) *yuv.Image {
	tb.Helper()
	im, err := yuv.New(w, h)
	require.NoError(tb, err)
	im.Fill(luma, 128, 128)
	r := rand.New(rand.NewPCG(3, 1)) //nolint:gosec // a test
	for i := range im.Y {
		im.Y[i] = byte(min(max(float64(luma)+r.NormFloat64()*sigma, 16), 235))
	}
	return im
}

// paintOne paints a face into the middle of a copy of im, and returns it with the face's box.
func paintOne(tb testing.TB, im *yuv.Image, height float64) (*yuv.Image, geom.Box) {
	tb.Helper()
	p, err := newPainter(1)
	require.NoError(tb, err)
	p.light.measure(im)
	p.is, p.texture = condition.Measure(im), leastTexture(im)
	out := im.Clone()
	return out, p.paint(out, image.Point{}, float64(im.Width)/2, float64(im.Height)/2, height)
}

// spread returns mean and deviation of the luma in a box.
func spread(im *yuv.Image, b geom.Box) (mean, deviation float64) {
	sum, squares, n := 0.0, 0.0, 0.0
	r := b.Rect().Intersect(im.Bounds())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			v := float64(im.Y[y*im.YStride+x])
			sum, squares, n = sum+v, squares+v*v, n+1
		}
	}
	mean = sum / n
	return mean, math.Sqrt(squares/n - mean*mean)
}

func TestPaintedFaceHasTheLightOfThePlace(t *testing.T) {
	before := 0.0
	for _, luma := range []byte{24, 40, 80, 130, 180} {
		out, box := paintOne(t, grey(t, 320, 240, luma, 0), 60)
		mean, contrast := spread(out, box)
		lv := levels{16, 255.0 / 219}
		require.InDelta(t, lv.of(float64(luma)), lv.of(mean), 0.35*lv.of(float64(luma))+3, "luma %d", luma)
		require.Greater(t, contrast, before, "more light, more contrast")
		before = contrast
	}
}

func TestPaintedFaceHasTheNoiseOfThePicture(t *testing.T) {
	for _, sigma := range []float64{0, 4, 10, 20} {
		im := grey(t, 320, 240, 120, sigma)
		out, box := paintOne(t, im, 80)
		cheek := geom.Box{X: box.X + box.W*0.3, Y: box.Y + box.H*0.3, W: box.W * 0.4, H: box.H * 0.4}
		got := deviation(out, cheek.Rect())
		require.InDelta(t, sigma, got, 0.25*sigma+3, "noise %v", sigma)
	}
}

func TestPaintedFaceIsAsBlurredAsThePicture(t *testing.T) {
	before := math.Inf(1)
	for _, blur := range []float64{0.5, 1.5, 3, 6} {
		p, err := newPainter(1)
		require.NoError(t, err)
		im := grey(t, 320, 240, 120, 0)
		p.light.measure(im)
		p.is = condition.Condition{Bright: 235, Blur: blur}
		box := p.paint(im, image.Point{}, 160, 120, 60)
		edges := 0.0
		r := box.Rect()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				edges += math.Abs(float64(im.Y[y*im.YStride+x]) - float64(im.Y[y*im.YStride+x+1]))
			}
		}
		require.Less(t, edges, before)
		before = edges
	}
}

func TestFogTakesContrastOfPaintedFaces(t *testing.T) {
	sunny, foggy := &painter{is: condition.Condition{Dark: 10, Bright: 230}}, &painter{is: condition.Condition{Dark: 180, Bright: 210}}
	require.InDelta(t, 1, sunny.contrast(), 0.01)
	require.Less(t, foggy.contrast(), 0.2)
}

func TestGreyPictureGetsGreyFaces(t *testing.T) {
	im := grey(t, 320, 240, 120, 2)
	out, _ := paintOne(t, im, 60)
	require.Equal(t, im.U, out.U)
	require.Equal(t, im.V, out.V)
}

// Whatever the size and place, painting stays within the part.
func TestFacesArePaintedAnywhere(t *testing.T) {
	p, err := newPainter(1)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(8, 300).Draw(t, "w"), rapid.IntRange(8, 200).Draw(t, "h")
		im, err := yuv.New(w, h)
		require.NoError(t, err)
		im.FullRange = rapid.Bool().Draw(t, "full")
		p.light.measure(im)
		p.is = condition.Measure(im)
		p.is.Noise, p.is.Blur = rapid.Float64Range(0, 60).Draw(t, "noise"), rapid.Float64Range(0, 10).Draw(t, "blur")
		height := rapid.Float64Range(4, 300).Draw(t, "height")
		x, y := rapid.Float64Range(-50, 350).Draw(t, "x"), rapid.Float64Range(-50, 250).Draw(t, "y")
		box := p.paint(im, image.Pt(10, 20), x, y, height)
		require.InDelta(t, x, box.X+box.W/2, 0.01)
		require.InDelta(t, y, box.Y+box.H/2, 0.01)
		require.InDelta(t, height, box.H, 0.01)
	})
}

func TestTextureOfTheSceneIsNotNoise(t *testing.T) {
	im := grey(t, 320, 240, 120, 12)
	var before texture
	require.True(t, math.IsInf(before.moving(im, textureQuantile), 1), "nothing is known")
	before.keep(im)
	require.True(t, math.IsInf(before.moving(im, textureQuantile), 1), "the same picture again says nothing")
	before.keep(im)
	require.True(t, math.IsInf(before.moving(im, textureQuantile), 1))
	require.InDelta(t, 12, leastTexture(im), 2)
	other := im.Clone()
	for i := range other.Y {
		other.Y[i] = im.Y[(i+977)%len(im.Y)]
	}
	require.InDelta(t, 12, before.moving(other, textureQuantile), 2)
	before.keep(other)
	require.InDelta(t, 12, before.moving(other, textureQuantile), 2, "it is compared with the one before")
	still := other.Clone()
	still.Y[0]++
	require.Less(t, before.moving(still, textureQuantile), 0.1, "what stays is no noise")
	small := grey(t, 64, 48, 120, 12)
	require.True(t, math.IsInf(before.moving(small, textureQuantile), 1))
}

func TestDamagedFacesAreRefused(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""}, {"", "[]"}, {string(facesZ), "[]"}, {"x", string(facesJSON)}, {string(facesZ), `[{"w": 100000, "h": 9, "face": {"h": 50}}]`},
	} {
		_, err := decodeSprites([]byte(c[0]), []byte(c[1]))
		require.Error(t, err)
	}
	all, err := sprites()
	require.NoError(t, err)
	require.Len(t, all, 12)
}
