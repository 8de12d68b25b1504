package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/condition"
	"scrim/redact/sight"
)

// truth is a table that observations are made by.
var truth = sight.Table{
	Clean: 17, Base: 14, Largest: maxHeight, UnknownBlur: 0.5,
	Noise:    sight.Curve{{X: 0.1}, {X: 1, Octaves: 2}},
	Contrast: sight.Curve{{X: 2, Octaves: 2}, {X: 45}},
	Blur:     sight.Curve{{X: 0.4}, {X: 4, Octaves: 3}},
	White:    sight.Curve{{X: 0.15}, {X: 0.7, Octaves: 2}},
}

// observed returns what a detector would find whose sight is that of truth, of n faces.
func observed(n int, p part, how func(r *rand.Rand) (degradation, condition.Condition)) []observation {
	r := rand.New(rand.NewPCG(7, 7))
	all := make([]observation, n)
	for i := range all {
		d, c := how(r)
		o := observation{Part: p, File: string(rune('a' + i%200)), Degradation: d, Condition: c, Clean: true}
		o.Height = minHeight * math.Pow(maxHeight/minHeight, r.Float64())
		z := math.Log2(o.Height / truth.Size(c))
		o.Found = r.Float64() > 1/(1+math.Exp(3*z+math.Log(certain/(1-certain))))
		all[i] = o
	}
	return all
}

func anyCondition(r *rand.Rand) (degradation, condition.Condition) {
	c := condition.Condition{Dark: 5, Median: 120, Bright: 240, Contrast: 50, Noise: 1, Blur: 0.3}
	switch r.IntN(4) {
	case 0:
		c.Noise = 50 * r.Float64()
	case 1:
		c.Contrast = 2 * math.Pow(25, r.Float64())
		c.Noise = c.Contrast / 50
	case 2:
		c.Blur = 0.3 + 3.7*r.Float64()
	case 3:
		c.Median, c.Clipped = 255, 0.7*r.Float64()
	}
	return degradation{Kind: "mixed", Light: 1}, c
}

func TestFittedTablePredictsTheSightThatObservationsAreMadeBy(t *testing.T) {
	got := fit(observed(15000, fitting, anyCondition)).table("test", "", truth.Clean)
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		_, c := anyCondition(r)
		want, size := truth.Size(c), got.Size(c)
		require.InDelta(t, 0, math.Log2(size/want), 0.45, "%v: %v for %v", c, size, want)
	}
}

func TestFacesMissedInTheCleanPictureSayNothingOfTheCondition(t *testing.T) {
	seen := observed(3000, fitting, anyCondition)
	want := fit(seen)
	for _, o := range observed(1000, fitting, anyCondition) {
		o.Found, o.Clean = false, false
		seen = append(seen, o)
	}
	require.Equal(t, want, fit(seen))
}

func TestSightOfOneConditionIsTheSizeOfWhichTheCertainShareIsFound(t *testing.T) {
	for _, blur := range []float64{0.3, 1.5, 3} {
		c := condition.Condition{Dark: 5, Median: 120, Bright: 240, Contrast: 50, Noise: 1, Blur: blur}
		seen := observed(20000, checking, func(*rand.Rand) (degradation, condition.Condition) { return degradation{}, c })
		require.InDelta(t, 0, math.Log2(sightOf(seen, true)/truth.Size(c)), 0.15, "blur %v", blur)
	}
	blind := observed(1000, checking, anyCondition)
	for i := range blind {
		blind[i].Found = i%2 == 0 // whatever the size
	}
	require.True(t, math.IsInf(sightOf(blind, true), 1))
}

func TestCheckComparesEachConditionWithWhatIsFound(t *testing.T) {
	blurred := named()[len(named())/2]
	var seen []observation
	for _, d := range []degradation{named()[0], blurred} {
		c := condition.Condition{Dark: 5, Median: 120, Bright: 240, Contrast: 50, Noise: 1, Blur: 0.3}
		if d != named()[0] {
			c.Blur = 2
		}
		seen = append(seen, observed(4000, checking, func(*rand.Rand) (degradation, condition.Condition) { return d, c })...)
	}
	all := check(seen, &truth, 1)
	require.Len(t, all, 2)
	require.Equal(t, "clean", all[0].kind)
	for _, o := range all {
		require.Equal(t, 200, o.photos)
		require.InDelta(t, 1, o.ratio(), 0.15)
		require.True(t, o.low <= o.observed && o.observed <= o.high, "%v in %v to %v", o.observed, o.low, o.high)
		_, high := o.above.wilson()
		require.Less(t, high, 1-certain)
		faces := 0
		for _, s := range o.bySize {
			faces += s.faces
		}
		require.Equal(t, 4000, faces)
	}
	optimistic := truth
	optimistic.Blur = sight.Curve{{X: 0.4}, {X: 4}}
	require.Less(t, check(seen, &optimistic, 1)[1].ratio(), 1/agreement)
}

func TestWilsonIntervals(t *testing.T) {
	for _, c := range []struct {
		missed, faces int
		low, high     float64
	}{{0, 100, 0, 0.037}, {5, 100, 0.0215, 0.1118}, {100, 100, 0.963, 1}, {0, 0, 0, 1}} {
		low, high := tally{faces: c.faces, missed: c.missed}.wilson()
		require.InDelta(t, c.low, low, 0.0005)
		require.InDelta(t, c.high, high, 0.0005)
	}
}

func TestTableIsFittedToTheFacesThatAreForFitting(t *testing.T) {
	clean := func(*rand.Rand) (degradation, condition.Condition) {
		_, c := anyCondition(rand.New(rand.NewPCG(0, 0)))
		c.Blur, c.Noise, c.Contrast, c.Clipped, c.Median = 0.3, 1, 50, 0, 120
		return named()[0], c
	}
	seen := append(observed(3000, fitting, anyCondition), observed(3000, fitting, clean)...)
	info := redact.DetectorInfo{Name: "net 640 on something", ModelSHA256: "abc"}
	want := fitTable(seen, info, "net")
	require.InDelta(t, truth.Clean, want.Clean, 1.5)
	require.Equal(t, "abc", want.SHA256)
	for _, o := range observed(1000, checking, anyCondition) {
		o.Found = false
		seen = append(seen, o)
	}
	require.Equal(t, want, fitTable(seen, info, "net"))
}
