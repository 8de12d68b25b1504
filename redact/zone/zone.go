package zone

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what a zone is for.
type Kind string

// The kinds.
const (
	// Mask is obscured in every picture.
	Mask Kind = "mask"
	// Tiles is where small faces are expected: the detector looks closer.
	Tiles Kind = "tiles"
	// Ignore is where nothing needs finding, such as on a public display. It
	// needs a Reason, takes little of the frame, and viewers are told.
	Ignore Kind = "ignore"
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Mask, Tiles, Ignore} }

// Reasons lists what a zone may be ignored for.
func Reasons() []string { return []string{"public_display", "billboard", "painting", "own_screen"} }

// Bounds of a zone.
const (
	// MaxZones bounds the zones of one camera.
	MaxZones = 16
	// MinPoints and MaxPoints bound the corners of a polygon.
	MinPoints = 3
	MaxPoints = 64
	// MinArea is the least area of a polygon, as a fraction of the frame: two
	// pixels of Full HD.
	MinArea = 1e-6
	// MaxNameChars bounds a name, in characters.
	MaxNameChars = 40
)

// Point is a place in the picture, in fractions of its width and height, from
// 0, 0 at the top left to 1, 1 at the bottom right.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Zone is a part of a camera's picture.
type Zone struct {
	Kind Kind `json:"kind"`
	// Name is for people; a zone of kind Ignore must have one.
	Name string `json:"name,omitempty"`
	// Reason is why nothing needs finding there, one of Reasons; for kind Ignore
	// only.
	Reason string `json:"reason,omitempty"`
	// Polygon is its corners, in either direction; the last is joined to the
	// first.
	Polygon []Point `json:"polygon"`
}

// String returns the zone's reason and name, as viewers see them.
func (z Zone) String() string { return strings.TrimSpace(z.Reason + " " + z.Name) }

// Check returns what is wrong with z, in one line; nil when it can be used.
func (z Zone) Check() error {
	if err := z.CheckWords(); err != nil {
		return err
	}
	return z.CheckPolygon()
}

// CheckPolygon is Check without the words.
func (z Zone) CheckPolygon() error {
	if err := checkPolygon(z.Polygon); err != nil {
		return err
	}
	if z.Kind == Ignore {
		return checkIgnored(z.Polygon)
	}
	return nil
}

// CheckWords is Check without the polygon.
func (z Zone) CheckWords() error {
	switch {
	case !slices.Contains(Kinds(), z.Kind):
		return fmt.Errorf("%.40q is no kind of zone; it is one of %s, %s, %s", z.Kind, Mask, Tiles, Ignore)
	case utf8.RuneCountInString(z.Name) > MaxNameChars:
		return fmt.Errorf("the zone's name is longer than %d characters; shorten it", MaxNameChars)
	case !utf8.ValidString(z.Name) || strings.ContainsFunc(z.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("the zone's name holds characters that cannot be shown; use letters, digits and spaces")
	case z.Kind != Ignore && z.Reason != "":
		return fmt.Errorf("a zone of kind %s takes no `reason`; it is for zones of kind %s", z.Kind, Ignore)
	case z.Kind == Ignore && !slices.Contains(Reasons(), z.Reason):
		return fmt.Errorf("a zone where nothing is looked for needs a `reason`: one of %s", strings.Join(Reasons(), ", "))
	case z.Kind == Ignore && strings.TrimSpace(z.Name) == "":
		return errors.New("a zone where nothing is looked for needs a `name`, which viewers are shown")
	}
	return nil
}

// checkPolygon returns what is wrong with the corners of a zone, in one line;
// nil when they can be used.
func checkPolygon(p []Point) error {
	if n := len(p); n < MinPoints || n > MaxPoints {
		return fmt.Errorf("the polygon has %d points; it may have %d to %d", n, MinPoints, MaxPoints)
	}
	for i, c := range p {
		// Written so that a value that is not a number fails, too.
		if !(c.X >= 0 && c.X <= 1 && c.Y >= 0 && c.Y <= 1) {
			return fmt.Errorf("point %d of the polygon, %v, %v, is outside the frame; coordinates are fractions from 0 to 1", i+1, c.X, c.Y)
		}
	}
	for i, c := range p {
		if c == p[(i+1)%len(p)] {
			return fmt.Errorf("points %d and %d of the polygon are the same; remove one", i+1, (i+1)%len(p)+1)
		}
	}
	if i, j, cross := crossing(p); cross {
		return fmt.Errorf("the polygon crosses or touches itself: the side after point %d and the side after point %d meet; list its corners in order", i+1, j+1)
	}
	if a := math.Abs(area(p)); !(a >= MinArea) {
		return fmt.Errorf("the polygon has next to no area: %.2g of the frame, at least %.0e", a, MinArea)
	}
	return nil
}

// crossing returns two sides of p that share more than the corner between them.
func crossing(p []Point) (int, int, bool) {
	n := len(p)
	for i := range n {
		a, b := p[i], p[(i+1)%n]
		for j := i + 1; j < n; j++ {
			c, d := p[j], p[(j+1)%n]
			switch {
			case j == i+1:
				// They share b = c: folded back when d lies on a's side of it.
				if turn(a, b, d) == 0 && (a.X-b.X)*(d.X-b.X)+(a.Y-b.Y)*(d.Y-b.Y) > 0 {
					return i, j, true
				}
			case (j+1)%n == i:
				if turn(c, a, b) == 0 && (c.X-a.X)*(b.X-a.X)+(c.Y-a.Y)*(b.Y-a.Y) > 0 {
					return i, j, true
				}
			case meet(a, b, c, d):
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// turn is positive where c lies on one side of the line from a to b, negative
// on the other, 0 on it.
func turn(a, b, c Point) float64 { return (b.X-a.X)*(c.Y-a.Y) - (b.Y-a.Y)*(c.X-a.X) }

// meet reports whether the segments ab and cd share a point.
func meet(a, b, c, d Point) bool {
	abc, abd, cda, cdb := turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)
	if abc*abd < 0 && cda*cdb < 0 {
		return true
	}
	return abc == 0 && between(a, b, c) || abd == 0 && between(a, b, d) ||
		cda == 0 && between(c, d, a) || cdb == 0 && between(c, d, b)
}

// between reports whether c, on the line through a and b, lies between them.
func between(a, b, c Point) bool {
	return min(a.X, b.X) <= c.X && c.X <= max(a.X, b.X) && min(a.Y, b.Y) <= c.Y && c.Y <= max(a.Y, b.Y)
}

// area returns the signed area of a polygon.
func area(p []Point) float64 {
	sum := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		sum += a.X*b.Y - b.X*a.Y
	}
	return sum / 2
}
