package ipc

import (
	"image"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
)

// comb returns a shape of many rectangles.
func comb(x, y, teeth int) *geom.Shape {
	var rows [][]geom.Span
	for i := range 2 * teeth {
		rows = append(rows, []geom.Span{{From: x, To: x + 2 + i%2}})
	}
	return geom.NewShape(y, rows)
}

// A picture full of faces and of what moves must not end its redactor.
func TestRecordOfEveryPictureFitsAMessage(t *testing.T) {
	bounds := image.Rect(0, 0, 8192, 8192)
	face := geom.Region{
		Rect: image.Rect(8000, 8001, 8190, 8191), Face: geom.Box{X: -131072.12, Y: -131072.12, W: 131072.12, H: 131072.12},
		Score: 0.1234, Source: geom.Backfilled, Track: 1 << 51, Rotation: geom.Turned270,
	}
	for _, n := range []struct{ faces, shapes int }{{0, 0}, {1, 0}, {0, 1}, {3, 40}, {0, 256}, {256, 256}, {1024, 256}, {2048, 0}, {1024, 1280}} {
		var all []geom.Region
		for range n.faces {
			all = append(all, face)
		}
		for i := range n.shapes {
			f := face
			f.Track -= uint64(i)
			f.Shape = comb(8000-i, 4000, 300)
			f.Rect = f.Shape.Bounds()
			all = append(all, f)
		}
		for _, most := range []int{256, 1000} {
			regions := Regions(all, bounds, most)
			require.NotNil(t, regions)
			require.LessOrEqual(t, len(regions), MaxRegions)
			require.GreaterOrEqual(t, len(regions), min(n.faces, MaxRegions), "each face is listed")
			if n.faces == 0 && n.shapes > 0 {
				require.GreaterOrEqual(t, len(regions), most/2, "%d shapes", n.shapes)
				tracks := map[uint64]bool{}
				for _, r := range regions {
					tracks[r.Track] = true
				}
				require.Len(t, tracks, n.shapes, "each shape is listed")
			}
			require.NoError(t, NewWriter(io.Discard).Write(TypeOutput, Output{Record: &Record{Regions: regions}}, nil), "%+v", n)
			require.NoError(t, NewWriter(io.Discard).Write(TypeFileFrame, FileFrame{Regions: regions}, nil), "%+v", n)
		}
	}
}

func TestRegionsOutsideThePictureAreNotListed(t *testing.T) {
	regions := Regions([]geom.Region{{Rect: image.Rect(-9, 0, 0, 9)}, {Rect: image.Rect(-9, 0, 1, 9)}}, image.Rect(0, 0, 64, 48), 256)
	require.Len(t, regions, 1)
	require.Equal(t, image.Rect(0, 0, 1, 9), regions[0].Rect())
}
