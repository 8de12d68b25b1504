package track

import (
	"image"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
)

var _ redact.Tracker = (*Window)(nil)

var start = time.Unix(1_700_000_000, 0)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func one(x, y, size float64) []face.Face {
	return []face.Face{{Box: geom.Box{X: x, Y: y, W: size, H: size * 1.3}, Score: 0.8}}
}

func TestLostFaceStaysCoveredForASecondAndItsRegionGrows(t *testing.T) {
	tr := New(Options{})
	first := tr.Update(at(0), one(100, 100, 40), 640, 360)[0].Rect
	area := 0
	for ms := 40; ms <= 1000; ms += 40 {
		r := tr.Update(at(ms), nil, 640, 360)
		require.Len(t, r, 1, "%d ms", ms)
		require.Equal(t, geom.Held, r[0].Source)
		require.Equal(t, uint64(1), r[0].Track)
		require.True(t, first.In(r[0].Rect))
		require.GreaterOrEqual(t, r[0].Rect.Dx()*r[0].Rect.Dy(), area)
		area = r[0].Rect.Dx() * r[0].Rect.Dy()
	}
	require.Greater(t, area, first.Dx()*first.Dy())
	require.Empty(t, tr.Update(at(1040), nil, 640, 360))
}

// What was taken for a face once, with a score just above the threshold, is
// covered for some pictures and not for a second; what is seen again and again
// is a face.
func TestHoldIsAsLongAsWhatWasSeenWarrants(t *testing.T) {
	held := func(scores ...float64) int {
		tr := New(Options{})
		for i, score := range scores {
			f := one(100, 100, 40)
			f[0].Score = score
			tr.Update(at(40*i), f, 640, 360)
		}
		ms := 40
		for ; len(tr.Update(at(40*(len(scores)-1)+ms), nil, 640, 360)) > 0; ms += 40 {
			require.Less(t, ms, 2000)
		}
		return ms - 40
	}
	require.Equal(t, 1000, held(0.9))
	require.Equal(t, 1000, held(certainScore))
	require.Equal(t, 240, held(0.3))
	require.Equal(t, 240, held(0.3, 0.3, 0.3, 0.3))
	require.Greater(t, held(0.5, 0.5), held(0.5))
	require.Greater(t, held(0.5), held(0.4))
	require.Equal(t, 1000, held(0.3, 0.3, 0.9, 0.3), "a face that turns away")
}

// A walker who is lost stays covered whether he walks on, stops, or anything
// between, while the region leaves behind where he cannot be any more.
func TestWalkerWhoIsLostIsCoveredWhereHeMayBe(t *testing.T) {
	const size, speed = 40.0, 6 * 40.0 // pixels, pixels a second
	walk := func(stop float64) {       // slows down evenly, 0: goes on
		tr := New(Options{})
		for ms := 0; ms <= 1000; ms += 40 {
			tr.Update(at(ms), one(speed*float64(ms)/1000, 300, size), 1280, 720)
		}
		for ms := 1040; ms <= 1600; ms += 40 {
			dt := float64(ms-1000) / 1000
			if stop > 0 {
				dt = min(dt, speed/stop)
			}
			x := speed + speed*dt - stop*dt*dt/2
			r := tr.Update(at(ms), nil, 1280, 720)
			require.True(t, one(x, 300, size)[0].Box.Rect().In(r[0].Rect), "%d ms, slowing down by %v", ms, stop)
			if ms > 1400 {
				require.Greater(t, r[0].Rect.Min.X, int(speed-size), "%d ms", ms)
			}
		}
	}
	for _, stop := range []float64{0, 100, 200, 8 * size} {
		walk(stop)
	}
}

func TestFaceThatWalksOnWhileLostStaysCovered(t *testing.T) {
	tr := New(Options{})
	for ms := 0; ms <= 1000; ms += 40 { // 2 face widths a second
		tr.Update(at(ms), one(float64(ms)*0.08, 100, 40), 640, 360)
	}
	for ms := 1040; ms <= 1400; ms += 40 {
		r := tr.Update(at(ms), nil, 640, 360)
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
		for _, r := range tr.Update(at(ms), faces, 640, 360) {
			if r.Source != geom.Detected {
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
		r := tr.Update(at(40*i), one(200+jitter, 100-jitter, 50+jitter/2), 640, 360)
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
		last = tr.Update(at(40*i), one(200, 100, 150-float64(i)), 640, 360)[0].Rect
	}
	need := one(200, 100, 51)[0].Box.Pad(MinPadding, DefaultPaddingTop).Rect()
	require.Less(t, 10*last.Dx()*last.Dy(), 23*need.Dx()*need.Dy())
}

func TestResetForgets(t *testing.T) {
	tr := New(Options{})
	tr.Update(at(0), one(100, 100, 40), 640, 360)
	tr.Reset()
	require.Empty(t, tr.Update(at(40), nil, 320, 180))
	require.Equal(t, uint64(2), tr.Update(at(80), one(100, 100, 40), 320, 180)[0].Track)
}

func TestPaddingIsNeverLessThanTheMinimum(t *testing.T) {
	for _, o := range []Options{{}, {Padding: 0.01, PaddingTop: 0.01}, {Padding: -1, PaddingTop: -1}} {
		r := New(o).Update(at(0), one(100, 100, 100), 640, 360)[0].Rect
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
		r := tr.Update(at(i), faces, 1<<14, 2304)
		require.LessOrEqual(t, len(r), MaxTracks)
		requireCovered(t, r, faces, 1<<14, 2304)
	}
}

func requireCovered(t require.TestingT, regions []geom.Region, faces []face.Face, width, height int) {
	for _, f := range faces {
		box := f.Box.Rect().Intersect(image.Rect(0, 0, width, height))
		covered := box.Empty()
		for _, r := range regions {
			covered = covered || box.In(r.Rect)
		}
		require.True(t, covered, "%v", box)
	}
}

// A stranger who appears near a face that was just missed does not take its
// cover away.
func TestStrangerDoesNotTakeOverTheCoverOfALostFace(t *testing.T) {
	for _, c := range []struct {
		missed int // ms
		away   float64
	}{{40, 0.75}, {200, 1}, {400, 1.5}, {800, 2.5}, {900, 0.9}} {
		tr := New(Options{})
		lost := one(200, 100, 40)
		for ms := 0; ms <= 400; ms += 40 {
			tr.Update(at(ms), lost, 640, 360)
		}
		for ms := 440; ms < 400+c.missed; ms += 40 {
			tr.Update(at(ms), nil, 640, 360)
		}
		stranger := one(200+40*c.away, 100, 40)
		for ms := 400 + c.missed; ms <= 1400; ms += 40 {
			r := tr.Update(at(ms), stranger, 640, 360)
			requireCovered(t, r, append(stranger, lost...), 640, 360)
		}
	}
}

// Detectors find half of a face now and then.
func TestHalfAFaceDoesNotUncoverTheOther(t *testing.T) {
	tr := New(Options{})
	whole := geom.Box{X: 200, Y: 100, W: 60, H: 80}
	for ms := 0; ms <= 800; ms += 40 {
		tr.Update(at(ms), []face.Face{{Box: whole, Score: 0.9}}, 640, 360)
	}
	half := geom.Box{X: 200, Y: 100, W: 32, H: 42}
	for ms := 840; ms <= 960; ms += 40 {
		r := tr.Update(at(ms), []face.Face{{Box: half, Score: 0.9}}, 640, 360)
		requireCovered(t, r, []face.Face{{Box: whole}}, 640, 360)
	}
}

func TestLostFaceStaysCoveredForSomePicturesWhereTheyComeSlowly(t *testing.T) {
	tr := New(Options{})
	tr.Update(at(0), one(100, 100, 40), 640, 360)
	for i := 1; i <= 4; i++ {
		require.Len(t, tr.Update(at(5000*i), nil, 640, 360), 1)
	}
	require.Empty(t, tr.Update(at(60000), nil, 640, 360))
}

// Whatever faces come, each lies within a region, and so does every place at
// which a face was found, for as long as its score warrants, and nothing since;
// tracks have numbers of their own.
func TestEveryFaceIsCoveredAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := New(Options{Weak: rapid.Bool().Draw(t, "weak")})
		now := 0
		type place struct {
			face face.Face
			ms   int
		}
		var places []place
		for range rapid.IntRange(1, 12).Draw(t, "pictures") {
			now += rapid.IntRange(0, 700).Draw(t, "ms")
			var faces []face.Face
			for range rapid.IntRange(0, 6).Draw(t, "faces") {
				faces = append(faces, face.Face{
					Box: geom.Box{
						X: rapid.Float64Range(-50, 350).Draw(t, "x"), Y: rapid.Float64Range(-50, 250).Draw(t, "y"),
						W: rapid.Float64Range(0, 150).Draw(t, "w"), H: rapid.Float64Range(0, 150).Draw(t, "h"),
					},
					Score: rapid.Float64Range(0, 1).Draw(t, "score"),
				})
			}
			regions := tr.Update(at(now), faces, 320, 180)
			requireCovered(t, regions, faces, 320, 180)
			held := places[:0]
			for _, p := range places {
				taken := slices.ContainsFunc(faces, func(f face.Face) bool { return affinity(p.face.Box, f.Box, 1+reach) > 0 })
				near := tr.proximity(p.face.Box)
				sure := track{proximity: near, uncertainty: uncertainty(p.face.Score, near)}
				sure.lastConfident.score = p.face.Score
				if now-p.ms <= int(sure.hold(tr.o.Hold).Milliseconds()) && !taken {
					held = append(held, p)
					requireCovered(t, regions, []face.Face{p.face}, 320, 180)
				}
			}
			places = held
			for _, f := range faces {
				places = append(places, place{f, now})
			}
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
		tr.Update(at(40*i), faces[:1+i%2], 640, 360)
	}
	for range 50 {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(200, step))
}

// scroll feeds a Window and returns what it releases, in order.
func scroll(w *Window, faces [][]face.Face) [][]geom.Region {
	times := make([]time.Time, len(faces))
	for i := range faces {
		times[i] = at(40 * i)
	}
	return scrollAt(w, times, faces)
}

func scrollAt(w *Window, times []time.Time, faces [][]face.Face) (released [][]geom.Region) {
	release := func() {
		released = append(released, append([]geom.Region(nil), w.Release()...))
	}
	for i, f := range faces {
		w.Observe(times[i], f, 640, 360)
		if i >= w.Lookahead() {
			release()
		}
	}
	for len(released) < len(faces) {
		release()
	}
	return released
}

func TestFaceIsCoveredBeforeItWasFirstFound(t *testing.T) {
	var faces, truth [][]face.Face
	for i := range 30 {
		f := one(100+3*float64(i), 100, 40)
		truth = append(truth, f)
		if i < 9 {
			f = nil // it is there, and not found yet
		}
		faces = append(faces, f)
	}
	released := scroll(NewWindow(Options{}, 8), faces)
	for i, r := range released {
		if i >= 1 {
			requireCovered(t, r, truth[i], 640, 360)
		}
	}
	require.Empty(t, released[0], "8 pictures ahead, not 9")
	require.Equal(t, geom.Backfilled, released[5][0].Source)
}

func TestFaceIsCoveredBetweenTwoSightings(t *testing.T) {
	var faces, truth [][]face.Face
	for i := range 40 { // it stops, turns round and comes back: prediction fails
		x := 300 + 4*float64(i)
		if i > 15 {
			x = 300 + 4*15 - 6*float64(i-15)
		}
		f := one(x, 100, 30)
		truth = append(truth, f)
		if i > 15 && i < 23 {
			f = nil
		}
		faces = append(faces, f)
	}
	for i, r := range scroll(NewWindow(Options{}, 12), faces) {
		requireCovered(t, r, truth[i], 640, 360)
	}
}

// Looking ahead only ever covers more, whatever the detector says and however
// unevenly pictures come.
func TestHindsightTakesNothingAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var faces [][]face.Face
		var times []time.Time
		now, weak := 0, rapid.Bool().Draw(t, "weak")
		for range rapid.IntRange(1, 25).Draw(t, "pictures") {
			now += rapid.IntRange(1, 300).Draw(t, "ms")
			times = append(times, at(now))
			var f []face.Face
			for range rapid.IntRange(0, 3).Draw(t, "faces") {
				f = append(f, one(rapid.Float64Range(0, 600).Draw(t, "x"), rapid.Float64Range(0, 300).Draw(t, "y"), rapid.Float64Range(5, 100).Draw(t, "size"))...)
				last := &f[len(f)-1]
				last.Score = rapid.Float64Range(0.1, 1).Draw(t, "score")
				last.Weak = weak && last.Score < 0.3
			}
			faces = append(faces, f)
		}
		plain := scrollAt(NewWindow(Options{Weak: weak}, 0), times, faces)
		ahead := scrollAt(NewWindow(Options{Weak: weak}, rapid.IntRange(0, 30).Draw(t, "lookahead")), times, faces)
		for i := range plain {
			for j, r := range plain[i] {
				require.Equal(t, r, ahead[i][j])
			}
			for _, f := range faces[i] {
				if !f.Weak {
					requireCovered(t, ahead[i], []face.Face{f}, 640, 360)
				}
			}
			require.LessOrEqual(t, len(ahead[i]), MaxTracks)
		}
	})
}

func TestWindowIsBounded(t *testing.T) {
	require.Equal(t, MaxLookahead, NewWindow(Options{}, 1000).Lookahead())
	require.Zero(t, NewWindow(Options{}, -1).Lookahead())
	w := NewWindow(Options{}, 3)
	w.Observe(at(0), one(1, 1, 20), 640, 360)
	w.Reset()
	w.Observe(at(40), nil, 640, 360)
	require.Empty(t, w.Release(), "a face of before the reset")
}
