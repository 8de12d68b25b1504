package geom

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"image"
	"slices"
)

// Span is a run of pixels in one row: From up to To, exclusive.
type Span struct{ From, To int }

// Shape is a set of pixels, row by row: what is obscured of a Region that is not a
// rectangle. It never changes, so pictures and goroutines may share one.
type Shape struct {
	bounds image.Rectangle
	// rows are where the spans of each row of bounds lie in spans. A row that is like the
	// one above shares its spans: what is made of blocks repeats rows.
	rows  []stretch
	spans []Span
	hash  uint64
	solid bool
}

// NewShape makes a Shape of spans in pixels: rows[0] are those of row top,
// rows[1] those of the row below, in any order. Spans may touch or overlap; empty ones
// are ignored. It does not keep rows.
func NewShape(top int, rows [][]Span) *Shape {
	s := &Shape{rows: make([]stretch, len(rows)), solid: true}
	repeats := func(i int) bool { return i > 0 && slices.Equal(rows[i], rows[i-1]) }
	most := 0
	for i, row := range rows {
		if !repeats(i) {
			most += len(row)
		}
	}
	s.spans = make([]Span, 0, most)
	for i, row := range rows {
		if repeats(i) {
			s.rows[i] = s.rows[i-1]
		} else {
			from := len(s.spans)
			s.spans = append(s.spans, merge(row)...)
			s.rows[i] = stretch{int32(from), int32(len(s.spans))} //nolint:gosec // as many as fit into memory twice
		}
		if in := s.rows[i].of(s.spans); len(in) > 0 {
			s.bounds = s.bounds.Union(image.Rect(in[0].From, top+i, in[len(in)-1].To, top+i+1))
		}
	}
	if s.bounds.Empty() {
		s.rows = nil
	} else {
		s.rows = s.rows[s.bounds.Min.Y-top : s.bounds.Max.Y-top]
	}
	for _, r := range s.rows {
		in := r.of(s.spans)
		s.solid = s.solid && len(in) == 1 && in[0] == Span{s.bounds.Min.X, s.bounds.Max.X}
	}
	s.hash = s.sum()
	return s
}

// stretch is a part of a slice of spans: from up to to, exclusive.
type stretch struct{ from, to int32 }

func (r stretch) of(spans []Span) []Span { return spans[r.from:r.to] }

// merge returns the pixels of row as ordered spans that do not touch: row itself if it is
// that already.
func merge(row []Span) []Span {
	tidy := true
	for i, s := range row {
		tidy = tidy && s.From < s.To && (i == 0 || row[i-1].To < s.From)
	}
	if tidy {
		return row
	}
	in := slices.DeleteFunc(slices.Clone(row), func(s Span) bool { return s.From >= s.To })
	slices.SortFunc(in, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	out := in[:0]
	for _, s := range in {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (s *Shape) sum() uint64 {
	h := fnv.New64a()
	var b [16]byte
	put := func(v, w int) {
		binary.LittleEndian.PutUint64(b[0:], uint64(v)) //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[8:], uint64(w)) //nolint:gosec // a bit pattern
		_, _ = h.Write(b[:])
	}
	for y := s.bounds.Min.Y; y < s.bounds.Max.Y; y++ {
		row := s.Row(y)
		put(y, len(row))
		for _, r := range row {
			put(r.From, r.To)
		}
	}
	return h.Sum64()
}

// Bounds returns the smallest rectangle that holds s, in pixels.
func (s *Shape) Bounds() image.Rectangle { return s.bounds }

// Row returns the spans of a row of the picture, from left to right, with gaps
// between them. They must not be changed.
func (s *Shape) Row(y int) []Span {
	if y < s.bounds.Min.Y || y >= s.bounds.Max.Y {
		return nil
	}
	return s.rows[y-s.bounds.Min.Y].of(s.spans)
}

// Solid reports whether s is a whole rectangle.
func (s *Shape) Solid() bool { return s.solid }

// Hash returns a hash over all spans (FNV-1a).
func (s *Shape) Hash() uint64 { return s.hash }

// Contains reports whether all pixels of r belong to s. An empty r does.
func (s *Shape) Contains(r image.Rectangle) bool {
	if r.Empty() {
		return true
	}
	if !r.In(s.bounds) {
		return false
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		if !slices.ContainsFunc(s.Row(y), func(p Span) bool { return p.From <= r.Min.X && r.Max.X <= p.To }) {
			return false
		}
	}
	return true
}

// Outline returns the Shape that is obscured of r, nil if that is the whole Rect. A
// Shape whose bounds are not Rect is ignored.
func (r Region) Outline() *Shape {
	if r.Shape == nil || r.Shape.solid || r.Shape.bounds != r.Rect {
		return nil
	}
	return r.Shape
}

// Covers reports whether all pixels of box are obscured.
func (r Region) Covers(box image.Rectangle) bool {
	if s := r.Outline(); s != nil {
		return s.Contains(box)
	}
	return box.In(r.Rect)
}
