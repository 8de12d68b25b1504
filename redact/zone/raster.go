package zone

import (
	"math"
	"slices"

	"scrim/redact/geom"
)

// rasterise returns the pixels that p, in pixels, covers in part. Those
// that it only touches at their border do not count.
//
// What p covers of a row is bounded by its sides within the row and by the
// row's own two edges; so the columns it covers are those under the sides, cut
// to the row, and those under its inside along the two edges.
func rasterise(p []Point, width, height int) *geom.Shape {
	frame := bounds(p)
	top, bottom := max(frame.Min.Y, 0), min(frame.Max.Y, height)
	rows := make([][]geom.Span, 0, max(bottom-top, 0))
	var cuts []float64
	for y := top; y < bottom; y++ {
		var row []geom.Span
		cover := func(lo, hi float64) {
			row = append(row, geom.Span{From: max(int(math.Floor(lo)), 0), To: min(int(math.Ceil(hi)), width)})
		}
		upper, lower := float64(y), float64(y+1)
		for i, a := range p {
			sideIn(a, p[(i+1)%len(p)], upper, lower, cover)
		}
		cuts = crossings(cuts[:0], p, func(a, b float64) bool { return a <= upper && b > upper }, upper)
		for i := 0; i+1 < len(cuts); i += 2 {
			cover(cuts[i], cuts[i+1])
		}
		cuts = crossings(cuts[:0], p, func(a, b float64) bool { return a < lower && b >= lower }, lower)
		for i := 0; i+1 < len(cuts); i += 2 {
			cover(cuts[i], cuts[i+1])
		}
		rows = append(rows, row)
	}
	return geom.NewShape(top, rows)
}

// sideIn covers the columns of the side from a to b between two heights. One
// that only touches them bounds nothing there.
func sideIn(a, b Point, upper, lower float64, cover func(lo, hi float64)) {
	if a.Y > b.Y {
		a, b = b, a
	}
	if b.Y <= upper || a.Y >= lower {
		return
	}
	at := func(y float64) float64 {
		if y <= a.Y {
			return a.X
		}
		if y >= b.Y {
			return b.X
		}
		return a.X + (y-a.Y)/(b.Y-a.Y)*(b.X-a.X)
	}
	x, w := at(upper), at(lower)
	if a.Y == b.Y {
		x, w = a.X, b.X
	}
	cover(min(x, w), max(x, w))
}

// crossings appends where the sides of p for which at holds, told their upper
// and lower end, cross a height, from left to right.
func crossings(dst []float64, p []Point, at func(upper, lower float64) bool, y float64) []float64 {
	for i, a := range p {
		b := p[(i+1)%len(p)]
		if a.Y > b.Y {
			a, b = b, a
		}
		if at(a.Y, b.Y) {
			dst = append(dst, a.X+(y-a.Y)/(b.Y-a.Y)*(b.X-a.X))
		}
	}
	slices.Sort(dst)
	return dst
}
