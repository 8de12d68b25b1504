package geom

import (
	"encoding/json"
	"image"
	"math"
)

// Source is why a Region is obscured.
type Source string

// The sources of a Region.
const (
	Detected Source = "detected"
	Tracked  Source = "tracked"
	Held     Source = "held"
	// Backfilled regions cover a face in pictures before it was found.
	Backfilled Source = "backfilled"
	Failsafe   Source = "failsafe"
	// Zone regions are obscured in every picture.
	Zone Source = "zone"
)

// Region is a part of the picture that must be obscured.
type Region struct {
	// Rect is what is obscured, in pixels, including padding. It may reach outside the
	// picture, where it is cut.
	Rect image.Rectangle
	// Face is the box as found, before padding.
	Face Box
	// Score is the confidence of the underlying detection, 0 to 1.
	Score float64
	// Source is Detected if the face was found in this picture.
	Source Source
	// Track identifies the same face over time; it is never 0 for a face. The obscurer
	// anchors its cell grid and noise to it.
	Track uint64
	// Shape is the obscured part of Rect; nil for all of it. If its bounds are not Rect,
	// it is ignored and all of Rect is obscured. Regions may share it.
	Shape *Shape `json:"-"`
}

// Cut returns the part of r that lies within rect, as records and reports list
// it: without its Shape, and rounded to 1/100 pixel and 1/10000 of a score.
func (r Region) Cut(rect image.Rectangle) Region {
	pixels := func(v float64) float64 { return round(v, 100) }
	r.Rect, r.Shape = r.Rect.Intersect(rect), nil
	r.Face = Box{X: pixels(r.Face.X), Y: pixels(r.Face.Y), W: pixels(r.Face.W), H: pixels(r.Face.H)}
	r.Score = round(r.Score, 10_000)
	return r
}

func round(v, steps float64) float64 { return math.Round(v*steps) / steps }

// regionJSON is a Region in records and reports.
type regionJSON struct {
	X      int     `json:"x"`
	Y      int     `json:"y"`
	W      int     `json:"w"`
	H      int     `json:"h"`
	Face   Box     `json:"face"`
	Score  float64 `json:"score"`
	Source Source  `json:"source"`
	Track  uint64  `json:"track"`
}

// MarshalJSON implements json.Marshaler. The Shape is left out.
func (r Region) MarshalJSON() ([]byte, error) {
	return json.Marshal(regionJSON{r.Rect.Min.X, r.Rect.Min.Y, r.Rect.Dx(), r.Rect.Dy(), r.Face, r.Score, r.Source, r.Track})
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Region) UnmarshalJSON(text []byte) error {
	var v regionJSON
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*r = Region{Rect: image.Rect(v.X, v.Y, v.X+v.W, v.Y+v.H), Face: v.Face, Score: v.Score, Source: v.Source, Track: v.Track}
	return nil
}
