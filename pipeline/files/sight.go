package files

import (
	"time"

	"scrim/redact"
	"scrim/redact/yuv"
)

// LeastNeed is the least height of the faces that must be found in images unless it is given in
// pixels: in a small image, such as a preview, 5 percent of the height are no face that
// anybody recognises.
const LeastNeed = 32

// minJudged is the least side of pictures whose sight is judged, in pixels. In a smaller one no
// face is recognised.
const minJudged = LeastNeed

// roomySight is a Sight that takes small pictures for good.
type roomySight struct{ redact.Sight }

// Judge implements redact.Sight.
func (s roomySight) Judge(at time.Time, im *yuv.Image) (redact.Verdict, error) {
	if min(im.Width, im.Height) < minJudged {
		return redact.Verdict{Proved: true}, nil
	}
	return s.Sight.Judge(at, im)
}

// stillSight is a Sight for images: one that fails is judged again, as a video of it would be.
// So chance hides few images in which the detector sees.
type stillSight struct{ redact.Sight }

const (
	stillLooks    = 3
	stillInterval = time.Second
)

// Judge implements redact.Sight.
func (s stillSight) Judge(at time.Time, im *yuv.Image) (v redact.Verdict, err error) {
	for n := range stillLooks {
		if v, err = s.Sight.Judge(at.Add(time.Duration(n)*stillInterval), im); err != nil || v.Proved {
			break
		}
	}
	return v, err
}
