package redact

import (
	"errors"
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

// later is a detector that finds a face only in obscured pictures, as long as a part of
// it is visible, and the given number of times more.
type later struct {
	box   geom.Box
	score float64
	stays int
	looks int
	err   error
}

func (l *later) Detect(im *yuv.Image) ([]face.Face, error) {
	l.looks++
	r := l.box.Rect()
	if r.In(im.Bounds()) && im.Y[r.Min.Y*im.YStride+r.Min.X] == 16 && l.looks > l.stays {
		return nil, l.err
	}
	return []face.Face{{Box: l.box, Score: l.score}}, l.err
}
func (l *later) Info() DetectorInfo { return DetectorInfo{Name: "later"} }
func (l *later) Close() error       { return nil }

// again is setup with a second look by l, and a face found in the first pass.
func again(t *testing.T, l *later, zones ...zone.Zone) (*Redactor, *Gate) {
	t.Helper()
	p, g := &parts{faces: []face.Face{{Box: geom.Box{X: 4, Y: 4, W: 4, H: 4}, Score: 0.9}}}, NewGate(Cause{Text: "starting"})
	r, err := New(Options{
		Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p, Zones: zones,
		SecondLook: SecondLook{Detector: l, Padding: 0.3, PaddingTop: 0.5},
	})
	require.NoError(t, err)
	return r, g
}

func TestWhatIsFoundOnlyAfterwardsIsObscuredAndCertified(t *testing.T) {
	l := &later{box: geom.Box{X: 30, Y: 20, W: 10, H: 10}, score: 0.5}
	r, g := again(t, l)
	for n := uint64(1); n <= 3; n++ {
		l.looks = 0
		f, _, err := redactOne(r, next(t, g, n, n == 1))
		require.NoError(t, err)
		require.Equal(t, 2, l.looks, "it looks until nothing is found")
		require.Len(t, f.Regions(), 2)
		reg := f.Regions()[1]
		require.Equal(t, geom.Region{
			Rect: image.Rect(27, 15, 43, 33), Face: l.box, Score: 0.5, Source: geom.Detected, Track: FirstSecondTrack + n - 1,
		}, reg)
		require.NotEqual(t, reg.Track, f.Regions()[0].Track)
		require.Equal(t, hashRegions(f.Regions()), f.Inspection().RegionsHash)
		require.EqualValues(t, 16, f.Image().Y[25*f.Image().YStride+35])
		require.True(t, g.Admits(f, r.now()))
	}
}

func TestSecondLooksEndAndCoverMoreEachTime(t *testing.T) {
	l := &later{box: geom.Box{X: 30, Y: 20, W: 10, H: 10}, score: 0.5, stays: 1000}
	r, g := again(t, l)
	f, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.Equal(t, MaxSecondLooks, l.looks)
	regions := f.Regions()[1:]
	require.Len(t, regions, MaxSecondLooks)
	for i := range regions[1:] {
		require.True(t, regions[i].Rect.In(regions[i+1].Rect))
		require.NotEqual(t, regions[i].Rect, regions[i+1].Rect)
	}
}

func TestSecondLookLeavesAloneWhatItNeedNotCover(t *testing.T) {
	outside := &later{box: geom.Box{X: 64, Y: 20, W: 10, H: 10}, score: 0.9}
	r, g := again(t, outside)
	f, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.Len(t, f.Regions(), 1)
	screen := &later{box: geom.Box{X: 46, Y: 2, W: 8, H: 8}, score: 0.9}
	r, g = again(t, screen, zone.Zone{Kind: zone.Ignore, Name: "tv", Reason: "own_screen",
		Polygon: []zone.Point{{X: 0.7, Y: 0}, {X: 0.9, Y: 0}, {X: 0.9, Y: 0.3}, {X: 0.7, Y: 0.3}}})
	f, _, err = redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.Len(t, f.Regions(), 1)
}

// Covers resemble faces, and covering those creates more.
func TestOnlyWhatIsSurelyFoundCountsTheSecondTime(t *testing.T) {
	l := &later{box: geom.Box{X: 30, Y: 20, W: 10, H: 10}, score: repeatScore - 0.01, stays: 1000}
	r, g := again(t, l)
	f, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.Equal(t, 2, l.looks)
	require.Len(t, f.Regions(), 2)
}

func TestSecondLookThatFailsWithholdsThePicture(t *testing.T) {
	for _, l := range []*later{
		{err: errors.New("no")},
		{box: geom.Box{X: 1e9, W: 9, H: 9}, score: 0.9, stays: 9},
	} {
		l.box.W, l.box.H = 9, 9
		r, g := again(t, l)
		if l.box.X > 64 {
			r.o.SecondLook.Detector = &parts{faces: []face.Face{{Box: l.box, Score: 0.9}}}
		}
		_, _, err := redactOne(r, next(t, g, 1, true))
		require.ErrorContains(t, err, "second detection pass failed")
		_, open, _ := g.State()
		require.False(t, open)
	}
}

// A weak candidate may continue a face that was found before. It is not a face by
// itself.
func TestSecondLookCoversNoWeakSightings(t *testing.T) {
	r, g := again(t, &later{})
	r.o.SecondLook.Detector = &parts{faces: []face.Face{{Box: geom.Box{X: 30, Y: 20, W: 10, H: 10}, Score: 0.9, Weak: true}}}
	f, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.Len(t, f.Regions(), 1)
}

// A detector that never stops finding faces is broken or compromised.
func TestSecondLookFindsSoManyFacesAndNoMore(t *testing.T) {
	for _, many := range []int{maxSecondFaces, maxSecondFaces + 1} {
		r, g := again(t, &later{})
		l := &once{later{box: geom.Box{X: 30, Y: 20, W: 10, H: 10}, score: 0.9}, many}
		r.o.SecondLook.Detector = l
		f, _, err := redactOne(r, next(t, g, 1, true))
		if many > maxSecondFaces {
			require.ErrorContains(t, err, "second detection pass failed")
			continue
		}
		require.NoError(t, err)
		require.Len(t, f.Regions(), 1+many)
	}
}

// once finds so many faces the first time.
type once struct {
	later
	many int
}

func (o *once) Detect(*yuv.Image) (faces []face.Face, err error) {
	for range o.many {
		faces = append(faces, face.Face{Box: o.box, Score: o.score})
	}
	o.many = 0
	return faces, nil
}

// A picture in which nothing more is found allocates nothing.
func TestSecondLookAllocatesNothing(t *testing.T) {
	im, err := yuv.New(64, 48)
	require.NoError(t, err)
	p := &parts{}
	s := SecondLook{Detector: p}
	regions := make([]geom.Region, 3)
	all := func(f []face.Face) []face.Face { return f }
	_, err = s.look(im, regions, p, all)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.look(im, regions, p, all) }))
}
