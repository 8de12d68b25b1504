package redact

import (
	"errors"

	"scrim/redact/geom"
)

// failsafeLuma is what a picture is painted in that is obscured whole.
const failsafeLuma = 56

// Failsafe turns a picture that may not be shown into a Frame without anything
// of it: one grey, which counts as a slate with that reason. It is for where a
// picture must not be left out, such as in a file. It takes over p's Image, and
// fails when there is none.
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
