package files

import (
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
)

// Shapes are listed by rectangles within them: about recordParts in a picture, which fits
// a message, and from minParts to maxParts for a shape. Few would leave out the edges of
// what moves, and count faces there as bare.
const (
	recordParts = 1000
	minParts    = 4
	maxParts    = 512
)

// record returns the line of a report for a frame.
func record(name string, frame int64, pts float64, f redact.Frame, t treatment) ipc.FileFrame {
	bounds := f.Image().Bounds()
	out := ipc.FileFrame{
		File: name, Frame: frame, PTS: pts, Width: bounds.Dx(), Height: bounds.Dy(), Cover: t.cover, Blind: t.blind,
		Regions: []geom.RegionRecord{},
	}
	parts := min(max(recordParts/max(len(f.Regions()), 1), minParts), maxParts)
	for _, r := range f.Regions() {
		out.Regions = r.AppendParts(out.Regions, bounds, parts)
	}
	return out
}
