package files

import (
	"cmp"
	"image"
	"slices"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
)

// record returns the line of a report for a frame.
func record(name string, frame int64, pts float64, f redact.Frame, t treatment) ipc.FileFrame {
	bounds := f.Image().Bounds()
	out := ipc.FileFrame{
		File: name, Frame: frame, PTS: pts, Width: bounds.Dx(), Height: bounds.Dy(), Cover: t.cover, Blind: t.blind,
		Regions: []geom.RegionRecord{},
	}
	for _, r := range f.Regions() {
		rect := r.Rect.Intersect(bounds)
		if rect.Empty() {
			continue
		}
		if s := r.Outline(); s != nil {
			for _, part := range rectangles(s, bounds) {
				out.Regions = append(out.Regions, r.Cut(part))
			}
			continue
		}
		out.Regions = append(out.Regions, r.Cut(rect))
	}
	return out
}

const (
	// maxParts is the maximum number of rectangles for a shape.
	maxParts = 32
	// A shape that needs more is divided into shapeBands bands of rows, with at most
	// spansPerBand rectangles each.
	shapeBands   = maxParts / spansPerBand
	spansPerBand = 2
)

// rectangles returns rectangles within a shape and bounds that do not overlap. They
// make up the whole shape if maxParts suffice, else the larger part of it: everything
// that is reported as obscured is obscured.
func rectangles(s *geom.Shape, bounds image.Rectangle) []image.Rectangle {
	b := s.Bounds().Intersect(bounds)
	var all []image.Rectangle
	for y := b.Min.Y; y < b.Max.Y && len(all) <= maxParts; {
		end := y + 1
		for end < b.Max.Y && slices.Equal(s.Row(end), s.Row(y)) {
			end++
		}
		all = append(all, band(s.Row(y), bounds, y, end)...)
		y = end
	}
	if len(all) <= maxParts {
		return all
	}
	all = all[:0]
	for i := range shapeBands {
		from, to := b.Min.Y+i*b.Dy()/shapeBands, b.Min.Y+(i+1)*b.Dy()/shapeBands
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
func band(spans []geom.Span, bounds image.Rectangle, top, bottom int) (out []image.Rectangle) {
	for _, s := range spans {
		if r := image.Rect(s.From, top, s.To, bottom).Intersect(bounds); !r.Empty() {
			out = append(out, r)
		}
	}
	return out
}

// common returns what two rows share.
func common(a, b []geom.Span) (out []geom.Span) {
	for _, s := range a {
		for _, o := range b {
			if from, to := max(s.From, o.From), min(s.To, o.To); from < to {
				out = append(out, geom.Span{From: from, To: to})
			}
		}
	}
	return out
}
