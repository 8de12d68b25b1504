package geom

import (
	"image"
	"math"
)

// Box is a rectangle in pixels of the full picture, with sub-pixel precision.
// It may reach outside the picture.
type Box struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// BoxOf returns r as a Box.
func BoxOf(r image.Rectangle) Box {
	return Box{X: float64(r.Min.X), Y: float64(r.Min.Y), W: float64(r.Dx()), H: float64(r.Dy())}
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

// Clip returns the part of b that lies within o. It has no area if they do not
// overlap.
func (b Box) Clip(o Box) Box {
	x0, y0 := max(b.X, o.X), max(b.Y, o.Y)
	x1, y1 := min(b.X+b.W, o.X+o.W), min(b.Y+b.H, o.Y+o.H)
	if x1 <= x0 || y1 <= y0 {
		return Box{X: x0, Y: y0}
	}
	return Box{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
}

// Intersect returns the area that b and o share, in square pixels.
func (b Box) Intersect(o Box) float64 { return b.Clip(o).Area() }

// IoU returns intersection over union, 0 to 1.
func (b Box) IoU(o Box) float64 {
	inter := b.Intersect(o)
	union := b.Area() + o.Area() - inter
	if union <= 0 {
		return 0
	}
	return inter / union
}

// Pad returns b with side of its width added on the left and right, side of its
// height below, and top of its height above, where the hair is. Both are
// fractions, such as 0.3.
func (b Box) Pad(side, top float64) Box {
	return Box{X: b.X - side*b.W, Y: b.Y - top*b.H, W: b.W * (1 + 2*side), H: b.H * (1 + side + top)}
}
