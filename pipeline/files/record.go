package files

import (
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
)

// maxParts is the maximum number of rectangles for a shape.
const maxParts = 32

// record returns the line of a report for a frame.
func record(name string, frame int64, pts float64, f redact.Frame, t treatment) ipc.FileFrame {
	bounds := f.Image().Bounds()
	out := ipc.FileFrame{
		File: name, Frame: frame, PTS: pts, Width: bounds.Dx(), Height: bounds.Dy(), Cover: t.cover, Blind: t.blind,
		Regions: []geom.RegionRecord{},
	}
	for _, r := range f.Regions() {
		out.Regions = append(out.Regions, r.Parts(bounds, maxParts)...)
	}
	return out
}
