package geom_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
	"scrim/redact/zone"
)

// A shape is never reported as more than it is.
func TestShapesAreReportedByRectanglesWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) geom.Span {
			return geom.Span{From: rapid.IntRange(-6, 60).Draw(t, "from"), To: rapid.IntRange(-6, 60).Draw(t, "to")}
		}), 0, 4), 0, 60).Draw(t, "rows")
		most := rapid.SampledFrom([]int{2, 8, 32, 1000}).Draw(t, "most")
		s := geom.NewShape(rapid.IntRange(-5, 5).Draw(t, "top"), rows)
		bounds := image.Rect(0, 0, 50, 40)
		var rects []image.Rectangle
		r := geom.Region{Rect: s.Bounds(), Shape: s}
		for _, part := range r.AppendParts(nil, bounds, most) {
			rects = append(rects, part.Rect())
		}
		require.LessOrEqual(t, len(rects), most)
		for i, r := range rects {
			require.True(t, r.In(bounds))
			require.True(t, s.Contains(r), "%v", r)
			for _, o := range rects[:i] {
				require.False(t, r.Overlaps(o))
			}
		}
	})
}

func TestMostOfAShapeIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		polygon []zone.Point
		least   float64 // of the frame
	}{
		"triangle": {[]zone.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 0, Y: 1}}, 0.45},
		"angle":    {[]zone.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 0.5}, {X: 0.5, Y: 0.5}, {X: 0.5, Y: 1}, {X: 0, Y: 1}}, 0.75},
	} {
		m := zone.Compile([]zone.Zone{{Kind: zone.Mask, Polygon: c.polygon}}, 1920, 1080).Masks()[0]
		area := 0
		for _, r := range m.AppendParts(nil, image.Rect(0, 0, 1920, 1080), 32) {
			area += r.W * r.H
		}
		require.GreaterOrEqual(t, float64(area)/(1920*1080), c.least, name)
	}
}

func BenchmarkParts(b *testing.B) {
	bounds := image.Rect(0, 0, 1920, 1080)
	polygon := []zone.Point{{X: 0.1, Y: 0.1}, {X: 0.5, Y: 0}, {X: 0.9, Y: 0.2}, {X: 0.6, Y: 0.5}, {X: 0.8, Y: 1}, {X: 0.2, Y: 0.9}}
	for name, r := range map[string]geom.Region{
		"rectangle": {Rect: image.Rect(100, 100, 160, 170)},
		"polygon":   zone.Compile([]zone.Zone{{Kind: zone.Mask, Polygon: polygon}}, 1920, 1080).Masks()[0],
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			records := make([]geom.RegionRecord, 0, 64)
			for b.Loop() {
				records = r.AppendParts(records[:0], bounds, 32)
			}
		})
	}
}
