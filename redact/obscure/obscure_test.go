package obscure

import (
	"image"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

var _ redact.Obscurer = (*Obscurer)(nil)

func TestParseStyle(t *testing.T) {
	for _, s := range styles {
		got, err := ParseStyle(string(s))
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	for _, s := range []string{"", "Veil", "gauss", "veil "} {
		_, err := ParseStyle(s)
		require.ErrorContains(t, err, "veil, blur, mosaic or fill", s)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		weak bool
		want string
	}{
		"unknown style":               {Options{Style: "gauss"}, false, "unknown style"},
		"mosaic that can be undone":   {Options{Style: Mosaic, Cells: 6}, true, "McPherson, Shokri, Shmatikov: Defeating Image Obfuscation"},
		"blur that can be undone":     {Options{Style: Blur, Cells: 64}, true, "PoPETs 2016"},
		"too few":                     {Options{Style: Mosaic, Cells: -1}, false, "-1 cells"},
		"too many, for show":          {Options{Style: Mosaic, Cells: 65, Cosmetic: true}, false, "65 cells"},
		"too many where it is no use": {Options{Style: Veil, Cells: 65}, false, "65 cells"},
	} {
		t.Run(name, func(t *testing.T) {
			ob, err := New(c.o)
			require.Nil(t, ob)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
			if c.weak {
				require.ErrorIs(t, err, ErrWeak)
			} else {
				require.NotErrorIs(t, err, ErrWeak)
			}
		})
	}
}

func TestNewAdmits(t *testing.T) {
	for name, o := range map[string]Options{
		"nothing said":              {},
		"five cells":                {Style: Mosaic, Cells: 5},
		"one cell":                  {Style: Blur, Cells: 1},
		"cosmetic":                  {Style: Mosaic, Cells: 64, Cosmetic: true},
		"cells that make no change": {Style: Veil, Cells: 64},
	} {
		t.Run(name, func(t *testing.T) { newObscurer(t, o) })
	}
	require.Equal(t, Veil, newObscurer(t, Options{}).o.Style)
	require.Equal(t, 5, newObscurer(t, Options{}).o.Cells)
}

func TestApplyRefuses(t *testing.T) {
	whole := []geom.Region{{Rect: image.Rect(0, 0, 100, 100)}}
	for name, spoil := range map[string]func(im *yuv.Image){
		"no width":              func(im *yuv.Image) { im.Width = 0 },
		"negative height":       func(im *yuv.Image) { im.Height = -3 },
		"too wide":              func(im *yuv.Image) { im.Width = yuv.MaxWidth + 1 },
		"short luma":            func(im *yuv.Image) { im.Y = im.Y[:len(im.Y)-1] },
		"short U":               func(im *yuv.Image) { im.U = im.U[:len(im.U)-1] },
		"no V":                  func(im *yuv.Image) { im.V = nil },
		"narrow luma stride":    func(im *yuv.Image) { im.YStride = im.Width - 1 },
		"narrow chroma stride":  func(im *yuv.Image) { im.CStride = im.ChromaWidth() - 1 },
		"negative stride":       func(im *yuv.Image) { im.YStride = -im.YStride },
		"stride that overflows": func(im *yuv.Image) { im.YStride = math.MaxInt },
		"chroma of a smaller":   func(im *yuv.Image) { im.Height += 2; im.Y = append(im.Y, make([]byte, 1000)...) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range styles {
				im := padded(31, 21, 2)
				randomise(im, 1)
				spoil(im)
				before := im.Clone()
				require.Error(t, newObscurer(t, Options{Style: s}).Apply(im, whole))
				require.Equal(t, before, im, "a refused picture")
			}
		})
	}
	o := newObscurer(t, Options{})
	require.Error(t, o.Apply(nil, whole))
	require.Error(t, o.Whole(nil))
	require.ErrorContains(t, new(Obscurer).Apply(padded(4, 4, 0), whole), "use New")
	require.Error(t, (*Obscurer)(nil).Whole(padded(4, 4, 0)))
}

func TestNumberOfRegionsIsBounded(t *testing.T) {
	regions := make([]geom.Region, MaxRegions+1)
	for i := range regions {
		x, y := i%32*3, i/32*2
		regions[i].Rect = image.Rect(x, y, x+4, y+3)
	}
	for _, s := range styles {
		im := padded(testWidth, testHeight, 0)
		randomise(im, 3)
		before := im.Clone()
		o := newObscurer(t, Options{Style: s})
		require.ErrorContains(t, o.Apply(im, regions), "1041 regions")
		same(t, before, im, "a refused picture")
		require.NoError(t, o.Apply(im, regions[:MaxRegions]))
		require.NotEqual(t, before.Y, im.Y)
	}
}

// What is flat around a region is flat in the region, in the same colour.
func TestVeilTakesTheColourAround(t *testing.T) {
	for _, r := range []image.Rectangle{
		image.Rect(20, 20, 50, 61), image.Rect(-9, -9, 30, 30), image.Rect(90, 3, 200, 64), image.Rect(7, 7, 8, 8),
		image.Rect(0, 30, 96, 31), image.Rect(-1, -1, 94, 80),
	} {
		im := flatImage(t, testWidth, testHeight, 77, 101, 203)
		want := im.Clone()
		regions := []geom.Region{{Rect: r}}
		eachByte(im, func(_ int, p *plane, x, y int, v *byte, _ bool) {
			if inside(p.kind, x, y, im, regions) {
				*v = 0
			}
		})
		require.NoError(t, newObscurer(t, Options{}).Apply(im, regions))
		same(t, want, im, r.String())
	}
}

// Between a dark and a bright side a veil rises steadily, and it meets what is
// around it without a step.
func TestVeilIsSmooth(t *testing.T) {
	im := flatImage(t, testWidth, testHeight, 0, 128, 128)
	for y := range im.Height {
		for x := range im.Width {
			im.Y[y*im.YStride+x] = byte(20 + 2*x)
		}
	}
	r := image.Rect(20, 20, 70, 60)
	require.NoError(t, newObscurer(t, Options{}).Apply(im, []geom.Region{{Rect: r}}))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := im.Y[y*im.YStride:]
		for x := r.Min.X; x <= r.Max.X; x++ {
			require.InDelta(t, int(row[x-1])+2, int(row[x]), 8, "at %d, %d", x, y)
		}
		require.Greater(t, row[r.Max.X-1], row[r.Min.X]+70)
	}
}

// A veil never leaves the range of what surrounds it.
func TestVeilStaysInRange(t *testing.T) {
	im := padded(testWidth, testHeight, 0)
	randomise(im, 9)
	for i, v := range im.Y {
		im.Y[i] = 100 + v%3
	}
	r := image.Rect(11, 12, 77, 63)
	fillRect(im, r, 255)
	require.NoError(t, newObscurer(t, Options{}).Apply(im, []geom.Region{{Rect: r}}))
	require.GreaterOrEqual(t, slices.Min(im.Y), byte(100))
	require.LessOrEqual(t, slices.Max(im.Y), byte(102))
}

func fillRect(im *yuv.Image, r image.Rectangle, v byte) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			im.Y[y*im.YStride+x] = v
		}
	}
}

func TestVeilWithoutSurroundingsIsNeutral(t *testing.T) {
	for name, regions := range map[string][]geom.Region{
		"whole":     {{Rect: image.Rect(-10, -10, 1000, 1000)}},
		"two parts": {{Rect: image.Rect(0, 0, 40, 80)}, {Rect: image.Rect(40, 0, 96, 80)}},
	} {
		for full, want := range map[bool]byte{false: 126, true: 128} {
			im := flatImage(t, testWidth, testHeight, 200, 90, 17)
			im.FullRange = full
			require.NoError(t, newObscurer(t, Options{}).Apply(im, regions))
			require.Equal(t, want, im.Y[5*im.YStride+50], name)
			require.Equal(t, byte(128), im.U[5*im.CStride+30], name)
			require.Equal(t, byte(128), im.V[39*im.CStride+47], name)
		}
	}
}

func TestWhole(t *testing.T) {
	for _, s := range styles {
		o := newObscurer(t, Options{Style: s})
		a, b := padded(95, 79, 3), padded(95, 79, 3)
		randomise(a, 5)
		randomise(b, 5)
		require.NoError(t, o.Whole(a))
		require.NoError(t, o.Apply(b, []geom.Region{{Rect: a.Bounds()}}))
		same(t, b, a, string(s))
	}
}

func TestLargestPicture(t *testing.T) {
	for _, s := range styles {
		o := newObscurer(t, Options{Style: s})
		im := flatImage(t, yuv.MaxWidth, yuv.MaxHeight, 90, 100, 110)
		require.NoError(t, o.Whole(im))
		require.NoError(t, o.Apply(im, []geom.Region{{Rect: im.Bounds().Inset(1)}}))
	}
}

func TestAbsurdRegions(t *testing.T) {
	const least, most = math.MinInt, math.MaxInt
	for _, s := range styles {
		o := newObscurer(t, Options{Style: s})
		im := padded(33, 35, 0)
		randomise(im, 8)
		before := im.Clone()
		require.NoError(t, o.Apply(im, []geom.Region{
			{}, {Rect: image.Rectangle{Min: image.Pt(30, 30), Max: image.Pt(3, 3)}},
			{Rect: image.Rect(least, 0, 0, 10)}, {Rect: image.Rect(33, 35, most, most)},
		}))
		same(t, before, im, "regions without pixels")
		require.NoError(t, o.Apply(im, []geom.Region{{Rect: image.Rectangle{Min: image.Pt(least, least), Max: image.Pt(most, most)}}}))
		require.NotEqual(t, before.Y, im.Y)
	}
}

// Noise depends on the seed, the track and the cell, and on nothing else: a face
// that walks through a flat scene keeps its cells.
func TestNoiseIsFixedPerTrack(t *testing.T) {
	paint := func(seed, track uint64, at image.Point) []byte {
		im := flatImage(t, testWidth, testHeight, 120, 128, 128)
		r := image.Rect(0, 0, 40, 50).Add(at)
		require.NoError(t, newObscurer(t, Options{Style: Mosaic, Seed: seed}).Apply(im, []geom.Region{{Rect: r, Track: track}}))
		var out []byte
		for y := r.Min.Y; y < r.Max.Y; y++ {
			out = append(out, im.Y[y*im.YStride+r.Min.X:y*im.YStride+r.Max.X]...)
		}
		return out
	}
	first := paint(1, 1, image.Pt(10, 10))
	require.Equal(t, first, paint(1, 1, image.Pt(33, 17)))
	require.NotEqual(t, first, paint(1, 2, image.Pt(10, 10)))
	require.NotEqual(t, first, paint(2, 1, image.Pt(10, 10)))
	distinct := slices.Compact(slices.Sorted(slices.Values(first)))
	require.Greater(t, len(distinct), 4)
	require.GreaterOrEqual(t, distinct[0], byte(120-8))
	require.LessOrEqual(t, distinct[len(distinct)-1], byte(120+8))
}

// At the edge of the frame the grid stays where the face is: it is not squeezed
// into what is still visible.
func TestGridIsAnchoredToTheRegion(t *testing.T) {
	im := flatImage(t, testWidth, testHeight, 120, 128, 128)
	require.NoError(t, newObscurer(t, Options{Style: Mosaic}).Apply(im, []geom.Region{{Rect: image.Rect(-25, 0, 25, 50), Track: 4}}))
	ends := 0
	for x := 1; x < 25; x++ {
		if im.Y[x] != im.Y[x-1] {
			require.Contains(t, []int{5, 15}, x)
			ends++
		}
	}
	require.NotZero(t, ends)
}

// Blur has no steps within a region.
func TestBlurIsSmooth(t *testing.T) {
	im := padded(testWidth, testHeight, 0)
	for y := range testHeight {
		for x := range testWidth {
			im.Y[y*testWidth+x] = byte(255 * (x / 24 % 2))
		}
	}
	r := image.Rect(8, 8, 88, 72)
	require.NoError(t, newObscurer(t, Options{Style: Blur}).Apply(im, []geom.Region{{Rect: r}}))
	lowest, highest := byte(255), byte(0)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X + 1; x < r.Max.X; x++ {
			v := im.Y[y*testWidth+x]
			lowest, highest = min(lowest, v), max(highest, v)
			require.InDelta(t, int(im.Y[y*testWidth+x-1]), int(v), 18, "at %d, %d", x, y)
		}
	}
	require.Greater(t, highest, lowest+100, "cells are still visible")
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	im := padded(testWidth, testHeight, 0)
	regions := []geom.Region{{Rect: image.Rect(3, 3, 40, 50), Track: 2}, {Rect: image.Rect(30, 30, 99, 70), Track: 1}, {Rect: image.Rect(60, -3, 80, 20)},
		triangle(image.Rect(10, 20, 90, 75))}
	for _, s := range styles {
		o := newObscurer(t, Options{Style: s})
		require.NoError(t, o.Whole(im))
		require.Zero(t, testing.AllocsPerRun(20, func() {
			if o.Apply(im, regions) != nil || o.Whole(im) != nil {
				panic("refused")
			}
		}), s)
	}
}
