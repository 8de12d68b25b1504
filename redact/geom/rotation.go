package geom

import "fmt"

// Rotation says how a picture or a face lies: by how many degrees it must be turned
// clockwise to be upright. It is 0, 90, 180 or 270, in every setting, message and
// function of Scrim. A camera whose picture has people's heads on the left has 90.
type Rotation int

// The rotations.
const (
	Upright   Rotation = 0
	Turned90  Rotation = 90
	Turned180 Rotation = 180
	Turned270 Rotation = 270
)

const fullCircle = 360

// Rotations are all of them, with Upright first.
var Rotations = [...]Rotation{Upright, Turned90, Turned180, Turned270}

// Check reports why r is not a rotation.
func (r Rotation) Check() error {
	for _, one := range Rotations {
		if r == one {
			return nil
		}
	}
	return fmt.Errorf("rotation by %d degrees is not supported: must be 0, 90, 180 or 270", int(r))
}

// Then returns the rotation that has the effect of r and then o.
func (r Rotation) Then(o Rotation) Rotation { return (r + o) % fullCircle }

// Inverse returns the rotation that undoes r.
func (r Rotation) Inverse() Rotation { return (fullCircle - r) % fullCircle }

// Sideways reports whether r exchanges width and height.
func (r Rotation) Sideways() bool { return r == Turned90 || r == Turned270 }

// Size returns the size of a picture of width × height after it was turned.
func (r Rotation) Size(width, height int) (w, h int) {
	if r.Sideways() {
		return height, width
	}
	return width, height
}

// Point returns where a point of a picture of width × height lies after the picture was
// turned. Points are corners of pixels, as the edges of a Box are, so the result is
// exact for odd sizes, too.
func (r Rotation) Point(x, y, width, height float64) (tx, ty float64) {
	switch r {
	case Turned90:
		return height - y, x
	case Turned180:
		return width - x, height - y
	case Turned270:
		return y, width - x
	}
	return x, y
}

// Box returns where b, in a picture of width × height pixels, lies after the picture was
// turned.
func (r Rotation) Box(b Box, width, height int) Box {
	w, h := float64(width), float64(height)
	switch r {
	case Turned90:
		return Box{X: h - (b.Y + b.H), Y: b.X, W: b.H, H: b.W}
	case Turned180:
		return Box{X: w - (b.X + b.W), Y: h - (b.Y + b.H), W: b.W, H: b.H}
	case Turned270:
		return Box{X: b.Y, Y: w - (b.X + b.W), W: b.H, H: b.W}
	}
	return b
}

// Pad returns b.Pad of a face that lies as r says: top is added where its hair is.
func (r Rotation) Pad(b Box, side, top float64) Box { return r.Extend(b, side, top, side) }

// Extend returns the box b of a face that lies as r says with room added on both sides of
// the face, above its hair and below its chin, as fractions of its size in that direction.
func (r Rotation) Extend(b Box, side, above, below float64) Box {
	left, right, top, bottom := side, side, above, below
	switch r {
	case Turned90:
		left, right, top, bottom = above, below, side, side
	case Turned180:
		top, bottom = below, above
	case Turned270:
		left, right, top, bottom = below, above, side, side
	}
	return Box{X: b.X - left*b.W, Y: b.Y - top*b.H, W: b.W * (1 + left + right), H: b.H * (1 + top + bottom)}
}
