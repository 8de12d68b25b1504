package zone

import (
	"image"
	"math"
	"slices"

	"scrim/redact/face"
	"scrim/redact/geom"
)

// FirstTrack is the first of the track ids of masks. A tracker, which counts
// from 1, does not get there, and JSON numbers hold it exactly.
const FirstTrack = 1 << 48

// minIgnored is the share of a face's area that must lie in a zone of kind
// Ignore for the face to be ignored.
const minIgnored = 0.9

// Set is the zones of a camera in pixels of one picture size. It never changes
// and is safe for concurrent use.
type Set struct {
	masks  []geom.Region
	ignore [][]Point // in pixels
	tiles  []image.Rectangle
}

// Compile makes zones pixels of a picture of the given size. It errs on the
// side of privacy: of a mask, every pixel counts that the polygon touches; a
// mask that does not pass Check is the whole picture, and a zone of kind Ignore
// that does not is none; nor is any where they do not pass CheckIgnored.
// Picture sizes below 1 give an empty Set.
func Compile(zones []Zone, width, height int) *Set {
	s := new(Set)
	frame := image.Rect(0, 0, max(width, 0), max(height, 0))
	if frame.Empty() {
		return s
	}
	_, err := CheckIgnored(zones)
	ignoring := err == nil
	for i, z := range zones {
		good := z.Check() == nil
		p := make([]Point, len(z.Polygon))
		for k, c := range z.Polygon {
			p[k] = Point{c.X * float64(width), c.Y * float64(height)}
		}
		switch {
		case z.Kind == Ignore && good && ignoring:
			s.ignore = append(s.ignore, p)
		case z.Kind == Tiles && good:
			s.tiles = append(s.tiles, bounds(p).Intersect(frame))
		case z.Kind == Mask:
			r := geom.Region{Rect: frame, Score: 1, Source: geom.Zone, Track: FirstTrack + uint64(i)} //nolint:gosec // not negative
			if good {
				r.Shape = rasterise(p, width, height)
				r.Rect = r.Shape.Bounds()
			}
			r.Face = geom.Box{
				X: float64(r.Rect.Min.X), Y: float64(r.Rect.Min.Y), W: float64(r.Rect.Dx()), H: float64(r.Rect.Dy()),
			}
			s.masks = append(s.masks, r)
		}
	}
	return s
}

// Masks returns the regions that must be obscured in every picture of the
// size. They are shared and must not be changed.
func (s *Set) Masks() []geom.Region { return slices.Clip(s.masks) }

// Tiles returns the rectangles, in pixels, in which small faces are
// expected. They are shared and must not be changed.
func (s *Set) Tiles() []image.Rectangle { return slices.Clip(s.tiles) }

// Ignored reports whether a face at box, in pixels, needs no cover: its centre
// and at least 90 % of its area lie in one zone of kind Ignore.
func (s *Set) Ignored(box geom.Box) bool {
	total := box.Area()
	if !(total > 0) || math.IsInf(total, 0) {
		return false
	}
	centre := Point{box.X + box.W/2, box.Y + box.H/2}
	for _, p := range s.ignore {
		if inside(p, centre) && math.Abs(area(clip(p, box))) >= minIgnored*total {
			return true
		}
	}
	return false
}

// Filter returns the faces that need a cover, in their order. It reuses the
// memory of faces only where none is left out at all.
func (s *Set) Filter(faces []face.Face) []face.Face {
	for i, f := range faces {
		if !s.Ignored(f.Box) {
			continue
		}
		kept := append([]face.Face(nil), faces[:i]...)
		for _, f := range faces[i+1:] {
			if !s.Ignored(f.Box) {
				kept = append(kept, f)
			}
		}
		return kept
	}
	return faces
}

// inside reports whether c lies in p, by the even-odd rule.
func inside(p []Point, c Point) bool {
	in := false
	for i, a := range p {
		b := p[(i+1)%len(p)]
		if (a.Y <= c.Y) != (b.Y <= c.Y) && c.X < a.X+(c.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

// clip returns the part of p within box (Sutherland, Hodgman: Reentrant Polygon
// Clipping, 1974). Where that falls apart, the parts are joined by lines along
// the sides of box, which add no area.
func clip(p []Point, box geom.Box) []Point {
	cut := func(p []Point, within func(Point) float64) []Point {
		var out []Point
		for i, a := range p {
			b := p[(i+1)%len(p)]
			da, db := within(a), within(b)
			if da >= 0 {
				out = append(out, a)
			}
			if da > 0 && db < 0 || da < 0 && db > 0 {
				t := da / (da - db)
				out = append(out, Point{a.X + t*(b.X-a.X), a.Y + t*(b.Y-a.Y)})
			}
		}
		return out
	}
	p = cut(p, func(c Point) float64 { return c.X - box.X })
	p = cut(p, func(c Point) float64 { return box.X + box.W - c.X })
	p = cut(p, func(c Point) float64 { return c.Y - box.Y })
	return cut(p, func(c Point) float64 { return box.Y + box.H - c.Y })
}

func bounds(p []Point) image.Rectangle {
	low, high := p[0], p[0]
	for _, c := range p[1:] {
		low = Point{min(low.X, c.X), min(low.Y, c.Y)}
		high = Point{max(high.X, c.X), max(high.Y, c.Y)}
	}
	return image.Rect(int(math.Floor(low.X)), int(math.Floor(low.Y)), int(math.Ceil(high.X)), int(math.Ceil(high.Y)))
}
