package files

import (
	"fmt"
	"slices"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/selftest"
	"scrim/redact/track"
)

// The size of the picture in which the self-test draws a face, in pixels, where
// the detector looks at whole pictures only.
const testWidth, testHeight = 1280, 720

// SelfTest sends a drawn face the way of the pictures of videos and of stills,
// by the parts that c has asked for. Before it has passed no file should be
// redacted: a redactor that finds nothing looks like files without people. The
// second look is not on that way: all that it is made of is, and a face that only it
// covers would hide that the first one finds nothing.
func (r *Redactor) SelfTest(c ipc.Files) error {
	o := selftest.Options{
		Detector: r.o.Detector, Obscurer: r.o.Obscurer, Zones: r.o.Zones,
		Size: slices.Max(append([]int{1}, c.Sizes...)), Threshold: c.Detect.Threshold, Cosmetic: c.Obscure.Cosmetic,
		Tracker: func() redact.Tracker { return newStills(r.o.Track) },
	}
	if err := selftest.Check(o, testWidth, testHeight); err != nil {
		return fmt.Errorf("images: %w", err)
	}
	o.Tracker = func() redact.Tracker { return track.NewWindow(r.o.Track, r.o.Lookahead) }
	width, height := testWidth, testHeight
	o.Tiles, o.TileZones = c.Detect.Tiles, len(c.Detect.TileAreas) > 0
	if o.Tiles || o.TileZones {
		width, height = 4*width, 4*height // larger than any input, so that there are parts
	}
	if err := selftest.Check(o, width, height); err != nil {
		return fmt.Errorf("video: %w", err)
	}
	return nil
}
