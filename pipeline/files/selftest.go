package files

import (
	"fmt"
	"slices"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/selftest"
	"scrim/redact/track"
)

// testWidth and testHeight are the size of the picture in which the self-test draws
// a face, for a detector that looks at whole pictures only.
const testWidth, testHeight = 1280, 720

// SelfTest sends drawn faces through the parts that c configures, as pictures of
// videos and as images. No file should be redacted before it has passed: a redactor
// that finds nothing produces the same report as a file without people. The second
// look is left out, since it could cover a face that the first look should have found.
func (r *Redactor) SelfTest(c ipc.Files) error {
	o := selftest.Options{
		Detector: r.o.Detector, Obscurer: r.o.Obscurer, Zones: r.o.Zones, Rotation: c.Rotate.OfDetector(),
		Size: slices.Max(append([]int{1}, c.Sizes...)), Threshold: c.Detect.Threshold, Cosmetic: c.Obscure.Cosmetic,
		Tracker: func() redact.Tracker { return newImageTracker(r.o.Track) },
	}
	if err := selftest.Check(o, testWidth, testHeight); err != nil {
		return fmt.Errorf("images: %w", err)
	}
	o.Tracker = func() redact.Tracker { return track.NewWindow(r.o.Track, r.o.Lookahead) }
	width, height := testWidth, testHeight
	o.Tiles, o.TileZones = c.Detect.Tiles, len(c.Detect.TileAreas) > 0
	if o.Tiles || o.TileZones {
		width, height = 4*width, 4*height // larger than any detector size, so that it is divided into tiles
	}
	if err := selftest.Check(o, width, height); err != nil {
		return fmt.Errorf("video: %w", err)
	}
	return nil
}
