package geom

import (
	"cmp"
	"image"
	"slices"
)

// spansPerBand is the maximum number of neighbouring rectangles in a band of rows of
// a shape that is not listed as it is.
const spansPerBand = 2

// AppendParts appends to records those of rectangles that lie within r and bounds and do not
// overlap: everything that they list is obscured. They make up all of it if most suffice,
// which is at least spansPerBand; otherwise they list the larger part of a Shape.
func (r Region) AppendParts(records []RegionRecord, bounds image.Rectangle, most int) []RegionRecord {
	s := r.Outline()
	if s == nil {
		if r.Rect.Intersect(bounds).Empty() {
			return records
		}
		return append(records, r.Cut(bounds))
	}
	b := s.Bounds().Intersect(bounds)
	before := len(records)
	for y := b.Min.Y; y < b.Max.Y && len(records)-before <= most; {
		end := y + 1
		for end < b.Max.Y && slices.Equal(s.Row(end), s.Row(y)) {
			end++
		}
		for _, p := range s.Row(y) {
			if p = p.within(b); p.From < p.To {
				records = append(records, r.Cut(image.Rect(p.From, y, p.To, end)))
			}
		}
		y = end
	}
	if len(records)-before <= most {
		return records
	}
	return r.appendBands(records[:before], s, b, most/spansPerBand)
}

// appendBands appends the longest spans that the rows of each band of s share within b.
func (r Region) appendBands(records []RegionRecord, s *Shape, b image.Rectangle, bands int) []RegionRecord {
	var shared, next []Span
	for i := range bands {
		from, to := b.Min.Y+i*b.Dy()/bands, b.Min.Y+(i+1)*b.Dy()/bands
		if from == to {
			continue
		}
		shared = shared[:0]
		for _, p := range s.Row(from) {
			shared = append(shared, p.within(b))
		}
		for y := from + 1; y < to; y++ {
			shared, next = appendCommon(next[:0], shared, s.Row(y)), shared
		}
		slices.SortStableFunc(shared, func(a, b Span) int { return cmp.Compare(b.To-b.From, a.To-a.From) })
		for _, p := range shared[:min(len(shared), spansPerBand)] {
			if p.From < p.To {
				records = append(records, r.Cut(image.Rect(p.From, from, p.To, to)))
			}
		}
	}
	return records
}

// within returns what of p lies in the columns of b; empty if nothing does.
func (p Span) within(b image.Rectangle) Span { return Span{max(p.From, b.Min.X), min(p.To, b.Max.X)} }

// appendCommon appends what two rows share to out.
func appendCommon(out, a, b []Span) []Span {
	for _, s := range a {
		for _, o := range b {
			if from, to := max(s.From, o.From), min(s.To, o.To); from < to {
				out = append(out, Span{From: from, To: to})
			}
		}
	}
	return out
}
