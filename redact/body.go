package redact

import (
	"image"
	"slices"

	"scrim/redact/geom"
)

// Track numbers of regions that are not faces. Trackers, zones and second looks never
// reach them, and JSON numbers represent them exactly.
const (
	// FirstMovingTrack is the least number of what moves.
	FirstMovingTrack = 3 << 49
	// FirstBodyTrack plus the number of a face is that of its body.
	FirstBodyTrack = 7 << 48
)

// extent is how far a part of a person reaches from the face, in sizes of the face: to
// each side, above and below.
type extent struct{ side, above, below float64 }

// A face is from hairline to chin. A person stands about 9 such faces high; hanging arms
// are 1.6 faces from the middle. The rest is for steps and turns.
var (
	headExtent      = extent{0.4, 0.6, 1.0}
	shouldersExtent = extent{1.1, -1.05, 8.2}
	bodyExtent      = extent{1.5, -2.0, 8.2}
	personExtent    = extent{1.5, 0.6, 8.2}
)

func (e extent) of(f geom.Box, r geom.Rotation) image.Rectangle {
	size := max(f.W, f.H)
	square := geom.Box{X: f.X + (f.W-size)/2, Y: f.Y + (f.H-size)/2, W: size, H: size}
	return r.Extend(square, e.side, e.above, e.below).Rect()
}

// PersonRect returns where the person of a face is that lies as r says: hair, shoulders
// and body, standing. It may reach outside the picture.
func PersonRect(f geom.Box, r geom.Rotation) image.Rectangle { return personExtent.of(f, r) }

// bodies returns a region for the person below each face: head, shoulders and body, by
// the usual proportions, with all of the moving regions that touch them. Faces are the
// regions of tracked faces; others are passed over. Both are only read.
func bodies(faces, moving []geom.Region, bounds image.Rectangle) []geom.Region {
	var out []geom.Region
	joined := make([]bool, len(moving))
	for _, f := range faces {
		if f.Face.Area() == 0 || f.Source == geom.Zone || f.Source == geom.Moving || f.Source == geom.Body {
			continue
		}
		shape := bodyShape(f, bounds)
		if shape.Bounds().Empty() {
			continue
		}
		for i, m := range moving {
			joined[i] = joined[i] || touches(shape, m)
		}
		out = append(out, geom.Region{
			Rect: shape.Bounds(), Shape: shape, Face: f.Face, Rotation: f.Rotation, Score: f.Score, Source: geom.Body, Track: FirstBodyTrack + f.Track,
		})
	}
	for i, m := range moving {
		if joined[i] {
			out = append(out, m)
		}
	}
	return out
}

// bodyShape returns the outline of the person of a face within bounds, with the region
// of the face. A face that was not found in the picture for certain is anywhere in its
// region, and its person below.
func bodyShape(f geom.Region, bounds image.Rectangle) *geom.Shape {
	parts := [...]image.Rectangle{f.Rect, {}, {}, {}}
	for i, e := range [...]extent{headExtent, shouldersExtent, bodyExtent} {
		parts[i+1] = e.of(f.Face, f.Rotation)
		if f.Source != geom.Detected {
			first, last := f.Face, f.Face
			first.X, first.Y = float64(f.Rect.Min.X), float64(f.Rect.Min.Y)
			last.X, last.Y = float64(f.Rect.Max.X)-last.W, float64(f.Rect.Max.Y)-last.H
			parts[i+1] = parts[i+1].Union(e.of(first, f.Rotation)).Union(e.of(last, f.Rotation))
		}
	}
	var all image.Rectangle
	for i, p := range parts {
		parts[i] = p.Intersect(bounds)
		all = all.Union(parts[i])
	}
	var edges [2 * len(parts)]int
	for i, p := range parts {
		edges[2*i], edges[2*i+1] = p.Min.Y, p.Max.Y
	}
	slices.Sort(edges[:])
	rows, spans := make([][]geom.Span, all.Dy()), make([]geom.Span, 0, len(edges)*len(parts))
	for i, y := range edges[1:] { // rows between two edges are the same
		top, from := edges[i], len(spans)
		for _, p := range parts {
			if p.Min.Y <= top && top < p.Max.Y {
				spans = append(spans, geom.Span{From: p.Min.X, To: p.Max.X})
			}
		}
		for ; top < y && len(spans) > from; top++ {
			rows[top-all.Min.Y] = spans[from:]
		}
	}
	return geom.NewShape(all.Min.Y, rows)
}

// touches reports whether a pixel of s and one of r are the same or neighbours.
func touches(s *geom.Shape, r geom.Region) bool {
	outline := r.Outline()
	b := s.Bounds().Intersect(r.Rect.Inset(-1))
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for _, p := range s.Row(y) {
			if outline == nil {
				if p.From <= r.Rect.Max.X && r.Rect.Min.X <= p.To {
					return true
				}
				continue
			}
			for k := y - 1; k <= y+1; k++ {
				for _, q := range outline.Row(k) {
					if p.From <= q.To && q.From <= p.To {
						return true
					}
				}
			}
		}
	}
	return false
}
