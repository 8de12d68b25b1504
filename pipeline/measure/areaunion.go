package measure

import (
	"cmp"
	"slices"

	"scrim/redact/geom"
)

// edge is where a box opens or closes on the x axis.
type edge struct {
	x    float64
	box  int32
	open bool
}

// areaUnion computes exact areas of unions with a sweep line: between two edges, the union
// is a set of intervals times the distance. It is reused for its buffers and not safe for
// concurrent use.
type areaUnion struct {
	edges  []edge
	boxes  []geom.Box
	active []int32    // boxes under the line, by their upper side
	inside []geom.Box // clipped boxes
	less   []geom.Box
}

// union returns the area within frame of the union of boxes.
func (s *areaUnion) union(frame geom.Box, boxes []geom.Box) float64 {
	s.inside = s.inside[:0]
	for _, b := range boxes {
		if c := b.Clip(frame); c.Area() > 0 {
			s.inside = append(s.inside, c)
		}
	}
	return s.sweep(s.inside)
}

// except returns the area within frame of the union of boxes without holes: the union of
// all minus that of the holes.
func (s *areaUnion) except(frame geom.Box, boxes, holes []geom.Box) float64 {
	s.less = append(append(s.less[:0], boxes...), holes...)
	area := s.union(frame, s.less) - s.union(frame, holes)
	if area < rounding*frame.Area() { // a rounding error
		return 0
	}
	return area
}

// sweep returns the area of the union of non-empty boxes.
func (s *areaUnion) sweep(boxes []geom.Box) float64 {
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
func (s *areaUnion) above(a, b int32) int {
	return cmp.Or(cmp.Compare(s.boxes[a].Y, s.boxes[b].Y), cmp.Compare(a, b))
}

// length returns how much of the line is in a box.
func (s *areaUnion) length() float64 {
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
