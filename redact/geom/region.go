package geom

import (
	"image"
	"math"
)

// Source is why a Region is obscured.
type Source string

// The sources of a Region.
const (
	Detected Source = "detected"
	Tracked  Source = "tracked"
	Held     Source = "held"
	// Backfilled regions cover a face in pictures before it was found.
	Backfilled Source = "backfilled"
	Failsafe   Source = "failsafe"
	// Zone regions are obscured in every picture.
	Zone Source = "zone"
	// Moving regions differ from the learned background.
	Moving Source = "moving"
	// Body regions lie around and below a face, where its body is.
	Body Source = "body"
)

// Region is a part of the picture that must be obscured.
type Region struct {
	// Rect is what is obscured, in pixels, including padding. It may reach outside the
	// picture, where it is cut.
	Rect image.Rectangle
	// Face is the box as found, before padding.
	Face Box
	// Score is the confidence of the underlying detection, 0 to 1.
	Score float64
	// Source is Detected if the face was found in this picture.
	Source Source
	// Track identifies the same face over time; it is never 0 for a face. The obscurer
	// anchors its cell grid and noise to it.
	Track uint64
	// Rotation is how the face lies.
	Rotation Rotation
	// Shape is the obscured part of Rect; nil for all of it. If its bounds are not Rect,
	// it is ignored and all of Rect is obscured. Regions may share it.
	Shape *Shape
}

// RegionRecord is the part of a Region that lies within a picture, as records and
// reports list it: without its Shape. It has plain fields, because it is encoded for
// every picture, and methods for JSON would allocate for every region.
type RegionRecord struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
	// Face, Score, Source, Track and Rotation are those of the Region.
	Face     Box      `json:"face"`
	Score    float64  `json:"score"`
	Source   Source   `json:"source"`
	Track    uint64   `json:"track"`
	Rotation Rotation `json:"rotation,omitempty"`
}

// Cut returns the record of the part of r that lies within rect. The face is rounded
// to 1/100 pixel, the score to 1/10000.
func (r Region) Cut(rect image.Rectangle) RegionRecord {
	pixels := func(v float64) float64 { return round(v, 100) }
	rect = r.Rect.Intersect(rect)
	return RegionRecord{
		X: rect.Min.X, Y: rect.Min.Y, W: rect.Dx(), H: rect.Dy(),
		Face:  Box{X: pixels(r.Face.X), Y: pixels(r.Face.Y), W: pixels(r.Face.W), H: pixels(r.Face.H)},
		Score: round(r.Score, 10_000), Source: r.Source, Track: r.Track, Rotation: r.Rotation,
	}
}

func round(v, steps float64) float64 { return math.Round(v*steps) / steps }

// Region returns r as a Region.
func (r RegionRecord) Region() Region {
	return Region{Rect: r.Rect(), Face: r.Face, Score: r.Score, Source: r.Source, Track: r.Track, Rotation: r.Rotation}
}

// Rect returns what is obscured.
func (r RegionRecord) Rect() image.Rectangle { return image.Rect(r.X, r.Y, r.X+r.W, r.Y+r.H) }
