package redact

import (
	"image"
	"slices"

	"scrim/redact/geom"
)

// A body reaches this far from its face, in sizes of the face: to each side, above, and
// below. People of average build are about 7.5 heads high and 2.5 heads wide at the
// shoulders.
const (
	bodyAside = 1.5
	bodyAbove = 0.5
	bodyBelow = 7
)

// bodies returns what covers the bodies below faces, within bounds: by the usual
// proportions, and every moving part that touches them.
func bodies(faces, moving []geom.Region, bounds image.Rectangle) []geom.Region {
	var out []geom.Region
	for _, f := range faces {
		b := f.Face
		body := f.Rotation.Extend(b, bodyAside, bodyAbove, bodyBelow)
		rect := body.Rect().Union(f.Rect).Intersect(bounds)
		if rect.Empty() {
			continue
		}
		out = append(out, geom.Region{Rect: rect, Face: b, Rotation: f.Rotation, Score: f.Score, Source: geom.Body, Track: f.Track})
	}
	n := len(out)
	for _, m := range moving {
		if slices.ContainsFunc(out[:n], func(r geom.Region) bool { return r.Rect.Overlaps(m.Rect) }) {
			out = append(out, m)
		}
	}
	return out
}
