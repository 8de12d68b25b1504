package geom

import (
	"cmp"
	"image"
	"slices"
)

// spansPerBand is the maximum number of neighbouring rectangles in a band of rows of
// a shape that is not listed as it is.
const spansPerBand = 2

// Parts returns records of rectangles that lie within r and bounds and do not overlap:
// everything that they list is obscured. They make up all of it if most suffice,
// which is at least spansPerBand; otherwise they list the larger part of a Shape.
func (r Region) Parts(bounds image.Rectangle, most int) []RegionRecord {
	s := r.Outline()
	if s == nil {
		if r.Rect.Intersect(bounds).Empty() {
			return nil
		}
		return []RegionRecord{r.Cut(bounds)}
	}
	var records []RegionRecord
	for _, part := range s.rectangles(bounds, most) {
		records = append(records, r.Cut(part))
	}
	return records
}

// rectangles returns up to most rectangles within a shape and bounds.
func (s *Shape) rectangles(bounds image.Rectangle, most int) []image.Rectangle {
	b := s.Bounds().Intersect(bounds)
	var all []image.Rectangle
	for y := b.Min.Y; y < b.Max.Y && len(all) <= most; {
		end := y + 1
		for end < b.Max.Y && slices.Equal(s.Row(end), s.Row(y)) {
			end++
		}
		all = append(all, band(s.Row(y), bounds, y, end)...)
		y = end
	}
	if len(all) <= most {
		return all
	}
	all = all[:0]
	bands := most / spansPerBand
	for i := range bands {
		from, to := b.Min.Y+i*b.Dy()/bands, b.Min.Y+(i+1)*b.Dy()/bands
		if from == to {
			continue
		}
		spans := s.Row(from)
		for y := from + 1; y < to; y++ {
			spans = common(spans, s.Row(y))
		}
		parts := band(spans, bounds, from, to)
		slices.SortStableFunc(parts, func(a, b image.Rectangle) int { return cmp.Compare(b.Dx(), a.Dx()) })
		all = append(all, parts[:min(len(parts), spansPerBand)]...)
	}
	return all
}

// band returns the rectangles of spans in the rows from top to bottom.
func band(spans []Span, bounds image.Rectangle, top, bottom int) (out []image.Rectangle) {
	for _, s := range spans {
		if r := image.Rect(s.From, top, s.To, bottom).Intersect(bounds); !r.Empty() {
			out = append(out, r)
		}
	}
	return out
}

// common returns what two rows share.
func common(a, b []Span) (out []Span) {
	for _, s := range a {
		for _, o := range b {
			if from, to := max(s.From, o.From), min(s.To, o.To); from < to {
				out = append(out, Span{From: from, To: to})
			}
		}
	}
	return out
}
