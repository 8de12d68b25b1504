package motion

import (
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

const (
	width  = 320
	height = 180
)

var place = image.Rect(140, 60, 172, 160)

func TestBackgroundIsKnownWithinTenSeconds(t *testing.T) {
	for _, interval := range []time.Duration{40 * time.Millisecond, 200 * time.Millisecond, time.Second} {
		c := newCamera(t, Options{}, width, height)
		c.interval = interval
		begin := c.at
		m := c.look(nil)
		require.False(t, m.Known)
		require.Equal(t, WhyLearning, m.Why)
		require.Empty(t, m.Regions)
		for !m.Known {
			m = c.look(nil)
			require.Less(t, c.at.Sub(begin), 10*time.Second+2*interval)
		}
		require.GreaterOrEqual(t, c.at.Sub(begin), learnTime)
	}
}

// The bound: a cell whose mean luma differs by more than leastLuma, in good light
// and without noise, is covered, and so is everything within growth cells.
func TestWhatDiffersIsCovered(t *testing.T) {
	c := learned(t, Options{}, width, height)
	rapid.Check(t, func(rt *rapid.T) {
		c.t = rt
		type walker struct {
			r       image.Rectangle
			dx, dy  int
			y, u, v byte
		}
		var walkers []walker
		for range rapid.IntRange(1, 4).Draw(rt, "walkers") {
			x, y := rapid.IntRange(0, width-1).Draw(rt, "x"), rapid.IntRange(0, height-1).Draw(rt, "y")
			sample := func(name string) byte { return byte(rapid.IntRange(20, 230).Draw(rt, name)) }
			walkers = append(walkers, walker{
				r:  image.Rect(x, y, x+rapid.IntRange(4, 40).Draw(rt, "w"), y+rapid.IntRange(4, 60).Draw(rt, "h")),
				dx: rapid.IntRange(-9, 9).Draw(rt, "dx"), dy: rapid.IntRange(-4, 4).Draw(rt, "dy"),
				y: sample("luma"), u: sample("u"), v: sample("v"),
			})
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			m := c.look(func(im *yuv.Image) {
				for i := range walkers {
					w := &walkers[i]
					paint(im, w.r, w.y, w.u, w.v)
					w.r = w.r.Add(image.Pt(w.dx, w.dy))
				}
			})
			require.True(rt, m.Known, m.Why)
			requireDifferencesCovered(rt, c, m)
		}
	})
}

// requireDifferencesCovered compares means that it computes itself.
func requireDifferencesCovered(t require.TestingT, c *camera, m redact.Motion) {
	covered := make([]bool, width*height)
	for _, r := range m.Regions {
		require.Equal(t, geom.Moving, r.Source)
		require.Equal(t, r.Rect, r.Shape.Bounds())
		require.True(t, r.Rect.In(c.im.Bounds()))
		for y := r.Rect.Min.Y; y < r.Rect.Max.Y; y++ {
			for _, s := range r.Shape.Row(y) {
				for x := s.From; x < s.To; x++ {
					covered[y*width+x] = true
				}
			}
		}
	}
	for y := 0; y < height; y += smallCell {
		for x := 0; x < width; x += smallCell {
			sum := 0
			for k := range smallCell * smallCell {
				at := (y+k/smallCell)*c.im.YStride + x + k%smallCell
				sum += int(c.im.Y[at]) - int(c.empty.Y[at])
			}
			if d := float64(sum) / (smallCell * smallCell); max(d, -d) > leastLuma+1 {
				r := image.Rect(x, y, x+smallCell, y+smallCell).Inset(-growth * smallCell).Intersect(c.im.Bounds())
				for cy := r.Min.Y; cy < r.Max.Y; cy++ {
					for cx := r.Min.X; cx < r.Max.X; cx++ {
						require.True(t, covered[cy*width+cx], "%d, %d is bare; the cell at %d, %d differs by %v", cx, cy, x, y, d)
					}
				}
			}
		}
	}
}

func TestWhoStandsStillStaysCovered(t *testing.T) {
	c := learned(t, Options{Absorb: DefaultAbsorb}, width, height)
	who := person(place, 60, 120, 140)
	for range 5 * 60 * 5 {
		requireCovered(t, c.look(who), place, "who stands still")
	}
	m := c.play(2*time.Second, nil)
	require.Empty(t, m.Regions, "after leaving")
}

func TestWhatStandsStillIsAbsorbedInTheEnd(t *testing.T) {
	for _, absorb := range []time.Duration{0, time.Minute} {
		c := learned(t, Options{Absorb: absorb}, width, height)
		who := person(place, 60, 120, 140)
		requireCovered(t, c.play(58*time.Second, who), place, "before")
		m := c.play(10*time.Second, who)
		if absorb == 0 {
			requireCovered(t, c.play(time.Hour/20, who), place, "forever")
			continue
		}
		requireShown(t, m, place, "after")
		// Some of the wall is like the person.
		require.Greater(t, coveredShare(c.play(2*time.Second, nil).Regions, place), 0.9, "what was absorbed has gone")
	}
}

func TestWhoMovesAHandIsNotAbsorbed(t *testing.T) {
	c := learned(t, Options{Absorb: 10 * time.Second}, width, height)
	who := person(place, 60, 120, 140)
	n := 0
	m := c.play(time.Minute, func(im *yuv.Image) {
		who(im)
		n++
		paint(im, image.Rect(150, 110, 162, 118).Add(image.Pt(0, n/25%2*8)), 200, 128, 128)
	})
	requireCovered(t, m, image.Rect(140, 88, 172, 132), "around the hand")
}

func TestFaceKeepsAPlaceCovered(t *testing.T) {
	c := learned(t, Options{Absorb: 10 * time.Second}, width, height)
	who := person(place, 60, 120, 140)
	// The detector runs once a second.
	n := 0
	for range 60 * 5 {
		c.seen.Faces = nil
		if n++; n%5 == 0 {
			c.seen.Faces = faceIn(place)
		}
		requireCovered(t, c.look(who), place, "while a face is found")
	}
	c.seen.Faces = nil
	requireShown(t, c.play(15*time.Second, who), place, "after the face was lost")
}

func TestFacesAreNotLearned(t *testing.T) {
	c := newCamera(t, Options{}, width, height)
	who := person(place, 60, 120, 140)
	c.seen.Faces = faceIn(place)
	requireCovered(t, c.play(10*time.Second, who), place, "was there from the start")
	c.seen.Faces = nil
	requireCovered(t, c.play(time.Minute, who), place, "turns away")
	requireCovered(t, c.play(time.Minute, nil), place, "a place never seen empty")
}

// A street has dozens of weak candidates. If each kept the place of a person from being
// learned, there would be no background.
func TestWeakFacesDoNotKeepPlacesFromBeingLearned(t *testing.T) {
	c := newCamera(t, Options{}, width, height)
	for x := range 8 {
		for y := range 4 {
			f := faceIn(image.Rect(x*width/8, y*height/4, x*width/8+12, y*height/4+16))
			f[0].Weak, f[0].Score = true, 0.15
			c.seen.Faces = append(c.seen.Faces, f...)
		}
	}
	m := c.play(10*time.Second, nil)
	require.True(t, m.Known)
	require.Empty(t, m.Regions)
}

func TestNothingIsLearnedWithoutSight(t *testing.T) {
	c := newCamera(t, Options{Absorb: time.Second}, width, height)
	c.seen.Learn = false
	m := c.play(time.Minute, nil)
	require.False(t, m.Known)
	require.Equal(t, WhyUnseen, m.Why)
	c.seen.Learn = true
	require.True(t, c.play(10*time.Second, nil).Known)
	c.seen.Learn = false
	who := person(place, 60, 120, 140)
	requireCovered(t, c.play(time.Minute, who), place, "is not absorbed by a blind camera")
	c.gain = 0.4
	m = c.play(time.Minute, who)
	require.False(t, m.Known)
	c.seen.Learn = true
	require.True(t, c.play(12*time.Second, nil).Known)
}

func TestWhatMovesIsNotLearnedAround(t *testing.T) {
	c := learned(t, Options{}, width, height)
	was := append([]float32(nil), c.b.model.mean[0]...)
	c.play(time.Minute, person(place, 60, 120, 140))
	c.b.grid.each(place, func(i int) { require.InDelta(t, was[i], c.b.model.mean[0][i], 0.01) })
}

func TestPersonOfTheSameLumaIsCovered(t *testing.T) {
	c := learned(t, Options{}, width, height)
	m := c.play(time.Second, func(im *yuv.Image) {
		for y := place.Min.Y / 2; y < place.Max.Y/2; y++ {
			for x := place.Min.X / 2; x < place.Max.X/2; x++ {
				im.U[y*im.CStride+x], im.V[y*im.CStride+x] = 100, 165
			}
		}
	})
	requireCovered(t, m, place, "another colour")
}

func TestNoiseDoesNotFloodThePicture(t *testing.T) {
	for _, sigma := range []float64{1, 3, 5, 10, 15, 25, 35, 50} {
		c := newCamera(t, Options{}, width, height)
		c.sigma = sigma
		c.play(10*time.Second, nil)
		known, worst := 0, 0.0
		for range 100 {
			if m := c.look(nil); m.Known {
				known++
				worst = max(worst, coveredShare(m.Regions, c.im.Bounds()))
			} else {
				require.Equal(t, WhyNoisy, m.Why, "sigma %v", sigma)
			}
		}
		require.Less(t, worst, 0.05, "sigma %v", sigma)
		if sigma <= 25 {
			require.Equal(t, 100, known, "sigma %v", sigma)
		}
		m := c.play(time.Second, person(place, 40, 120, 140))
		require.True(t, !m.Known || near(coveredShare(m.Regions, place), 1), "sigma %v: covered, or known to be hidden", sigma)
	}
}

func near(a, b float64) bool { return a > b-1e-9 && a < b+1e-9 }

func TestNoiseThatGrows(t *testing.T) {
	c := learned(t, Options{}, width, height)
	who := person(place, 40, 120, 140)
	for range 60 * 5 {
		c.sigma += 50.0 / (60 * 5)
		m := c.look(who)
		require.True(t, !m.Known || near(coveredShare(m.Regions, place), 1), "sigma %v", c.sigma)
		require.True(t, !m.Known || coveredShare(m.Regions, c.im.Bounds()) < 0.3, "sigma %v: %v", c.sigma, coveredShare(m.Regions, c.im.Bounds()))
	}
}

func TestLightOfTheWholePictureIsCompensated(t *testing.T) {
	for _, gain := range []float64{0.8, 0.9, 1.1, 1.2} {
		c := learned(t, Options{}, width, height)
		c.gain = gain
		m := c.look(nil)
		require.True(t, m.Known, "gain %v: %s", gain, m.Why)
		require.Less(t, coveredShare(m.Regions, c.im.Bounds()), 0.02, "gain %v", gain)
		requireCovered(t, c.play(time.Second, person(place, 40, 120, 140)), place, "a person in another light")
	}
}

func TestDarknessWithinASecond(t *testing.T) {
	c := learned(t, Options{}, width, height)
	who := person(place, 50, 120, 140)
	c.play(5*time.Second, who)
	for range 5 {
		c.gain -= 0.19
		m := c.look(who)
		require.True(t, !m.Known || near(coveredShare(m.Regions, place), 1), "gain %v", c.gain)
	}
	for range 100 {
		m := c.look(who)
		require.False(t, m.Known)
		require.Equal(t, WhyDark, m.Why)
	}
	c.gain = 1
	requireCovered(t, c.play(3*time.Second, who), place, "light again: it is the same background")
}

// A lamp lights most of the picture, not all of it alike.
func lamp(im *yuv.Image) {
	for y := range im.Height {
		for x := range im.Width {
			at := y*im.YStride + x
			im.Y[at] = byte(min(235, int(im.Y[at])+70*(im.Width-x)/im.Width))
		}
	}
}

func TestLampThatIsSwitchedOn(t *testing.T) {
	c := learned(t, Options{Absorb: DefaultAbsorb}, width, height)
	who := person(place, 40, 120, 140)
	lit := func(im *yuv.Image) { who(im); lamp(im) }
	c.play(10*time.Second, who)
	m := c.look(lit)
	require.False(t, m.Known)
	require.Equal(t, WhyLight, m.Why)
	m = c.play(12*time.Second, lit)
	requireCovered(t, m, place, "who stood there before is not learned")
	requireShown(t, m, image.Rect(0, 0, 100, 50), "the rest is")
	c.seen.Learn = false
	requireCovered(t, c.play(time.Second, who), place, "the lamp is off: that background is known")
	requireShown(t, c.play(2*time.Second, who), image.Rect(0, 0, 100, 50), "the rest is shown at once")
	requireCovered(t, c.play(time.Second, lit), place, "and on again")
}

func TestCameraThatIsTurned(t *testing.T) {
	c := learned(t, Options{Absorb: DefaultAbsorb}, width, height)
	c.play(5*time.Second, nil)
	c.shift = 40
	m := c.play(500*time.Millisecond, nil)
	require.False(t, m.Known)
	require.Contains(t, []string{WhyMoved, WhyLight}, m.Why)
	m = c.play(12*time.Second, nil)
	require.True(t, m.Known, m.Why)
	require.Less(t, coveredShare(m.Regions, c.im.Bounds()), 0.05)
}

func TestCameraThatIsBumpedAndReturns(t *testing.T) {
	c := learned(t, Options{}, width, height)
	c.play(5*time.Second, nil)
	c.shift = 12
	c.play(500*time.Millisecond, nil)
	c.shift = 0
	require.True(t, c.look(nil).Known)
	require.Empty(t, c.play(2*time.Second, nil).Regions)
}

func TestWhoComesNearDoesNotBecomeBackground(t *testing.T) {
	c := learned(t, Options{Absorb: DefaultAbsorb}, width, height)
	near := image.Rect(60, 20, 260, 180)
	for i := range 25 {
		c.look(person(near.Add(image.Pt(-260+i*260/25, 0)), 60, 120, 140))
	}
	requireCovered(t, c.play(time.Minute, person(near, 60, 120, 140)), near, "stands before the camera")
	require.Empty(t, c.play(2*time.Second, nil).Regions)
}

func TestRegionsAreRightAtOnceWhenWanted(t *testing.T) {
	c := newCamera(t, Options{}, width, height)
	c.interval = 40 * time.Millisecond
	c.seen.Wanted = false
	m := c.play(20*time.Second, nil)
	require.True(t, m.Known)
	require.Empty(t, m.Regions)
	c.play(5*time.Second, person(place, 60, 120, 140))
	c.seen.Wanted = true
	requireCovered(t, c.look(person(place, 60, 120, 140)), place, "the first wanted picture")
	c.seen.Wanted = false
	c.play(30*time.Second, nil)
	c.seen.Wanted = true
	requireCovered(t, c.look(person(place, 60, 120, 140)), place, "came with this picture")
}

func TestOtherSizeForgets(t *testing.T) {
	c := learned(t, Options{}, width, height)
	im := room(t, 2*width, height+2)
	m, err := c.b.Observe(c.at, im, c.seen)
	require.NoError(t, err)
	require.False(t, m.Known)
	c.b.Reset()
	require.False(t, c.look(nil).Known)
}

func TestClockThatGoesBack(t *testing.T) {
	c := learned(t, Options{}, width, height)
	c.at = c.at.Add(-time.Hour)
	requireCovered(t, c.play(3*time.Second, person(place, 60, 120, 140)), place, "after the clock went back")
	c.at = c.at.Add(24 * time.Hour)
	requireCovered(t, c.look(person(place, 60, 120, 140)), place, "after a day")
}

func TestPartsKeepTheirNumbers(t *testing.T) {
	c := learned(t, Options{}, width, height)
	a, b := image.Rect(20, 60, 40, 150), image.Rect(260, 60, 280, 150)
	draw := func(im *yuv.Image) {
		paint(im, a, 30, 120, 140)
		paint(im, b, 220, 120, 140)
	}
	m := c.play(time.Second, draw)
	require.Len(t, m.Regions, 2)
	ids := map[bool]uint64{}
	for _, r := range m.Regions {
		require.GreaterOrEqual(t, r.Track, uint64(redact.FirstMovingTrack))
		require.Less(t, r.Track, uint64(redact.FirstBodyTrack))
		ids[r.Rect.Min.X < 100] = r.Track
	}
	before := m.Regions
	m = c.look(draw)
	require.Same(t, before[0].Shape, m.Regions[0].Shape, "what does not change is the same shape")
	for range 10 {
		a, b = a.Add(image.Pt(3, 0)), b.Add(image.Pt(-3, 0))
		m = c.look(draw)
		require.Len(t, m.Regions, 2)
		for _, r := range m.Regions {
			require.Equal(t, ids[r.Rect.Min.X < 100], r.Track)
		}
	}
}

func TestBadPicturesAreErrors(t *testing.T) {
	b, err := New(Options{})
	require.NoError(t, err)
	im := room(t, width, height)
	short := *im
	short.Y = im.Y[:100]
	narrow := *im
	narrow.CStride = 3
	for _, bad := range []*yuv.Image{nil, {}, &short, &narrow} {
		_, err := b.Observe(time.Now(), bad, redact.Seen{Wanted: true, Learn: true})
		require.Error(t, err)
	}
	for _, size := range [][2]int{{1, 1}, {3, 5}, {7, 180}, {961, 541}} {
		odd, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		odd.Fill(200, 128, 128)
		at := time.Unix(1e9, 0)
		for range 60 {
			_, err = b.Observe(at, odd, redact.Seen{Wanted: true, Learn: true})
			require.NoError(t, err)
			at = at.Add(200 * time.Millisecond)
		}
	}
	_, err = New(Options{Absorb: -time.Second})
	require.Error(t, err)
}
