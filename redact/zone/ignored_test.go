package zone

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
)

func ignore(p []Point) Zone {
	return Zone{Kind: Ignore, Name: "all", Reason: "public_display", Polygon: p}
}

// tiling is n × n zones that leave nothing of the frame.
func tiling(n int) (zones []Zone) {
	for i := range n * n {
		x, y := float64(i%n)/float64(n), float64(i/n)/float64(n)
		zones = append(zones, ignore(box(x, y, x+1/float64(n), y+1/float64(n))))
	}
	return zones
}

func TestOneZoneCannotLeaveOutTheFrame(t *testing.T) {
	for _, p := range [][]Point{box(0, 0, 1, 1), box(0, 0, 0.4, 0.26), {{0, 0}, {1, 0}, {0, 1}}} {
		require.ErrorContains(t, ignore(p).Check(), "at most 10 % in a zone of kind ignore")
		s := Compile([]Zone{ignore(p)}, 640, 480)
		require.False(t, s.Ignored(geom.Box{X: 1, Y: 1, W: 20, H: 20}))
	}
	require.NoError(t, ignore(box(0.1, 0.1, 0.5, 0.35)).Check(), "exactly the most")
	require.NoError(t, Zone{Kind: Mask, Polygon: box(0, 0, 1, 1)}.Check())
}

func TestZonesCannotTileTheFrame(t *testing.T) {
	at, err := CheckIgnored(tiling(4))
	require.ErrorContains(t, err, "at most 25 % in all zones")
	require.Equal(t, 4, at, "four sixteenths are a quarter")
	s := Compile(tiling(4), 640, 480)
	for _, x := range []float64{10, 200, 400, 600} {
		require.False(t, s.Ignored(geom.Box{X: x, Y: 10, W: 20, H: 20}), "all zones are dropped")
	}
	_, err = CheckIgnored(tiling(4)[:4])
	require.NoError(t, err)
	require.True(t, Compile(tiling(4)[:4], 640, 480).Ignored(geom.Box{X: 10, Y: 10, W: 20, H: 20}))
}

func TestWhatLiesInSeveralZonesCountsOnce(t *testing.T) {
	same := box(0.2, 0.2, 0.5, 0.5)
	var zones []Zone
	for range MaxZones {
		zones = append(zones, ignore(same))
	}
	_, err := CheckIgnored(zones)
	require.NoError(t, err)
	// Two that overlap by half, and three.
	_, err = CheckIgnored([]Zone{ignore(box(0, 0, 0.1, 1)), ignore(box(0.05, 0, 0.15, 1)), ignore(box(0.1, 0, 0.2, 1))})
	require.NoError(t, err, "a fifth of the frame")
	at, err := CheckIgnored([]Zone{
		{Kind: Mask, Polygon: box(0, 0, 1, 1)},
		ignore(box(0, 0, 0.1, 1)), ignore(box(0.08, 0, 0.18, 1)), ignore(box(0.16, 0, 0.26, 1)),
	})
	require.ErrorContains(t, err, "26.")
	require.Equal(t, 3, at)
}

// The raster never holds less than the polygons.
func TestUnionIsNeverTakenForLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolygon(t, 100, 100)
		r := new(raster)
		r.add(p)
		require.GreaterOrEqual(t, r.share()+1e-9, math.Abs(area(p)))
		once := r.share()
		r.add(p)
		require.InDelta(t, once, r.share(), 0)
	})
}
