package redact

import (
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

// zoned is setup with a triangular mask in the lower right corner, and an ignored zone
// in the upper left.
func zoned(t *testing.T, ahead int) (*Redactor, *parts, *Gate) {
	t.Helper()
	p, g := &parts{ahead: ahead}, NewGate(Cause{Text: "starting"})
	r, err := New(Options{Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p, Zones: []zone.Zone{
		{Kind: zone.Mask, Polygon: []zone.Point{{X: 1, Y: 0.5}, {X: 1, Y: 1}, {X: 0.5, Y: 1}}},
		{Kind: zone.Ignore, Name: "tv", Reason: "own_screen", Polygon: []zone.Point{{X: 0, Y: 0}, {X: 0.3, Y: 0}, {X: 0.3, Y: 0.33}, {X: 0, Y: 0.33}}},
	}})
	require.NoError(t, err)
	return r, p, g
}

func TestMasksAreInEveryPicture(t *testing.T) {
	for _, ahead := range []int{0, 2} {
		r, _, g := zoned(t, ahead)
		frames := 0
		for n := range uint64(5) {
			for _, o := range r.Redact(next(t, g, n+1, n == 0)) {
				require.NoError(t, o.Err)
				require.Len(t, o.Frame.Regions(), 1)
				m := o.Frame.Regions()[0]
				require.Equal(t, geom.Zone, m.Source)
				require.Equal(t, image.Rect(32, 24, 64, 48), m.Rect)
				require.NotNil(t, m.Outline())
				frames++
			}
		}
		require.Equal(t, 5-ahead, frames)
	}
}

func TestMasksFollowTheSizeOfThePicture(t *testing.T) {
	r, _, g := zoned(t, 0)
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	large := next(t, g, 2, false)
	large.Image, err = yuv.New(640, 480)
	require.NoError(t, err)
	f, _, err := redactOne(r, large)
	require.NoError(t, err)
	require.Equal(t, image.Rect(320, 240, 640, 480), f.Regions()[0].Rect)
}

func TestIgnoredFacesAreNotTrackedAndOthersAre(t *testing.T) {
	r, p, g := zoned(t, 0)
	screen := face.Face{Box: geom.Box{X: 5, Y: 5, W: 10, H: 10}, Score: 0.9}
	person := face.Face{Box: geom.Box{X: 40, Y: 5, W: 10, H: 10}, Score: 0.9}
	between := face.Face{Box: geom.Box{X: 14, Y: 5, W: 10, H: 10}, Score: 0.9}
	p.faces = []face.Face{screen, person, between}
	f, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.Len(t, f.Regions(), 3, "two faces and the mask")
	require.Equal(t, person.Box, f.Regions()[0].Face)
	require.Equal(t, between.Box, f.Regions()[1].Face)
}

// A mask does not excuse a tracker that loses a face: the face may leave it.
func TestFacesMustBeCoveredByTheTrackerEvenInAMask(t *testing.T) {
	r, p, g := zoned(t, 0)
	p.faces = []face.Face{{Box: geom.Box{X: 55, Y: 40, W: 6, H: 6}, Score: 0.9}}
	p.regions = func([]face.Face) []geom.Region { return nil }
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.ErrorContains(t, err, "face tracking failed")
	_, open, _ := g.State()
	require.False(t, open)
}

func TestMasksAreNotWrittenIntoTheTrackersMemory(t *testing.T) {
	r, p, g := zoned(t, 0)
	memory := make([]geom.Region, 2)
	p.regions = func([]face.Face) []geom.Region { return memory[:0] }
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.Equal(t, make([]geom.Region, 2), memory)
}

func TestCertificateKnowsTheShape(t *testing.T) {
	_, _, g := setup(t)
	p := next(t, g, 7, true)
	now := time.Unix(1000, 0)
	shape := func(to int) *geom.Shape {
		return geom.NewShape(0, [][]geom.Span{{{From: 0, To: 8}}, {{From: 0, To: to}}})
	}
	region := func(s *geom.Shape) []geom.Region { return []geom.Region{{Rect: image.Rect(0, 0, 8, 2), Shape: s}} }
	c := inspectionOf(p, "abc", now, MaxInspectionAge)
	c.RegionsHash = hashRegions(region(shape(3)))
	require.NoError(t, c.check(p, "abc", now, region(shape(3))))
	require.Error(t, c.check(p, "abc", now, region(shape(4))))
	require.Error(t, c.check(p, "abc", now, region(nil)))
	require.NotEqual(t, hashRegions(region(nil)), hashRegions(region(shape(3))))
	require.Equal(t, hashRegions(region(nil)), hashRegions(region(shape(8))), "all of the rectangle")
}

// Ignored zones never make a picture pass, however many there are.
func TestFacesAreCoveredWhereZonesWouldIgnoreTooMuch(t *testing.T) {
	box := func(x0, y0, x1, y1 float64) []zone.Point {
		return []zone.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
	}
	var tiles []zone.Zone
	for i := range 16 {
		x, y := float64(i%4)/4, float64(i/4)/4
		tiles = append(tiles, zone.Zone{Kind: zone.Ignore, Name: "all", Reason: "public_display", Polygon: box(x, y, x+0.25, y+0.25)})
	}
	for name, zones := range map[string][]zone.Zone{
		"whole frame": {{Kind: zone.Ignore, Name: "all", Reason: "public_display", Polygon: box(0, 0, 1, 1)}},
		"tiling":      tiles,
	} {
		p, g := &parts{}, NewGate(Cause{Text: "starting"})
		r, err := New(Options{Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p, Zones: zones})
		require.NoError(t, err)
		for x := 1.0; x < 64-7; x += 4 {
			p.faces = append(p.faces, face.Face{Box: geom.Box{X: x, Y: x / 2, W: 6, H: 6}, Score: 0.9})
		}
		f, _, err := redactOne(r, next(t, g, 1, true))
		require.NoError(t, err)
		require.Len(t, f.Regions(), len(p.faces), name)
	}
}
