package measure

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
)

// watched is a face of 40 pixels at x of a person.
func watched(person int, x float64) TrueFace {
	return TrueFace{Person: person, Box: geom.Box{X: x, Y: 100, W: 30, H: 40}, Visible: 1}
}

// veil returns a region that covers a face well.
func veil(f TrueFace) Region {
	return Region{Box: f.Box.Pad(0.3, 0.5), Face: f.Box, Source: "detected", Track: uint64(f.Person) + 1} //nolint:gosec // small
}

// script makes a pair of 400 × 300 pixels with a frame each second.
func script(n int, faces func(i int) []TrueFace, regions func(i int) []Region) Pair {
	t, r := &Truth{Path: "t"}, &Report{Path: "r"}
	for i := range n {
		t.Frames = append(t.Frames, TruthFrame{Frame: i, PTS: float64(i), Width: 400, Height: 300, Faces: faces(i), Line: i + 1})
		r.Frames = append(r.Frames, ReportFrame{Frame: i, PTS: float64(i), Width: 400, Height: 300, Regions: regions(i), Line: i + 1})
	}
	return Pair{t, r}
}

func score(t *testing.T, o Options, pairs ...Pair) *Result {
	t.Helper()
	if o.Filter == (Filter{}) {
		o.Filter = DefaultFilter
	}
	r, err := Score(pairs, o)
	require.NoError(t, err)
	return r
}

func TestPerfectCoverIsPerfect(t *testing.T) {
	f := watched(0, 100)
	r := score(t, Options{}, script(10, func(int) []TrueFace { return []TrueFace{f} }, func(int) []Region { return []Region{veil(f)} }))
	h := r.Headline
	require.Equal(t, 10, h.Faces)
	require.Equal(t, 10, h.Covered)
	require.Equal(t, Number(1), h.Recall)
	require.InDelta(t, 1, float64(h.IoU), 1e-12)
	require.Equal(t, Number(1), h.Coverage)
	require.Equal(t, Number(1), h.NeverExposed)
	require.Zero(t, h.LongestRun)
	require.Zero(t, h.ExposedPerHour)
	require.Zero(t, h.FirstCoverMax)
	require.Zero(t, r.Area.False)
	require.InDelta(t, veil(f).Box.Area()/120000, float64(r.Area.Obscured), 1e-12)
	require.Equal(t, Steady{Share: none}.People, r.Steady.People, "the face is smaller than 48 pixels")
	require.Zero(t, r.Flicker.Appear)
	require.Zero(t, r.Flicker.Move)
	require.Empty(t, r.Leaks)
	require.InDelta(t, 10, r.Seconds, 1e-9)
}

func TestRunsAndTimesOfAPerson(t *testing.T) {
	f, g := watched(0, 100), watched(1, 250)
	// Person 0 is exposed in 0–2, 5, 8–9; person 1 is in view from 4 on and never
	// covered; in 6 they are out of view, in 8 turned away.
	r := score(t, Options{}, script(10, func(i int) []TrueFace {
		faces := []TrueFace{f}
		if i >= 4 && i != 6 {
			other := g
			if i == 8 {
				other.Yaw = 80
			}
			faces = append(faces, other)
		}
		return faces
	}, func(i int) []Region {
		if i <= 2 || i == 5 || i >= 8 {
			return nil
		}
		return []Region{veil(f)}
	}))
	h := r.Headline
	require.Equal(t, 10+4, h.Faces)
	require.Equal(t, 6+4, h.Exposed)
	require.Equal(t, 2, h.People)
	require.Zero(t, h.NeverExposed)
	require.Equal(t, 3, h.LongestRun)
	require.InDelta(t, 10.0/10*3600, float64(h.ExposedPerHour), 1e-9)
	require.Equal(t, 1, h.NeverCovered)
	require.InDelta(t, 3, float64(h.FirstCoverMax), 1e-9)
	require.Equal(t, 1, r.Hard.Faces)
	require.Equal(t, 1, r.Hard.Exposed)

	require.Len(t, r.People, 2)
	require.Equal(t, 3, r.People[0].LongestRun)
	require.Equal(t, 2, r.People[1].LongestRun, "4, 5 | 7, (8), 9: being turned away ends no run, being away does")
	var runs [][3]int
	for _, l := range r.Leaks {
		runs = append(runs, [3]int{l.Person, l.First, l.Last})
	}
	require.Equal(t, [][3]int{{0, 0, 2}, {1, 4, 5}, {0, 5, 5}, {1, 7, 9}, {0, 8, 9}}, runs)
	require.Equal(t, 2, r.Leaks[3].Frames)
	require.InDelta(t, 2, r.Leaks[3].Seconds, 1e-9)
}

func TestCoveredNeedsNinetyFivePercentOfWhatIsInThePicture(t *testing.T) {
	for _, c := range []struct {
		name    string
		face    geom.Box
		boxes   []geom.Box
		covered bool
		share   float64
	}{
		{"95 of 100", geom.Box{X: 100, Y: 100, W: 100, H: 100}, []geom.Box{{X: 100, Y: 100, W: 95, H: 100}}, true, 0.95},
		{"94 of 100", geom.Box{X: 100, Y: 100, W: 100, H: 100}, []geom.Box{{X: 100, Y: 100, W: 94, H: 100}}, false, 0.94},
		{"two that overlap", geom.Box{X: 100, Y: 100, W: 100, H: 100}, []geom.Box{{X: 100, Y: 100, W: 60, H: 100}, {X: 110, Y: 100, W: 60, H: 100}}, false, 0.7},
		{"two that meet", geom.Box{X: 100, Y: 100, W: 100, H: 100}, []geom.Box{{X: 90, Y: 90, W: 60, H: 200}, {X: 150, Y: 90, W: 60, H: 200}}, true, 1},
		{"half outside", geom.Box{X: -50, Y: 100, W: 100, H: 100}, []geom.Box{{X: 0, Y: 100, W: 50, H: 100}}, true, 1},
		{"half outside, half of the rest", geom.Box{X: -50, Y: 100, W: 100, H: 100}, []geom.Box{{X: 0, Y: 100, W: 25, H: 100}}, false, 0.5},
	} {
		var regions []Region
		for _, b := range c.boxes {
			regions = append(regions, Region{Box: b, Source: geom.Zone})
		}
		r := score(t, Options{}, script(1, func(int) []TrueFace { return []TrueFace{{Box: c.face, Visible: 1}} }, func(int) []Region { return regions }))
		require.Equal(t, c.covered, r.Headline.Covered == 1, c.name)
		require.InDelta(t, c.share, float64(r.Headline.Coverage), 1e-12, c.name)
	}
}

func TestABoxFindsOneFace(t *testing.T) {
	a, b := watched(0, 100), watched(1, 104)
	r := score(t, Options{}, script(1, func(int) []TrueFace { return []TrueFace{a, b} }, func(int) []Region {
		return []Region{veil(a), {Box: b.Box, Face: b.Box, Source: geom.Zone}, {Box: b.Box, Face: b.Box, Source: "failsafe"}}
	}))
	require.Equal(t, 1, r.Headline.Found)
	require.Equal(t, 1, r.Boxes)
	require.Equal(t, 1, r.Matched)

	half := Region{Box: a.Box, Face: geom.Box{X: a.Box.X, Y: a.Box.Y, W: a.Box.W / 2, H: a.Box.H}, Source: "held"}
	less := half
	less.Face.W--
	for region, found := range map[*Region]int{&half: 1, &less: 0} {
		r := score(t, Options{}, script(1, func(int) []TrueFace { return []TrueFace{a} }, func(int) []Region { return []Region{*region} }))
		require.Equal(t, found, r.Headline.Found)
	}
}

func TestFalseAreaIsWhatNoPaddedFaceAndNoZoneHas(t *testing.T) {
	f := watched(0, 100) // padded: 82 … 148, 60 … 164
	ignored := TrueFace{Person: 1, Box: geom.Box{X: 300, Y: 200, W: 10, H: 10}, Ignore: true}
	r := score(t, Options{}, script(2, func(int) []TrueFace { return []TrueFace{f, ignored} }, func(i int) []Region {
		if i == 1 {
			return nil
		}
		return []Region{
			{Box: geom.Box{X: 82, Y: 60, W: 66, H: 104}, Face: f.Box, Source: "detected", Track: 1},
			{Box: geom.Box{X: 148, Y: 60, W: 10, H: 104}, Face: f.Box, Source: "held", Track: 2}, // 1040 too many
			{Box: geom.Box{X: 295, Y: 195, W: 20, H: 20}, Face: ignored.Box, Source: "detected", Track: 3},
			{Box: geom.Box{X: 0, Y: 200, W: 50, H: 50}, Source: geom.Zone},
			{Box: geom.Box{X: 0, Y: 200, W: 60, H: 50}, Face: geom.Box{X: 10, Y: 210, W: 20, H: 20}, Source: "tracked", Track: 4}, // 500 next to the zone
		}
	}))
	// The ignored face allows 294 … 316, 190 … 216.
	require.InDelta(t, 1540.0/120000, float64(r.Area.FalseMax), 1e-12)
	require.InDelta(t, 1540.0/120000/2, float64(r.Area.False), 1e-12)
	require.Equal(t, 0, r.Area.FalseMaxFrame)
	require.Equal(t, "24–48", r.BySize[2].Name)
	require.InDelta(t, 1040.0/120000/2, float64(*r.BySize[2].FalseArea), 1e-12)
	last := r.BySize[len(r.BySize)-1]
	require.Equal(t, noFace, last.Name)
	require.InDelta(t, 500.0/120000/2, float64(*last.FalseArea), 1e-12)
	require.InDelta(t, 500.0/120000/2, float64(*r.ByYaw[len(r.ByYaw)-1].FalseArea), 1e-12)
	require.Equal(t, map[geom.Source]int{"detected": 2, "held": 1, geom.Zone: 1, "tracked": 1}, r.Sources)
}

func TestSlateIsFalseAreaAndCovers(t *testing.T) {
	f := watched(0, 100)
	r := score(t, Options{}, script(2, func(int) []TrueFace { return []TrueFace{f} }, func(int) []Region {
		return []Region{{Box: geom.Box{W: 400, H: 300}, Source: "failsafe"}}
	}))
	require.Zero(t, r.Headline.Exposed)
	require.InDelta(t, 1-66.0*104/120000, float64(r.Area.False), 1e-12)
	require.InDelta(t, float64(r.Area.False), float64(*r.BySize[len(r.BySize)-1].FalseArea), 1e-12)
}

func TestFlickerCountsRegionsThatComeGoAndShake(t *testing.T) {
	f := watched(0, 100)
	track := func(id uint64, x float64) Region {
		return Region{Box: geom.Box{X: x, Y: 50, W: 100, H: 100}, Face: f.Box, Source: "tracked", Track: id}
	}
	// Track 1 moves by 4, 4, 8, then goes; a region without track comes and
	// moves by 2 and 2; a zone is there by order in every other frame.
	r := score(t, Options{}, script(5, func(int) []TrueFace { return []TrueFace{f} }, func(i int) []Region {
		out := [][]Region{
			{track(1, 80)},
			{track(1, 84)},
			{track(1, 88), track(0, 10)},
			{track(0, 12), track(1, 96)},
			{track(0, 14)},
		}[i]
		if i%2 == 0 {
			out = append(out, Region{Box: geom.Box{X: 300, Y: 200, W: 9, H: 9}, Source: geom.Zone})
		}
		return out
	}))
	require.InDelta(t, 1.0/5, float64(r.Flicker.Appear), 1e-12)
	require.InDelta(t, 1.0/5, float64(r.Flicker.Vanish), 1e-12)
	require.Zero(t, r.Flicker.TrueAppear)
	// Vertical edges move, horizontal ones stand: half of each.
	require.InDelta(t, (4+4+8+2+2)/2.0/5, float64(r.Flicker.Move), 1e-12)
	require.InDelta(t, (0+4+0)/2.0/3, float64(r.Flicker.Jitter), 1e-12)
	require.InDelta(t, float64(r.Flicker.Move), float64(r.BySize[2].Flicker.Move), 1e-12)
}

func TestBucketsVaryOneThingAndHardIsTheRest(t *testing.T) {
	face := func(p int, size, yaw, visible float64) TrueFace {
		return TrueFace{Person: p, Box: geom.Box{X: 20 * float64(p), Y: 50, W: size / 2, H: size}, Yaw: yaw, Visible: visible}
	}
	faces := []TrueFace{
		face(0, 12, 0, 1), face(1, 16, 45, 1), face(2, 24, -45.1, 1), face(3, 48, -80, 1), face(4, 96, 15, 0.5), face(5, 200, 16, 0.6), face(6, 60, math.NaN(), 1),
	}
	r := score(t, Options{}, script(2, func(int) []TrueFace { return faces }, func(int) []Region { return nil }))
	require.Equal(t, 2*3, r.Headline.Faces, "1, 5 and 6")
	require.Equal(t, 2*4, r.Hard.Faces)
	counts := func(groups []Group) (out []int) {
		for _, g := range groups {
			out = append(out, g.Faces)
		}
		return out
	}
	require.Equal(t, []int{2, 2, 0, 2, 0, 2, 0}, counts(r.BySize))
	require.Equal(t, []int{0, 4, 2, 2, 2, 0}, counts(r.ByYaw))
}

func TestSteadyPeopleAreHeldUpToAFrame(t *testing.T) {
	big := func(p int) TrueFace {
		return TrueFace{Person: p, Box: geom.Box{X: float64(100 * p), Y: 100, W: 50, H: 60}, Visible: 1}
	}
	r := score(t, Options{}, script(6, func(i int) []TrueFace {
		faces := []TrueFace{big(0), big(1)}
		if i < 4 {
			faces = append(faces, big(2)) // not long enough
		}
		return faces
	}, func(i int) []Region {
		var out []Region
		if i != 2 && i != 4 {
			out = append(out, veil(big(0)))
		}
		if i < 4 {
			out = append(out, veil(big(1)))
		}
		return out
	}))
	require.Equal(t, Steady{People: 2, Held: 1, Share: 0.5}, r.Steady)
}

func TestMissingLinesExposeAndExtraOnesAreSaid(t *testing.T) {
	f := watched(0, 100)
	p := script(6, func(int) []TrueFace { return []TrueFace{f} }, func(int) []Region { return []Region{veil(f)} })
	p.Report.Frames = append(p.Report.Frames[:2:2], p.Report.Frames[4:]...)
	p.Truth.Frames = p.Truth.Frames[:5]
	r := score(t, Options{}, p)
	require.Equal(t, 2, r.Missing)
	require.Equal(t, 1, r.Extra)
	require.Equal(t, 2, r.Headline.Exposed)
	require.Equal(t, 2, r.Headline.LongestRun)
	require.Zero(t, r.Flicker.Appear, "where nothing is known nothing appears")
}

func TestReportsThatCountFromOneAreRefused(t *testing.T) {
	f := watched(0, 100)
	// The face is covered in frame 0 only.
	pair := func() Pair {
		return script(4, func(int) []TrueFace { return []TrueFace{f} }, func(i int) []Region {
			if i == 0 {
				return []Region{veil(f)}
			}
			return nil
		})
	}
	zero, one := 0, 1
	p := pair()
	for i := range p.Report.Frames {
		p.Report.Frames[i].Frame++
	}
	_, err := Score([]Pair{p}, Options{Filter: DefaultFilter})
	require.ErrorContains(t, err, "r:1: ")
	require.ErrorContains(t, err, "--report-first 1")
	r := score(t, Options{ReportFirst: &one}, p)
	require.Equal(t, []int{3, 1, 3}, []int{r.Headline.Exposed, r.Leaks[0].First, r.Leaks[0].Last})
	r = score(t, Options{ReportFirst: &zero, IgnorePTS: true}, p)
	require.Equal(t, []int{1, 3, 1}, []int{r.Missing, r.Headline.Exposed, r.Extra})

	p = pair()
	for i := range p.Truth.Frames {
		p.Truth.Frames[i].Frame++
	}
	_, err = Score([]Pair{p}, Options{Filter: DefaultFilter})
	require.ErrorContains(t, err, "t:1: ")
	require.ErrorContains(t, err, "--truth-first 1")
	require.Equal(t, 3, score(t, Options{TruthFirst: &one}, p).Headline.Exposed)

	_, err = Score([]Pair{pair()}, Options{Filter: DefaultFilter, ReportFirst: &one})
	require.ErrorContains(t, err, "before the first")
}

func TestFramesMustBeOfTheSameTime(t *testing.T) {
	pair := func() Pair {
		return script(4, func(int) []TrueFace { return nil }, func(int) []Region { return nil })
	}
	p := pair()
	p.Report.Frames[2].PTS = math.NaN()
	p.Report.Frames[3].PTS = 3.5
	score(t, Options{}, p)
	// The first picture is lost, and the others are numbered from 0.
	for i := range p.Report.Frames {
		p.Report.Frames[i].PTS = float64(i) + 1
	}
	_, err := Score([]Pair{p}, Options{})
	require.ErrorContains(t, err, "r:1: frame 0 is at 1 s, and at 0 s in t:1")
	score(t, Options{IgnorePTS: true}, p)
}

func TestSizesMustAgree(t *testing.T) {
	p := script(3, func(int) []TrueFace { return nil }, func(int) []Region { return nil })
	p.Report.Frames[2].Width = 200
	_, err := Score([]Pair{p}, Options{Filter: DefaultFilter})
	require.ErrorContains(t, err, "r:3: frame 2 has 200×300 pixels, and 400×300 in t:3")
}

func TestStillsCountFacesAndHaveNoTime(t *testing.T) {
	f := TrueFace{Person: 0, Box: geom.Box{X: 100, Y: 100, W: 40, H: 40}, Visible: 1, Yaw: math.NaN()}
	g := f
	g.Person, g.Box.X = 1, 200
	still := func(name string, faces ...TrueFace) *Truth {
		return &Truth{Path: "t", File: name, Still: true, Frames: []TruthFrame{{Faces: faces}}}
	}
	page := func(name string, regions ...Region) *Report {
		return &Report{Path: "r", File: name, Frames: []ReportFrame{{Frame: 17, Width: 400, Height: 300, Regions: regions, Line: 1}}}
	}
	r := score(t, Options{}, Pair{still("a.jpg", f, g), page("a.jpg", veil(f))}, Pair{still("b.jpg", f), page("b.jpg", veil(f))})
	require.Equal(t, 2, r.Stills)
	require.Equal(t, 3, r.Headline.Faces)
	require.Equal(t, 2, r.Headline.Covered)
	require.Equal(t, 3, r.Headline.People)
	require.Equal(t, 1, r.Headline.LongestRun)
	require.False(t, r.Headline.ExposedPerHour.Known())
	require.False(t, r.Flicker.Appear.Known())
	leak := r.Leaks[0]
	require.False(t, leak.Yaw.Known())
	leak.Yaw = 0 // NaN is not itself
	require.Equal(t, Leak{File: "a.jpg", Person: 1, Frames: 1, Size: 40, Visible: 1, Box: []int{200, 100, 40, 40}}, leak)

	twice := page("a.jpg")
	twice.Frames = append(twice.Frames, ReportFrame{Frame: 18, Width: 400, Height: 300, Line: 2})
	_, err := Score([]Pair{{still("a.jpg"), twice}}, Options{Filter: DefaultFilter})
	require.ErrorContains(t, err, "r:2: ")
}

func TestLeaksAreBounded(t *testing.T) {
	var faces []TrueFace
	for i := range 200 {
		f := watched(i, float64(i))
		faces = append(faces, f)
	}
	const n = 2 * (MaxLeaks/200 + 5)
	r := score(t, Options{}, script(n, func(int) []TrueFace { return faces }, func(i int) []Region {
		if i%2 == 0 {
			return []Region{{Box: geom.Box{W: 400, H: 300}, Source: "failsafe"}}
		}
		return nil
	}))
	require.Len(t, r.Leaks, MaxLeaks)
	require.Equal(t, 5*200, r.LeaksLeftOut)
}

func TestFilterIsChecked(t *testing.T) {
	p := script(1, func(int) []TrueFace { return nil }, func(int) []Region { return nil })
	for _, f := range []Filter{{MinSize: -1}, {MaxYaw: 181}, {MinVisible: 1.1}, {MinSize: math.NaN()}} {
		_, err := Score([]Pair{p}, Options{Filter: f})
		require.Error(t, err)
	}
	_, err := Score(nil, Options{})
	require.Error(t, err)
}
