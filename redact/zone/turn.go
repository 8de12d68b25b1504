package zone

import "scrim/redact/geom"

// Turn returns the zones of a picture as they lie after it was turned.
func Turn(list []Zone, r geom.Rotation) []Zone {
	out := make([]Zone, len(list))
	for i, z := range list {
		points := z.Polygon
		z.Polygon = make([]Point, len(points))
		for k, p := range points {
			z.Polygon[k].X, z.Polygon[k].Y = r.Point(p.X, p.Y, 1, 1)
		}
		out[i] = z
	}
	return out
}
