// Package face holds what detectors report and trackers follow: one face in one
// picture.
package face

import "scrim/redact/geom"

// Face is one face as a detector found it.
type Face struct {
	// Box is the face as found, before padding.
	Box geom.Box
	// Score is the detector's confidence, 0 to 1.
	Score float64
	// Weak is set where the score is below the detector's threshold. A weak face
	// does not start a track, but it can continue one.
	Weak bool
	// Rotation is how the face lies in the picture.
	Rotation geom.Rotation
}
