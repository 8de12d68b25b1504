package files

import (
	"time"

	"scrim/redact"
	"scrim/redact/yuv"
)

// The least height of the faces that must be found in videos and in images, in pixels, unless
// it is given in pixels: in a small picture, such as a preview, 5 percent of the height are
// no face that anybody recognises. One picture says less than a video.
const (
	LeastVideoNeed = 20
	LeastImageNeed = 32
)

// minJudged is the least side of pictures whose sight is judged, in pixels. In a smaller one no
// face is recognised.
const minJudged = LeastImageNeed

// roomySight is a Sight that takes small pictures for good.
type roomySight struct{ redact.Sight }

// Judge implements redact.Sight.
func (s roomySight) Judge(at time.Time, im *yuv.Image) (redact.Verdict, error) {
	if min(im.Width, im.Height) < minJudged {
		return redact.Verdict{Proved: true}, nil
	}
	return s.Sight.Judge(at, im)
}

// patientSight is a Sight that tests a picture again if the one before was proved, or if it is
// the first: so chance hides few pictures in which the detector sees. After a test that
// failed two must pass in a row, as always.
type patientSight struct {
	redact.Sight
	blind bool // the last picture was
}

// testsAgain is how often a picture is tested again.
const testsAgain = 2

// Judge implements redact.Sight.
func (s *patientSight) Judge(at time.Time, im *yuv.Image) (redact.Verdict, error) {
	v, err := s.Sight.Judge(at, im)
	for n := 0; n < testsAgain && err == nil && !v.Proved && !s.blind; n++ {
		v, err = s.Sight.Judge(at, im)
	}
	s.blind = err == nil && !v.Proved
	return v, err
}

// Reset implements redact.Sight.
func (s *patientSight) Reset() {
	s.Sight.Reset()
	s.blind = false
}
