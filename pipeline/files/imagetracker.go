package files

import (
	"time"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/track"
)

// imageTracker is the Tracker of unrelated pictures. It tracks nothing, and adds no
// room for movement.
type imageTracker struct {
	o       track.Options
	waiting [][]geom.Region
}

func newImageTracker(o track.Options) *imageTracker { return &imageTracker{o: o.WithDefaults()} }

// Lookahead implements redact.Tracker.
func (s *imageTracker) Lookahead() int { return 0 }

// Observe implements redact.Tracker.
func (s *imageTracker) Observe(_ time.Time, faces []face.Face, _, _ int) {
	regions := make([]geom.Region, 0, len(faces))
	for i, f := range faces {
		if f.Weak {
			continue // it can only continue a track
		}
		regions = append(regions, geom.Region{
			Rect: f.Rotation.Pad(f.Box, s.o.Padding, s.o.PaddingTop).Rect(), Face: f.Box, Rotation: f.Rotation,
			Score: f.Score, Source: geom.Detected, Track: uint64(i + 1), //nolint:gosec // positive
		})
	}
	s.waiting = append(s.waiting, regions)
}

// Release implements redact.Tracker.
func (s *imageTracker) Release() []geom.Region {
	regions := s.waiting[0]
	s.waiting = s.waiting[1:]
	return regions
}

// Reset implements redact.Tracker.
func (s *imageTracker) Reset() { s.waiting = nil }
