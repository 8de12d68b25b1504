package files

import (
	"fmt"
	"time"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/track"
	"scrim/redact/yuv"
)

// camera stands for a file where the policy asks for a camera's name.
const camera = "file"

const noKeyFrame = "no key frame yet"

// shot is a picture on its way from the decoder to the encoder.
type shot struct {
	redact.Picture
	pts, duration int64
}

// emit takes over a frame that may be written. reason is empty, or says why it
// was obscured whole.
type emit func(s *shot, f redact.Frame, reason string) error

// passage takes the pictures of one file past the policy. What it may not show
// it obscures whole.
type passage struct {
	gate     *redact.Gate
	redactor *redact.Redactor
	clock    *clocked // the tracker of a video
	emit     emit
	number   uint64
	broken   string // why pictures are not complete; until the next key frame
	held     map[*redact.Picture]*shot
}

// clocked is a Tracker whose time is that of the pictures: how fast a file is
// redacted says nothing of how fast people move.
type clocked struct {
	*track.Window
	now time.Time
}

// Observe implements redact.Tracker.
func (c *clocked) Observe(_ time.Time, faces []face.Face, width, height int) {
	c.Window.Observe(c.now, faces, width, height)
}

// newVideo returns the passage of a video, newStill that of a still.
func newVideo(o Options, e emit) (*passage, error) {
	c := &clocked{Window: track.NewWindow(o.Track, o.Lookahead)}
	p, err := newPassage(o, c, e)
	if err == nil {
		p.clock = c
	}
	return p, err
}

func newStill(o Options, e emit) (*passage, error) { return newPassage(o, newStills(o.Track), e) }

func newPassage(o Options, t redact.Tracker, e emit) (*passage, error) {
	p := &passage{
		gate: redact.NewGate(redact.Cause{Text: noKeyFrame}), emit: e,
		held: make(map[*redact.Picture]*shot), broken: noKeyFrame,
	}
	var err error
	p.redactor, err = redact.New(redact.Options{
		Camera: camera, Gate: p.gate, Detector: o.Detector, Tracker: t, Obscurer: o.Obscurer, Zones: o.Zones,
		SecondLook: secondLook(o),
		// A picture of a file does not go stale while it waits for others.
		Now: func() time.Time { return time.Unix(1, 0) },
	})
	return p, err
}

// secondLook is what Options ask for.
func secondLook(o Options) redact.SecondLook {
	if !o.SecondLook {
		return redact.SecondLook{}
	}
	// Its threshold is that of the first look. Coding changes the score of what is
	// left: hands that had less than 0.45 had 0.503 in the file, so that covering
	// only what is surely found would not do.
	s := redact.SecondLook{Detector: o.Detector}
	if d, ok := o.Detector.(*detector); ok {
		s.Detector = &largest{d}
	}
	t := padded(o.Track)
	s.Padding, s.PaddingTop = t.Padding, t.PaddingTop
	return s
}

// take takes over the next picture, shown at a time. key is set when decoding
// could have started there, and damage says what is wrong with it.
func (p *passage) take(im *yuv.Image, pts, duration int64, at time.Duration, key bool, damage string) error {
	if damage != "" {
		// Those before it are whole, and go on.
		if err := p.flush(); err != nil {
			return err
		}
		p.gate.Shut(redact.Cause{Text: damage})
		p.broken = damage
	} else if key {
		p.broken = ""
	}
	p.number++
	s := &shot{pts: pts, duration: duration, Picture: redact.Picture{
		Image: im, Camera: camera, Epoch: 1, Generation: p.gate.Generation(), Number: p.number, Complete: p.broken == "", IDR: key,
	}}
	if p.broken != "" {
		return p.failsafe(s, p.broken)
	}
	p.held[&s.Picture] = s
	if p.clock != nil {
		p.clock.now = time.Unix(0, 0).Add(at)
	}
	return p.hand(p.redactor.Redact(&s.Picture))
}

// flush lets the pictures go that wait for others.
func (p *passage) flush() error { return p.hand(p.redactor.Flush()) }

func (p *passage) hand(outcomes []redact.Outcome) error {
	for _, o := range outcomes {
		s := p.held[o.Picture]
		if s == nil {
			return fmt.Errorf("internal error: picture %d came back twice", o.Picture.Number)
		}
		delete(p.held, o.Picture)
		var err error
		if o.Err != nil {
			err = p.failsafe(s, o.Err.Error())
		} else {
			err = p.emit(s, o.Frame, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *passage) failsafe(s *shot, reason string) error {
	f, err := redact.Failsafe(&s.Picture, reason)
	if err != nil {
		return err
	}
	return p.emit(s, f, reason)
}
