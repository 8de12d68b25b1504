package files

import (
	"time"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/track"
)

// stills is the Tracker of pictures that have nothing to do with one another:
// there is nothing to follow, and no movement to leave room for.
type stills struct {
	o       track.Options
	waiting [][]geom.Region
}

func newStills(o track.Options) *stills { return &stills{o: padded(o)} }

// padded returns o with a padding that is not too small.
func padded(o track.Options) track.Options {
	least := track.MinPadding
	if o.Cosmetic {
		least = 0
	}
	if o.PaddingTop == 0 {
		o.PaddingTop = track.DefaultPaddingTop
	}
	if o.Padding == 0 || !(o.Padding >= least) {
		o.Padding = track.MinPadding
	}
	if !(o.PaddingTop >= least) {
		o.PaddingTop = track.MinPadding
	}
	return o
}

// Lookahead implements redact.Tracker.
func (s *stills) Lookahead() int { return 0 }

// Observe implements redact.Tracker.
func (s *stills) Observe(_ time.Time, faces []face.Face, _, _ int) {
	regions := make([]geom.Region, 0, len(faces))
	for i, f := range faces {
		if f.Weak {
			continue // no face of its own
		}
		regions = append(regions, geom.Region{
			Rect: f.Box.Pad(s.o.Padding, s.o.PaddingTop).Rect(), Face: f.Box, Score: f.Score, Source: geom.Detected, Track: uint64(i + 1), //nolint:gosec // positive
		})
	}
	s.waiting = append(s.waiting, regions)
}

// Release implements redact.Tracker.
func (s *stills) Release() []geom.Region {
	regions := s.waiting[0]
	s.waiting = s.waiting[1:]
	return regions
}

// Reset implements redact.Tracker.
func (s *stills) Reset() { s.waiting = nil }
