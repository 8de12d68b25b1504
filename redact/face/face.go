package face

import (
	"image"
	"math"
)

// Box is a rectangle in pixels of the full picture, with sub-pixel precision.
// It may reach outside the picture.
type Box struct {
	X, Y, W, H float64
}

// Rect returns the smallest rectangle of whole pixels that holds b.
func (b Box) Rect() image.Rectangle {
	return image.Rect(int(math.Floor(b.X)), int(math.Floor(b.Y)), int(math.Ceil(b.X+b.W)), int(math.Ceil(b.Y+b.H)))
}

// Area returns the area in square pixels; 0 for an empty box.
func (b Box) Area() float64 {
	if b.W <= 0 || b.H <= 0 {
		return 0
	}
	return b.W * b.H
}

// Intersect returns the area that a and b share, in square pixels.
func (b Box) Intersect(o Box) float64 {
	w := math.Min(b.X+b.W, o.X+o.W) - math.Max(b.X, o.X)
	h := math.Min(b.Y+b.H, o.Y+o.H) - math.Max(b.Y, o.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h
}

// IoU returns intersection over union, 0 to 1.
func (b Box) IoU(o Box) float64 {
	inter := b.Intersect(o)
	union := b.Area() + o.Area() - inter
	if union <= 0 {
		return 0
	}
	return inter / union
}

// Face is one face as a detector found it.
type Face struct {
	// Box is the face as found, before padding.
	Box Box
	// Score is the detector's confidence, 0 to 1.
	Score float64
	// Weak is set where the score is below the detector's threshold: that is no
	// face of its own, but it may be where one is now that was found before.
	Weak bool
}

// Source says on what a Region rests.
type Source string

// The sources of a Region.
const (
	Detected Source = "detected"
	Tracked  Source = "tracked"
	Held     Source = "held"
	// Backfilled regions cover a face in pictures before it was found.
	Backfilled Source = "backfilled"
	Failsafe   Source = "failsafe"
	// Zone regions are obscured in every picture, whatever is there.
	Zone Source = "zone"
)

// Region is a part of the picture that must be obscured.
type Region struct {
	// Rect is what is obscured, in pixels, padding included. It may reach
	// outside the picture, where it is cut.
	Rect image.Rectangle
	// Face is the box as found, before padding.
	Face Box
	// Score is the confidence of the detection it rests on, 0 to 1.
	Score float64
	// Source says whether it was found in this very picture.
	Source Source
	// Track identifies the same face over time; it is never 0 for a face. The
	// obscurer anchors its cell grid and noise to it.
	Track uint64
	// Shape is what is obscured of Rect, where that is not all of it. Its bounds
	// are Rect, else it counts for nothing and all of Rect is obscured. It may be
	// shared between regions.
	Shape *Shape
}

// Pad returns the rectangle to obscure for a face: side of the box's width on
// the left and right, of its height below, and top of its height above, where
// the hair is. All are fractions, such as 0.3.
func Pad(b Box, side, top float64) image.Rectangle {
	p := Box{X: b.X - side*b.W, Y: b.Y - top*b.H, W: b.W * (1 + 2*side), H: b.H * (1 + side + top)}
	return p.Rect()
}
