package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/condition"
	"scrim/redact/face"
	"scrim/redact/geom"
)

// steps returns a picture of bright and dark squares.
func squares() *planes {
	p := newPlanes(canvasWidth, canvasHeight)
	for c := range p.rgb {
		for i := range p.rgb[c] {
			p.rgb[c][i] = 60
			if (i%canvasWidth/40+i/canvasWidth/40)%2 == 1 {
				p.rgb[c][i] = 180
			}
		}
	}
	return p
}

func measured(t *testing.T, d degradation) condition.Condition {
	t.Helper()
	p := squares()
	d.apply(p, rand.New(rand.NewPCG(1, 1)))
	im, err := p.toYUV()
	require.NoError(t, err)
	return condition.Measure(im)
}

func TestDegradationsAreWhatIsMeasured(t *testing.T) {
	clean := measured(t, degradation{Light: 1})
	require.InDelta(t, 60, clean.Dark, 2)
	require.InDelta(t, 180, clean.Bright, 2)
	// The luma of three colours with noise of their own.
	require.InDelta(t, 20*math.Sqrt(0.299*0.299+0.587*0.587+0.114*0.114), measured(t, degradation{Light: 1, Noise: 20}).Noise, 2)
	require.InDelta(t, 18, measured(t, degradation{Light: 0.1}).Bright, 2)
	require.InDelta(t, 0.1*clean.Contrast, measured(t, degradation{Light: 1, Fog: 0.9}).Contrast, 1)
	require.Greater(t, measured(t, degradation{Light: 4}).Clipped, 0.45)
	soft, softer := measured(t, degradation{Light: 1, Blur: 2}).Blur, measured(t, degradation{Light: 1, Blur: 4}).Blur
	require.Greater(t, soft, clean.Blur+0.5)
	require.Greater(t, softer, soft+0.5)
}

func TestNothingIsDoneToACleanPicture(t *testing.T) {
	p := squares()
	named()[0].apply(p, rand.New(rand.NewPCG(1, 1)))
	require.Equal(t, squares(), p)
	require.Equal(t, "clean", named()[0].name())
}

func TestGrainHasTheDeviationThatIsAskedFor(t *testing.T) {
	p := newPlanes(canvasWidth, canvasHeight)
	p.noise(10, 1.5, rand.New(rand.NewPCG(1, 1)))
	sum := 0.0
	for _, v := range p.rgb[1] {
		sum += float64(v) * float64(v)
	}
	require.InDelta(t, 10, math.Sqrt(sum/float64(len(p.rgb[1]))), 0.2)
}

func TestCodingLosesMoreTheLowerTheQuality(t *testing.T) {
	before := 0.0
	for _, q := range []int{95, 50, 12, 4} {
		r := rand.New(rand.NewPCG(1, 1))
		p := squares()
		p.noise(10, 0, r)
		coded := p.clone()
		coded.code(q)
		lost := 0.0
		for i, v := range p.rgb[1] {
			lost += math.Abs(float64(v - coded.rgb[1][i]))
		}
		require.Greater(t, lost, before, "quality %d", q)
		before = lost
	}
	flat := newPlanes(20, 20)
	for c := range flat.rgb {
		for i := range flat.rgb[c] {
			flat.rgb[c][i] = 128
		}
	}
	coded := flat.clone()
	coded.code(5)
	require.Equal(t, flat, coded)
}

func TestScalingKeepsTheMean(t *testing.T) {
	for _, to := range [][2]int{{320, 180}, {100, 90}, {900, 500}} {
		q := squares().scaled(geom.Box{W: canvasWidth, H: canvasHeight}, to[0], to[1])
		sum := 0.0
		for _, v := range q.rgb[0] {
			sum += float64(v)
		}
		require.InDelta(t, 120, sum/float64(len(q.rgb[0])), 2)
	}
}

func TestFaceIsFoundIfOneRegionCoversIt(t *testing.T) {
	box := geom.Box{X: 100, Y: 100, W: 30, H: 40}
	for name, c := range map[string]struct {
		f    face.Face
		want bool
	}{
		"the same":           {face.Face{Box: box}, true},
		"weak":               {face.Face{Box: box, Weak: true}, false},
		"a little aside":     {face.Face{Box: geom.Box{X: 106, Y: 104, W: 30, H: 40}}, true},
		"aside":              {face.Face{Box: geom.Box{X: 125, Y: 100, W: 30, H: 40}}, false},
		"far too large":      {face.Face{Box: geom.Box{X: 0, Y: 0, W: 300, H: 300}}, false},
		"only the upper lip": {face.Face{Box: geom.Box{X: 110, Y: 120, W: 10, H: 6}}, false},
	} {
		require.Equal(t, c.want, found([]face.Face{c.f}, box), name)
	}
	require.False(t, found(nil, box))
}
