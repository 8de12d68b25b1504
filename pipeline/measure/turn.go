package measure

import (
	"fmt"
	"math"

	"scrim/redact/geom"
)

// turned returns the truth of the pictures after they were turned by r.
func (t *Truth) turned(r geom.Rotation) (*Truth, error) {
	if r == geom.Upright {
		return t, nil
	}
	if t.Still {
		return nil, fmt.Errorf("%s: labelled stills cannot be turned: their size is not known", t.Path)
	}
	out := *t
	out.Frames = make([]TruthFrame, len(t.Frames))
	for i, f := range t.Frames {
		w, h := f.Width, f.Height
		f.Width, f.Height = r.Size(w, h)
		faces := make([]TrueFace, len(f.Faces))
		for k, v := range f.Faces {
			v.Box, v.Roll = r.Box(v.Box, w, h), math.Remainder(v.Roll+float64(r), 360)
			faces[k] = v
		}
		f.Faces = faces
		if f.Bodies != nil {
			bodies := make(map[int]geom.Box, len(f.Bodies))
			for person, b := range f.Bodies {
				bodies[person] = r.Box(b, w, h)
			}
			f.Bodies = bodies
		}
		out.Frames[i] = f
	}
	return &out, nil
}
