package redact

import (
	"errors"

	"scrim/redact/geom"
)

// failsafeLuma is the grey of a picture that is obscured whole.
const failsafeLuma = 56

// Failsafe turns a picture that may not be shown into a grey Frame, which counts as a
// slate with the given reason. It is for output that must not lack a picture, such as
// a file. It takes over the Image of p, and fails if there is none.
func Failsafe(p *Picture, reason string) (Frame, error) {
	if p == nil || p.Image == nil {
		return Frame{}, errors.New("no picture to obscure")
	}
	im := p.Image
	im.Fill(failsafeLuma, slateChroma, slateChroma)
	whole := geom.Region{
		Rect: im.Bounds(), Source: geom.Failsafe,
		Face: geom.Box{W: float64(im.Width), H: float64(im.Height)},
	}
	return Frame{img: im, slate: true, reason: reason, regions: []geom.Region{whole}}, nil
}
