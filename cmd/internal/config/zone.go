package config

import (
	"fmt"
	"math"

	"scrim/redact/zone"
)

// Zone is a part of a camera's picture; see package zone.
type Zone struct {
	// Kind is mask (always obscured), tiles (small faces are expected) or ignore
	// (faces are not searched for there; the page shows it to viewers).
	Kind ZoneKind `yaml:"kind" schema:"required"`
	// Name is shown to viewers; a zone of kind ignore needs one.
	Name string `yaml:"name"`
	// Reason is why faces are not searched for in a zone of kind ignore.
	Reason ZoneReason `yaml:"reason"`
	// Polygon lists the corners, each [x, y] in fractions of the frame from its top
	// left.
	Polygon [][]Fraction `yaml:"polygon" schema:"required"`
}

// ZoneKind is what a zone is for.
type ZoneKind string

// UnmarshalText accepts one of the kinds.
func (k *ZoneKind) UnmarshalText(text []byte) error {
	return choose(k, text, "zone kind", words[ZoneKind](zone.Kinds())...)
}

// ZoneReason is why faces are not searched for in a zone.
type ZoneReason string

// UnmarshalText accepts one of the reasons.
func (r *ZoneReason) UnmarshalText(text []byte) error {
	return choose(r, text, "reason", words[ZoneReason](zone.Reasons())...)
}

// words converts a list of words to another type.
func words[T, S ~string](list []S) []T {
	out := make([]T, len(list))
	for i, w := range list {
		out[i] = T(w)
	}
	return out
}

// Fraction is a fraction of the frame's width or height, from 0 to 1.
type Fraction float64

// UnmarshalText accepts a decimal fraction.
func (f *Fraction) UnmarshalText(text []byte) error {
	return decimal(f, text, 0, 1, "coordinate", "a fraction of the frame from 0 to 1, such as 0.25")
}

// zone converts z to package zone's type.
func (z *Zone) zone() zone.Zone {
	out := zone.Zone{Kind: zone.Kind(z.Kind), Name: z.Name, Reason: string(z.Reason)}
	for _, p := range z.Polygon {
		if len(p) != 2 {
			p = []Fraction{Fraction(math.NaN()), 0} // checkZones has refused it
		}
		out.Polygon = append(out.Polygon, zone.Point{X: float64(p[0]), Y: float64(p[1])})
	}
	return out
}

// zones converts a list to package zone's type.
func zones(list []Zone) (out []zone.Zone) {
	for i := range list {
		out = append(out, list[i].zone())
	}
	return out
}

// String describes the zone in a few words.
func (z *Zone) String() string {
	s := string(z.Kind)
	if z.Reason != "" {
		s += ", " + string(z.Reason)
	}
	if z.Name != "" {
		s += fmt.Sprintf(" %q", z.Name)
	}
	s += fmt.Sprintf(", %d points", len(z.Polygon))
	if zone.Kind(z.Kind) == zone.Ignore {
		s += "; faces are not searched for there, and viewers are told"
	}
	return s
}

// checkZones checks the zones of the camera at path.
func (d *decoder) checkZones(path string, c *Camera) error {
	if len(c.Zones) > zone.MaxZones {
		return d.failAt(path+".zones", "camera %s has %d zones: at most %d are allowed", c.Name, len(c.Zones), zone.MaxZones)
	}
	for i := range c.Zones {
		z, at := &c.Zones[i], fmt.Sprintf("%s.zones[%d]", path, i)
		switch {
		case z.Kind == "":
			return d.failAt(at, "zone without `kind`")
		case z.Polygon == nil:
			return d.failAt(at, "zone without `polygon`")
		}
		for k, p := range z.Polygon {
			if len(p) != 2 {
				return d.failAt(fmt.Sprintf("%s.polygon[%d]", at, k), "invalid point: must be two numbers, [x, y], not %d", len(p))
			}
		}
		if err := z.zone().CheckWords(); err != nil {
			return d.failAt(at+wordsKey(z), "%s", err)
		}
		if err := z.zone().CheckPolygon(); err != nil {
			return d.failAt(at+".polygon", "%s", err)
		}
	}
	if i, err := zone.CheckIgnored(zones(c.Zones)); err != nil {
		return d.failAt(fmt.Sprintf("%s.zones[%d].polygon", path, i), "%s", err)
	}
	return nil
}

// wordsKey returns the key that an error of CheckWords is about.
func wordsKey(z *Zone) string {
	w := z.zone()
	if w.Name = "zone"; w.CheckWords() == nil {
		return ".name"
	}
	return ".reason"
}

// tileAreas returns where small faces are expected: the bounds [left, top, right,
// bottom] of each zone of kind tiles.
func tileAreas(zones []Zone) (areas [][4]float64) {
	for _, z := range zones {
		if zone.Kind(z.Kind) != zone.Tiles || len(z.Polygon) == 0 {
			continue
		}
		a := [4]float64{1, 1, 0, 0}
		for _, p := range z.Polygon {
			x, y := float64(p[0]), float64(p[1])
			a = [4]float64{min(a[0], x), min(a[1], y), max(a[2], x), max(a[3], y)}
		}
		areas = append(areas, a)
	}
	return areas
}
