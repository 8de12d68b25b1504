package track

import (
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact"
	"scrim/redact/face"
)

var _ redact.Tracker = (*Tracker)(nil)

var start = time.Unix(1_700_000_000, 0)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func one(x, y, size float64) []face.Face {
	return []face.Face{{Box: face.Box{X: x, Y: y, W: size, H: size * 1.3}, Score: 0.8}}
}

func TestLostFaceStaysCoveredForASecondAndItsRegionGrows(t *testing.T) {
	tr := New(Options{})
	first := tr.Update(1, at(0), one(100, 100, 40), 640, 360)[0].Rect
	area := 0
	for ms := 40; ms <= 1000; ms += 40 {
		r := tr.Update(1, at(ms), nil, 640, 360)
		require.Len(t, r, 1, "%d ms", ms)
		require.Equal(t, face.Held, r[0].Source)
		require.Equal(t, uint64(1), r[0].Track)
		require.True(t, first.In(r[0].Rect))
		require.GreaterOrEqual(t, r[0].Rect.Dx()*r[0].Rect.Dy(), area)
		area = r[0].Rect.Dx() * r[0].Rect.Dy()
	}
	require.Greater(t, area, first.Dx()*first.Dy())
	require.Empty(t, tr.Update(1, at(1040), nil, 640, 360))
}

func TestFaceThatWalksOnWhileLostStaysCovered(t *testing.T) {
	tr := New(Options{})
	for ms := 0; ms <= 1000; ms += 40 { // 2 face widths a second
		tr.Update(1, at(ms), one(float64(ms)*0.08, 100, 40), 640, 360)
	}
	for ms := 1040; ms <= 1400; ms += 40 {
		r := tr.Update(1, at(ms), nil, 640, 360)
		require.Len(t, r, 1)
		require.True(t, one(float64(ms)*0.08, 100, 40)[0].Box.Rect().In(r[0].Rect), "%d ms", ms)
	}
}

func TestFaceKeepsItsTrackOverAGapAndACrossing(t *testing.T) {
	tr := New(Options{})
	var left, right uint64
	for ms := 0; ms <= 4000; ms += 40 {
		x := float64(ms) * 0.05
		a, b := one(100+x, 100, 40)[0], one(300-x, 130, 40)[0]
		faces := []face.Face{a, b}
		if ms%400 == 200 {
			faces = faces[:1] // the other is missed now and then
		}
		for _, r := range tr.Update(1, at(ms), faces, 640, 360) {
			if r.Source != face.Detected {
				continue
			}
			switch {
			case r.Face == a.Box && left == 0:
				left = r.Track
			case r.Face == b.Box && right == 0:
				right = r.Track
			case r.Face == a.Box:
				require.Equal(t, left, r.Track, "%d ms", ms)
			case r.Face == b.Box:
				require.Equal(t, right, r.Track, "%d ms", ms)
			}
		}
	}
	require.NotEqual(t, left, right)
}

func TestRegionOfAFaceThatTremblesIsCalm(t *testing.T) {
	tr := New(Options{})
	var rects []image.Rectangle
	for i := range 100 {
		jitter := float64(i%3) * 0.7
		r := tr.Update(1, at(40*i), one(200+jitter, 100-jitter, 50+jitter/2), 640, 360)
		if len(rects) == 0 || r[0].Rect != rects[len(rects)-1] {
			rects = append(rects, r[0].Rect)
		}
	}
	require.LessOrEqual(t, len(rects), 3)
}

func TestRegionDoesNotStayLargeWhenAFaceGoesAway(t *testing.T) {
	tr := New(Options{})
	var last image.Rectangle
	for i := range 100 {
		last = tr.Update(1, at(40*i), one(200, 100, 150-float64(i)), 640, 360)[0].Rect
	}
	need := face.Pad(one(200, 100, 51)[0].Box, MinPadding, DefaultPaddingTop)
	require.Less(t, last.Dx()*last.Dy(), 2*need.Dx()*need.Dy())
}

func TestResetForgets(t *testing.T) {
	tr := New(Options{})
	tr.Update(1, at(0), one(100, 100, 40), 640, 360)
	tr.Reset()
	require.Empty(t, tr.Update(2, at(40), nil, 320, 180))
	require.Equal(t, uint64(2), tr.Update(3, at(80), one(100, 100, 40), 320, 180)[0].Track)
}

func TestPaddingIsNeverLessThanTheMinimum(t *testing.T) {
	for _, o := range []Options{{}, {Padding: 0.01, PaddingTop: 0.01}, {Padding: -1, PaddingTop: -1}} {
		r := New(o).Update(1, at(0), one(100, 100, 100), 640, 360)[0].Rect
		require.True(t, image.Rect(70, 61, 230, 269).In(r), "%v", r)
	}
}

func TestTracksAreBoundedAndNoFaceOfThePictureIsDropped(t *testing.T) {
	tr := New(Options{})
	for i := range 5 {
		var faces []face.Face
		for j := range 500 {
			faces = append(faces, one(float64(j%50)*60+float64(i)*3000, float64(j/50)*80, 20)...)
		}
		r := tr.Update(1, at(i), faces, 1<<14, 2304)
		require.LessOrEqual(t, len(r), MaxTracks)
		requireCovered(t, r, faces, 1<<14, 2304)
	}
}

func requireCovered(t require.TestingT, regions []face.Region, faces []face.Face, width, height int) {
	for _, f := range faces {
		box := f.Box.Rect().Intersect(image.Rect(0, 0, width, height))
		covered := box.Empty()
		for _, r := range regions {
			covered = covered || box.In(r.Rect)
		}
		require.True(t, covered, "%v", box)
	}
}

// Whatever faces come, each lies within a region, tracks have numbers of their
// own, and what was found within the last second is still covered.
func TestEveryFaceIsCoveredAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := New(Options{})
		now := 0
		for range rapid.IntRange(1, 12).Draw(t, "pictures") {
			now += rapid.IntRange(0, 700).Draw(t, "ms")
			var faces []face.Face
			for range rapid.IntRange(0, 6).Draw(t, "faces") {
				faces = append(faces, face.Face{
					Box: face.Box{
						X: rapid.Float64Range(-50, 350).Draw(t, "x"), Y: rapid.Float64Range(-50, 250).Draw(t, "y"),
						W: rapid.Float64Range(0, 150).Draw(t, "w"), H: rapid.Float64Range(0, 150).Draw(t, "h"),
					},
					Score: rapid.Float64Range(0, 1).Draw(t, "score"),
				})
			}
			regions := tr.Update(1, at(now), faces, 320, 180)
			requireCovered(t, regions, faces, 320, 180)
			seen := map[uint64]bool{}
			for _, r := range regions {
				require.NotZero(t, r.Track)
				require.False(t, seen[r.Track])
				seen[r.Track] = true
			}
		}
	})
}

func TestUpdateDoesNotAllocateInSteadyState(t *testing.T) {
	tr := New(Options{})
	faces := append(one(100, 100, 40), one(300, 100, 40)...)
	i := 0
	step := func() {
		i++
		tr.Update(uint64(i), at(40*i), faces[:1+i%2], 640, 360)
	}
	for range 50 {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(200, step))
}
