package sight

import (
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/condition"
	"scrim/redact/yuv"
)

// overlay writes bright text on black over the upper left corner, about a twentieth of the picture.
func overlay(im *yuv.Image) *yuv.Image {
	out := im.Clone()
	for y := range im.Height / 10 {
		for x := range im.Width * 2 / 5 {
			v := byte(16)
			if x/6%2 == 0 && y/8%2 == 0 {
				v = 235
			}
			out.Y[y*out.YStride+x] = v
		}
	}
	return out
}

func partsOf(im *yuv.Image) (p parts) {
	p.measure(im)
	return p
}

func TestConditionIsThatOfTheSceneNotOfTheTextOverIt(t *testing.T) {
	dark := how{light: 0.1}.bad(newClip(t, 640, 360, 5).frame(t, 100))
	text := overlay(dark)
	require.Greater(t, condition.Measure(text).Bright, 3*condition.Measure(dark).Bright, "else there is nothing to ignore")
	p, q := partsOf(dark), partsOf(text)
	with, without := q.without(condition.Measure(text)), p.without(condition.Measure(dark))
	require.InDelta(t, without.Bright, with.Bright, 3)
	require.InDelta(t, without.Contrast, with.Contrast, 1.5)
	require.InDelta(t, without.Dark, with.Dark, 3)
}

func TestClearConditionHardlyChangesWithoutOverlays(t *testing.T) {
	for seed := range uint64(4) {
		im := newClip(t, 640, 360, 5+seed).frame(t, 100)
		p := partsOf(im)
		plain := condition.Measure(im)
		is := p.without(plain)
		require.Greater(t, is.Contrast, 0.6*plain.Contrast)
		require.Greater(t, is.Range(), 0.45*plain.Range())
	}
}

func TestPaintedFacesHaveTheLightOfTheirPlaceNotOfAText(t *testing.T) {
	dark := overlay(how{light: 0.03}.bad(newClip(t, 640, 360, 5).frame(t, 100)))
	var m lightMap
	m.measure(dark)
	for _, p := range []image.Point{{40, 60}, {200, 50}, {320, 180}, {600, 340}} {
		require.Less(t, m.ground(p, 3), 12.0, "at %v", p)
	}
}

func TestDarknessThatFallsBehindABrightTextLeavesWhatIsProved(t *testing.T) {
	plain := newClip(t, 640, 360, 5).frame(t, 100)
	s := newSight(t, Options{})
	v, err := s.Judge(begin, overlay(plain))
	require.NoError(t, err)
	require.True(t, v.Proved)
	tests := s.Report().Tests
	v, err = s.Judge(begin.Add(40*time.Millisecond), overlay(how{light: 0.6}.bad(plain)))
	require.NoError(t, err)
	require.False(t, v.Proved && s.Report().Tests == tests, "daylight proves nothing of 60 %% of its light")
}

func TestSmallBlackCornerDoesNotMakeACameraBlind(t *testing.T) {
	im := newClip(t, 640, 360, 5).frame(t, 100).Clone()
	black := func(w, h int) *yuv.Image {
		out := im.Clone()
		for y := range h {
			for x := range w {
				out.Y[y*out.YStride+x] = 16
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		w, h   int
		proved bool
	}{"corner": {200, 120, true}, "bar": {80, 360, true}, "half": {320, 360, false}, "upper half": {640, 180, false}} {
		s := newSight(t, Options{})
		v, err := s.Judge(begin, black(c.w, c.h))
		require.NoError(t, err)
		require.Equal(t, c.proved, v.Proved, "%s: %+v", name, s.Report())
		if !c.proved {
			require.Equal(t, WhyTooDark, v.Why)
		}
	}
}

func TestSkyWithoutTextureDoesNotMakeACameraBlind(t *testing.T) {
	im := newClip(t, 640, 360, 5).frame(t, 100).Clone()
	for y := range 160 {
		for x := range im.Width {
			im.Y[y*im.YStride+x] = 200
		}
	}
	s := newSight(t, Options{})
	v, err := s.Judge(begin, im)
	require.NoError(t, err)
	require.True(t, v.Proved, "%+v", s.Report())
}

func TestRoundingKeepsStrongDetailAndLosesWeakDetail(t *testing.T) {
	for _, strength := range []byte{1, 60} {
		im := grey(t, 64, 64, 100, 0)
		for i := range im.Y {
			im.Y[i] = 100 + strength*byte(i/3%2)
		}
		var c coded
		c.round(im, im.Bounds(), encoderStep)
		least, most := byte(255), byte(0)
		for _, v := range im.Y {
			least, most = min(least, v), max(most, v)
		}
		if strength == 1 {
			require.LessOrEqual(t, most-least, byte(1))
		} else {
			require.Greater(t, most-least, byte(30))
		}
	}
	require.Zero(t, codedStep(5, 1), "noise shows that no encoder rounds")
	require.Greater(t, codedStep(0, 10), codedStep(0, 1))
}

// A table that has more than what is needed does not by itself make a camera blind: Size is what decides.
func TestSizeInTheReportIsTheOneThatDecides(t *testing.T) {
	im := newClip(t, 640, 360, 7).frame(t, 200)
	passed, failed := 0, 0
	for _, c := range []how{{}, {noise: 20}, {blur: 0.8}, {blur: 1.2}, {blur: 1.6}, {blur: 3}, {noise: 45}} {
		s := newSight(t, Options{})
		v, err := s.Judge(begin, c.bad(im))
		require.NoError(t, err)
		r := s.Report()
		if v.Proved {
			passed++
			require.Positive(t, r.Size)
			require.LessOrEqual(t, r.Size, r.Need, "%+v: %+v", c, r)
		} else {
			failed++
			require.True(t, r.Size == 0 || r.Size >= r.Need, "%+v: %+v", c, r)
		}
		require.True(t, r.Size == 0 || r.Size >= r.Painted && r.Size >= r.Table/blurTolerance-0.1)
	}
	require.Positive(t, passed)
	require.Positive(t, failed)
}
