package files

import (
	"scrim/pipeline/ipc"
	"scrim/redact"
)

// recordParts is by about how many rectangles the shapes of a picture are listed. Few would
// leave out the edges of what moves, and count faces there as bare.
const recordParts = 1000

// record returns the line of a report for a frame.
func record(name string, frame int64, pts float64, f redact.Frame, t treatment) ipc.FileFrame {
	bounds := f.Image().Bounds()
	return ipc.FileFrame{
		File: name, Frame: frame, PTS: pts, Width: bounds.Dx(), Height: bounds.Dy(), Cover: t.cover, Blind: t.blind,
		Regions: ipc.Regions(f.Regions(), bounds, recordParts),
	}
}
