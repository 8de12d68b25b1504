package measure

import (
	"cmp"
	"slices"

	"scrim/redact/face"
)

// Box is a rectangle in pixels; it may reach outside the picture.
type Box = face.Box

// clip returns the part of b within o; it has no area when they do not meet.
func clip(b, o Box) Box {
	x0, y0 := max(b.X, o.X), max(b.Y, o.Y)
	x1, y1 := min(b.X+b.W, o.X+o.W), min(b.Y+b.H, o.Y+o.H)
	if x1 <= x0 || y1 <= y0 {
		return Box{X: x0, Y: y0}
	}
	return Box{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
}

// pad returns b with side of its width on the left and right, side of its
// height below and top of its height above.
func pad(b Box, side, top float64) Box {
	return Box{X: b.X - side*b.W, Y: b.Y - top*b.H, W: b.W * (1 + 2*side), H: b.H * (1 + side + top)}
}

// edge is where a box begins (+1) or ends (−1) on the x axis.
type edge struct {
	x    float64
	box  int32
	open bool
}

// sweeper computes areas of unions exactly: a line runs over the edges, and
// between two of them the union is a set of intervals times their distance. It
// is reused for its buffers and not safe for concurrent use.
type sweeper struct {
	edges  []edge
	boxes  []Box
	active []int32 // boxes under the line, by their upper side
	inside []Box   // boxes that were clipped
	less   []Box
}

// union returns the area within frame of the union of boxes.
func (s *sweeper) union(frame Box, boxes []Box) float64 {
	s.inside = s.inside[:0]
	for _, b := range boxes {
		if c := clip(b, frame); c.Area() > 0 {
			s.inside = append(s.inside, c)
		}
	}
	return s.sweep(s.inside)
}

// except returns the area within frame of the union of boxes less that of
// holes: the union of all, less that of the holes alone.
func (s *sweeper) except(frame Box, boxes, holes []Box) float64 {
	s.less = append(append(s.less[:0], boxes...), holes...)
	area := s.union(frame, s.less) - s.union(frame, holes)
	if area < rounding*frame.Area() { // what rounding leaves of nothing
		return 0
	}
	return area
}

// sweep returns the area of the union of boxes that are not empty.
func (s *sweeper) sweep(boxes []Box) float64 {
	switch len(boxes) {
	case 0:
		return 0
	case 1:
		return boxes[0].Area()
	}
	s.boxes, s.edges, s.active = boxes, s.edges[:0], s.active[:0]
	for i, b := range boxes {
		n := int32(i) //nolint:gosec // bounded by the limits of the parser
		s.edges = append(s.edges, edge{b.X, n, true}, edge{b.X + b.W, n, false})
	}
	slices.SortFunc(s.edges, func(a, b edge) int { return cmp.Compare(a.x, b.x) })
	area, last := 0.0, s.edges[0].x
	for _, e := range s.edges {
		if e.x > last {
			area += s.length() * (e.x - last)
			last = e.x
		}
		at, _ := slices.BinarySearchFunc(s.active, e.box, s.above)
		if e.open {
			s.active = slices.Insert(s.active, at, e.box)
		} else {
			s.active = slices.Delete(s.active, at, at+1)
		}
	}
	return area
}

// above orders boxes by their upper side, and those with the same by number.
func (s *sweeper) above(a, b int32) int {
	return cmp.Or(cmp.Compare(s.boxes[a].Y, s.boxes[b].Y), cmp.Compare(a, b))
}

// length returns how much of the line is in a box.
func (s *sweeper) length() float64 {
	total, end := 0.0, 0.0
	for i, n := range s.active {
		b := s.boxes[n]
		from, to := b.Y, b.Y+b.H
		if i > 0 {
			from = max(from, end)
		}
		if to > from {
			total += to - from
		}
		if i == 0 || to > end {
			end = to
		}
	}
	return total
}
