package track

import (
	"image"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/face"
	"scrim/redact/geom"
)

// interval is the time between the pictures of these tests.
const interval = 40 * time.Millisecond

// boxAt returns a face of a size around a centre.
func boxAt(x, y, size float64) geom.Box {
	return geom.Box{X: x - size/2, Y: y - 0.65*size, W: size, H: 1.3 * size}
}

// sighting is what a detector says of a box.
func sighting(b geom.Box) face.Face { return face.Face{Box: b, Score: 0.9} }

func TestWalkersKeepTheirTracksWhenBothAreHiddenWhileTheyCross(t *testing.T) {
	tr := New(Options{})
	const size, step, gap = 40.0, 10.0, 4 // pixels a picture; pictures on either side of the crossing
	var left, right uint64
	for i := -30; i <= 30; i++ {
		a, b := boxAt(600+step*float64(i), 300, size), boxAt(600-step*float64(i), 305, size)
		var faces []face.Face
		if i < -gap || i > gap {
			faces = []face.Face{sighting(a), sighting(b)}
		}
		for _, r := range tr.Update(start.Add(time.Duration(i)*interval), faces, 1280, 720) {
			if r.Source != geom.Detected {
				continue
			}
			id := &left
			if r.Face == b {
				id = &right
			}
			if i < 0 {
				*id = r.Track
			}
			require.Equal(t, *id, r.Track, "picture %d", i)
		}
	}
	require.NotEqual(t, left, right)
}

// A box around half of a face still overlaps enough to be the same face.
func TestNarrowerBoxDoesNotUncoverTheRestOfTheFaceAtOnce(t *testing.T) {
	tr := New(Options{})
	whole := geom.Box{X: 200, Y: 100, W: 60, H: 80}
	part := geom.Box{X: 200, Y: 100, W: 36, H: 50}
	require.Greater(t, part.IoU(whole), sameIoU)
	for i := range 20 {
		tr.Update(at(40*i), []face.Face{sighting(whole)}, 640, 360)
	}
	for i := 20; i < 23; i++ {
		r := tr.Update(at(40*i), []face.Face{sighting(part)}, 640, 360)
		requireCovered(t, r, []face.Face{sighting(whole)}, 640, 360)
	}
}

// While nothing is seen of a walker, who then turns aside, the region grows as
// fast as he may go.
func TestRegionGrowsAsFastAsALostWalkerTurnsAside(t *testing.T) {
	tr := New(Options{})
	const size = 100.0
	x := 200.0
	for i := range 25 {
		x = 200 + 0.04*size*float64(i) // a face size a second
		tr.Update(at(40*i), []face.Face{sighting(boxAt(x, 300, size))}, 1280, 720)
	}
	for i := 1; i <= 25; i++ {
		aside := boxAt(x, 300+0.5*size*1.3*0.04*float64(i), size)
		r := tr.Update(at(960+40*i), nil, 1280, 720)
		requireCovered(t, r, []face.Face{sighting(aside)}, 1280, 720)
	}
}

// Each person in a crowd that walks, turns, and is missed for up to 0.4 seconds
// at a time, or near the camera for half of that, stays covered from the first sighting on, under one cover that
// neither vanishes nor pops.
func TestWalkersStayUnderCalmCover(t *testing.T) {
	type walker struct {
		x, y, size, vx, vy, turn float64
		missed, found            int // pictures left without a sighting; with one, since
		seen                     bool
	}
	rapid.Check(t, func(t *rapid.T) {
		tr := New(Options{Weak: rapid.Bool().Draw(t, "weak")})
		var people []walker
		for range rapid.IntRange(1, 4).Draw(t, "people") {
			size := rapid.Float64Range(12, 120).Draw(t, "size")
			speed := rapid.Float64Range(0, 3).Draw(t, "speed") * size
			way := rapid.Float64Range(0, 2*math.Pi).Draw(t, "way")
			people = append(people, walker{
				x: rapid.Float64Range(300, 1600).Draw(t, "x"), y: rapid.Float64Range(300, 800).Draw(t, "y"),
				size: size, vx: speed * math.Cos(way), vy: speed * math.Sin(way) / 3,
				turn: rapid.Float64Range(-0.8, 0.8).Draw(t, "turn"), // radians a second
			})
		}
		noise := rapid.Float64Range(-0.03, 0.03)
		var before []geom.Region
		for i := range 50 {
			var faces []face.Face
			for k := range people {
				p := &people[k]
				dt := interval.Seconds()
				s, c := math.Sincos(p.turn * dt)
				p.vx, p.vy = c*p.vx-s*p.vy, s*p.vx+c*p.vy
				p.x, p.y = p.x+p.vx*dt, p.y+p.vy*dt
				if p.missed == 0 && p.found > steadySightings && rapid.IntRange(0, 19).Draw(t, "miss") == 0 {
					most := int(HoldWithWeak / interval)
					if sure := (track{proximity: tr.proximity(boxAt(p.x, p.y, 1.05*p.size))}); tr.o.Weak {
						sure.lastConfident.score = certainScoreNear
						most = int(sure.hold(tr.o.Hold) / interval)
					}
					p.missed = rapid.IntRange(1, most).Draw(t, "pictures")
				}
				if p.missed > 0 {
					p.missed--
					p.found = 0
					continue
				}
				p.seen = true
				p.found++
				faces = append(faces, sighting(boxAt(p.x+p.size*noise.Draw(t, "dx"), p.y+p.size*noise.Draw(t, "dy"), p.size*(1+noise.Draw(t, "ds")))))
			}
			regions := tr.Update(at(40*i), faces, 1920, 1080)
			for k := range people {
				if p := &people[k]; p.seen {
					requireCovered(t, regions, []face.Face{sighting(boxAt(p.x, p.y, p.size))}, 1920, 1080)
				}
			}
			if i > 0 {
				requireCalm(t, before, regions)
			}
			for k := range people {
				p := &people[k]
				if box := boxAt(p.x, p.y, p.size).Rect(); p.seen && box.In(image.Rect(0, 0, 1920, 1080)) {
					require.NotEmpty(t, regions, "the cover of somebody in the picture vanished")
				}
			}
			before = append(before[:0], regions...)
		}
	})
}

// requireCalm demands that no region pops: one that is there in two pictures
// moves each of its sides by no more than most of a face.
func requireCalm(t require.TestingT, before, now []geom.Region) {
	for _, b := range before {
		for _, r := range now {
			if r.Track != b.Track {
				continue
			}
			most := int(0.8*math.Max(r.Face.W, r.Face.H)) + 4
			for _, d := range []int{
				r.Rect.Min.X - b.Rect.Min.X, r.Rect.Min.Y - b.Rect.Min.Y,
				r.Rect.Max.X - b.Rect.Max.X, r.Rect.Max.Y - b.Rect.Max.Y,
			} {
				require.LessOrEqual(t, max(d, -d), most, "%v, then %v", b, r)
			}
		}
	}
}

// A fast walker is covered before the first sighting along the way that he
// came, which the place of that sighting does not hold.
func TestFastWalkerIsCoveredBeforeTheFirstSightingWhereHeCameFrom(t *testing.T) {
	const size, step, hidden = 40.0, 9.0, 8
	var faces, truth [][]face.Face
	for i := range 25 {
		f := []face.Face{sighting(boxAt(60+step*float64(i), 180, size))}
		truth = append(truth, f)
		if i < hidden {
			f = nil
		}
		faces = append(faces, f)
	}
	w := NewWindow(Options{}, 12)
	released := scroll(w, faces)
	for i, r := range released {
		requireCovered(t, r, truth[i], 640, 360)
	}
	here := truth[hidden][0].Box.Pad(0.3+growth, DefaultPaddingTop+growth).Rect()
	require.False(t, truth[0][0].Box.Rect().In(here), "this test would not notice")
}

// Somebody who stands, and walks a little way while he is hidden, is covered on
// the way between the two sightings, where no prediction would have looked.
func TestWayBetweenTwoSightingsIsCoveredWherePredictionFails(t *testing.T) {
	const size, hidden = 40.0, 10
	way := func(i int) geom.Box {
		return boxAt(200+0.15*size*float64(min(max(i-15, 0), hidden)), 180, size)
	}
	var faces [][]face.Face
	for i := range 40 {
		if i > 15 && i < 15+hidden {
			faces = append(faces, nil)
			continue
		}
		faces = append(faces, []face.Face{sighting(way(i))})
	}
	alone, failed := scroll(NewWindow(Options{}, 0), faces), false
	for i, r := range scroll(NewWindow(Options{}, 12), faces) {
		requireCovered(t, r, []face.Face{sighting(way(i))}, 640, 360)
		covered := false
		for _, a := range alone[i] {
			covered = covered || way(i).Rect().In(a.Rect)
		}
		failed = failed || !covered
	}
	require.True(t, failed, "prediction alone does it: this test would not notice")
}

// A face that is taken for another's gives that one a speed which nobody has.
// Its own place stays covered all the same.
func TestPlaceOfAFaceThatWasTakenForAnotherStaysCovered(t *testing.T) {
	tr := New(Options{})
	const size = 40.0
	for i := range 20 {
		tr.Update(at(40*i), []face.Face{sighting(boxAt(200, 200, size))}, 640, 360)
	}
	other := []face.Face{sighting(boxAt(200+0.9*size, 200, size))}
	require.Len(t, tr.Update(at(800), other, 640, 360), 2, "the same track, and a ghost")
	for i := 21; i <= 45; i++ {
		requireCovered(t, tr.Update(at(40*i), nil, 640, 360), other, 640, 360)
	}
}

// What is too doubtful to be a face by itself says where one is that was found
// before: it stays covered closely. It begins nothing, and goes on for
// some time only.
func TestWeakSightingsCarryAFaceOnAndBeginNone(t *testing.T) {
	const size = 40.0
	weak := func(i int) []face.Face {
		return []face.Face{{Box: boxAt(200+3*float64(i), 200, size), Score: 0.15, Weak: true}}
	}
	require.Empty(t, New(Options{Weak: true}).Update(at(0), weak(0), 1280, 720))

	tr := New(Options{Weak: true})
	for i := range 10 {
		f := weak(i)
		f[0].Score, f[0].Weak = 0.9, false
		tr.Update(at(40*i), f, 1280, 720)
	}
	last := 0
	for i := 10; i < 120; i++ {
		r := tr.Update(at(40*i), weak(i), 1280, 720)
		if len(r) == 0 {
			break
		}
		last = i
		if at(40*i).Sub(at(360)) <= weakCarryTime {
			require.Len(t, r, 1)
			require.Equal(t, geom.Tracked, r[0].Source)
			requireCovered(t, r, weak(i), 1280, 720)
			if at(40*i).Sub(at(360)) > HoldWithWeak+200*time.Millisecond {
				require.Less(t, r[0].Rect.Dx(), int(2.2*size), "it is known where the face is")
			}
		}
	}
	require.InDelta(t, (360*time.Millisecond + weakCarryTime + holdAfterWeak).Milliseconds(), 40*last, 40)
}

// A face that is surely one takes its track, however near a weak one is.
func TestWeakSightingTakesNoTrackFromAFace(t *testing.T) {
	tr := New(Options{Weak: true})
	face0 := boxAt(200, 200, 40)
	id := tr.Update(at(0), []face.Face{sighting(face0)}, 640, 360)[0].Track
	moved := sighting(boxAt(225, 200, 40))
	r := tr.Update(at(40), []face.Face{{Box: face0, Score: 0.2, Weak: true}, moved}, 640, 360)
	for _, g := range r {
		if g.Track == id {
			require.Equal(t, moved.Box, g.Face)
			require.Equal(t, geom.Detected, g.Source)
		}
	}
}

// Weak sightings that move off, as with somebody's shoulder, take the cover away
// no sooner than losing the face would.
func TestWeakSightingsThatMoveOffLeaveTheFaceCovered(t *testing.T) {
	tr := New(Options{Weak: true})
	still := geom.Box{X: 400, Y: 300, W: 100, H: 100}
	for i := range 25 {
		tr.Update(at(40*i), []face.Face{sighting(still)}, 1920, 1080)
	}
	off, hold := still, tr.tracks[0].hold(HoldWithWeak)
	require.Greater(t, hold, HoldWithWeak/2)
	for ms := 1000; ms <= 960+int(hold.Milliseconds()); ms += 40 {
		off.X += 12
		r := tr.Update(at(ms), []face.Face{{Box: off, Score: 0.12, Weak: true}}, 1920, 1080)
		requireCovered(t, r, []face.Face{sighting(still)}, 1920, 1080)
		require.Equal(t, geom.Tracked, r[0].Source)
	}
}

// Of a face that the edge of the picture cuts off the detector says little: there a weak
// sighting is the beginning of one that comes in.
func TestWeakSightingAtTheEdgeBeginsAFace(t *testing.T) {
	weak := func(x, y, size float64) []face.Face {
		return []face.Face{{Box: geom.Box{X: x, Y: y, W: size, H: size}, Score: 0.15, Weak: true}}
	}
	begins := func(f []face.Face) bool {
		tr := New(Options{Weak: true})
		for ms := 0; ms <= int(startupTime.Milliseconds()); ms += 40 {
			tr.Update(at(ms), nil, 1920, 1080)
		}
		return len(tr.Update(at(int(startupTime.Milliseconds())+40), f, 1920, 1080)) > 0
	}
	require.True(t, begins(weak(-5, 300, 30)))
	require.True(t, begins(weak(1895, 300, 30)))
	require.True(t, begins(weak(300, -5, 30)))
	require.True(t, begins(weak(300, 1055, 30)))
	require.False(t, begins(weak(0, 0, 30)), "all of it is visible")
	require.False(t, begins(weak(300, 300, 30)))
	require.False(t, begins(weak(-5, 300, 200)), "near the camera half a face is seen well")
}

// A tracker that has just begun, after a fault for instance, cannot know which weak
// sightings are of faces that were found well before.
func TestWeakSightingBeginsAFaceWhereNothingIsKnownOfBefore(t *testing.T) {
	weak := []face.Face{{Box: boxAt(400, 300, 30), Score: 0.15, Weak: true}}
	blind, near := int(startupTime.Milliseconds()), []face.Face{{Box: boxAt(400, 300, 200), Score: 0.15, Weak: true}}
	tr := New(Options{Weak: true})
	require.Empty(t, tr.Update(at(0), near, 1920, 1080), "near the camera the detector doubts no face")
	for ms := 0; ms < blind; ms += 40 {
		requireCovered(t, tr.Update(at(ms), weak, 1920, 1080), weak, 1920, 1080)
	}
	tr.Reset()
	require.NotEmpty(t, tr.Update(at(blind), weak, 1920, 1080), "it has forgotten all")

	for _, interval := range []int{40, 1000} { // also where pictures come slowly
		tr = New(Options{Weak: true})
		now := 0
		for ; now <= blind+interval; now += interval {
			tr.Update(at(now), nil, 1920, 1080)
		}
		require.Empty(t, tr.Update(at(now), weak, 1920, 1080))
		now += 4 * interval
		if interval < 1000 {
			now += int(maxGapTime.Milliseconds())
		}
		require.NotEmpty(t, tr.Update(at(now), weak, 1920, 1080), "much went unseen")
	}
}

// A weak sighting counts only where the face is thought to be.
func TestWeakSightingBesideAFaceIsNotThatFace(t *testing.T) {
	tr := New(Options{Weak: true})
	still := boxAt(400, 300, 100)
	for i := range 25 {
		tr.Update(at(40*i), []face.Face{sighting(still)}, 1920, 1080)
	}
	neighbour := boxAt(440, 300, 100)
	require.Greater(t, neighbour.IoU(still), 0.4)
	r := tr.Update(at(1000), []face.Face{{Box: neighbour, Score: 0.2, Weak: true}}, 1920, 1080)
	require.Len(t, r, 1)
	require.Equal(t, geom.Held, r[0].Source)
}
