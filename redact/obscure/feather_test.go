package obscure

import (
	"image"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
)

func TestBandWidth(t *testing.T) {
	for _, c := range []struct {
		feather float64
		w, h    int
		want    int
	}{
		{0, 200, 260, 8}, {0, 260, 200, 8}, {0, 8, 3, 4}, {0, 7, 7, 0}, {0, 60, 180, 5}, {0, 1000, 3, 12},
		{-1, 200, 260, 0}, {0.25, 20, 40, 10}, {0.01, 200, 260, 4},
	} {
		o := newObscurer(t, Options{Feather: c.feather})
		require.Equal(t, c.want, o.o.band(geom.Detected, image.Rect(5, 5, 5+c.w, 5+c.h)), "%v", c)
		require.Zero(t, o.o.band(geom.Moving, image.Rect(5, 5, 5+c.w, 5+c.h)), "%v", c)
	}
	for _, f := range []float64{0.26, math.NaN(), math.Inf(1)} {
		_, err := New(Options{Feather: f})
		require.ErrorContains(t, err, "feather")
	}
}

// From a region outwards the picture comes back steadily, and at the edge there
// is no step.
func TestBandFadesOutwards(t *testing.T) {
	rect := geom.Region{Rect: image.Rect(60, 60, 160, 160)}
	slanted := triangle(image.Rect(60, 60, 160, 160))
	for name, c := range map[string]struct {
		r    geom.Region
		from image.Point
		step image.Point
	}{
		"right": {rect, image.Pt(159, 100), image.Pt(1, 0)}, "left": {rect, image.Pt(60, 100), image.Pt(-1, 0)},
		"up": {rect, image.Pt(100, 60), image.Pt(0, -1)}, "down": {rect, image.Pt(100, 159), image.Pt(0, 1)},
		"corner":     {rect, image.Pt(159, 159), image.Pt(1, 1)},
		"below":      {slanted, image.Pt(100, 159), image.Pt(0, 1)},
		"across":     {slanted, image.Pt(110, 111), image.Pt(1, -1)},
		"shape left": {slanted, image.Pt(60, 100), image.Pt(-1, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			im := flatImage(t, 240, 240, 200, 90, 90)
			require.NoError(t, newObscurer(t, Options{Style: Fill, Feather: 0.2}).Apply(im, []geom.Region{c.r}))
			at := func(i int) int { return int(im.Y[(c.from.Y+i*c.step.Y)*im.YStride+c.from.X+i*c.step.X]) }
			require.Equal(t, fillLuma, at(0))
			for i := 1; i < 24; i++ {
				require.GreaterOrEqual(t, at(i), at(i-1), "%d", i)
				require.LessOrEqual(t, at(i)-at(i-1), 24, "no step at %d", i)
			}
			require.Less(t, at(3), 100)
			require.Equal(t, 200, at(24))
		})
	}
}

func TestMixRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		weight := rapid.IntRange(0, 256).Draw(t, "weight")
		dst, look := make([]byte, n), make([]byte, n)
		random(dst, rapid.Uint64().Draw(t, "a"))
		random(look, rapid.Uint64().Draw(t, "b"))
		want := make([]byte, n)
		for i := range want {
			want[i] = byte(math.Floor((float64(dst[i])*float64(256-weight)+float64(look[i])*float64(weight))/256 + 0.5))
		}
		mixRow(dst, look, uint64(weight))
		require.Equal(t, want, dst)
	})
}

// A mask whose rectangle holds half the scene does not make grey of the faces
// that are next to it in that rectangle.
func TestVeilBesideAShapeKeepsItsSurroundings(t *testing.T) {
	im := flatImage(t, 240, 240, 77, 101, 203)
	want := im.Clone()
	neighbour := image.Rect(150, 40, 200, 90)
	fillRect(im, neighbour, 255)
	mask := triangle(image.Rect(-20, -20, 260, 260))
	require.NoError(t, newObscurer(t, Options{}).Apply(im, []geom.Region{mask, {Rect: neighbour, Track: 1}}))
	for y := neighbour.Min.Y; y < neighbour.Max.Y; y++ {
		from, to := y*im.YStride+neighbour.Min.X, y*im.YStride+neighbour.Max.X
		require.Equal(t, want.Y[from:to], im.Y[from:to])
	}
}

// A shape that does not fit its rectangle obscures all of that.
func TestShapeOfAnotherRectangleCountsForNothing(t *testing.T) {
	for _, s := range styles {
		a, b := padded(testWidth, testHeight, 0), padded(testWidth, testHeight, 0)
		randomise(a, 4)
		randomise(b, 4)
		r := triangle(image.Rect(10, 10, 60, 60))
		r.Rect = image.Rect(10, 10, 70, 60)
		o := newObscurer(t, Options{Style: s})
		require.NoError(t, o.Apply(a, []geom.Region{r}))
		require.NoError(t, o.Apply(b, []geom.Region{{Rect: r.Rect, Track: r.Track}}))
		same(t, b, a, string(s))
	}
}

// What was made for a shape in one picture size does not serve another, and is
// not kept forever.
func TestOutlinesFollowTheSizeAndAreForgotten(t *testing.T) {
	r := triangle(image.Rect(10, 10, 60, 60))
	o := newObscurer(t, Options{})
	for _, size := range []image.Point{{96, 80}, {33, 41}, {96, 80}} {
		a, b := padded(size.X, size.Y, 1), padded(size.X, size.Y, 1)
		randomise(a, 4)
		randomise(b, 4)
		require.NoError(t, o.Apply(a, []geom.Region{r}))
		require.NoError(t, newObscurer(t, Options{}).Apply(b, []geom.Region{r}))
		same(t, b, a, size.String())
	}
	require.Len(t, o.outlines, 1)
	im := padded(20, 20, 0)
	for range keepOutlines + 1 {
		require.NoError(t, o.Apply(im, nil))
	}
	require.Empty(t, o.outlines)
}

func TestShapeOutsideThePictureIsNothing(t *testing.T) {
	im := padded(50, 50, 0)
	randomise(im, 4)
	before := im.Clone()
	// Its rectangle reaches into the picture, its pixels do not.
	s := geom.NewShape(-10, [][]geom.Span{{{From: 0, To: 50}}, 19: {{From: 60, To: 70}}})
	for _, style := range styles {
		require.NoError(t, newObscurer(t, Options{Style: style}).Apply(im, []geom.Region{{Rect: s.Bounds(), Shape: s}}))
		same(t, before, im, string(style))
	}
}
