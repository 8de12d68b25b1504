package files

import (
	"cmp"
	"fmt"
	"time"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/track"
	"scrim/redact/yuv"
)

// camera is the camera name that inspections of files carry.
const camera = "file"

const noKeyFrame = "no key frame yet"

// picture is one on its way from the decoder to the encoder.
type picture struct {
	redact.Picture
	pts, duration int64
}

// writer writes a frame.
type writer func(s *picture, f redact.Frame, t treatment) error

// redaction redacts the pictures of one file. Pictures that must not be shown it
// obscures whole.
type redaction struct {
	gate     *redact.Gate
	redactor *redact.Redactor
	write    writer
	cover    redact.Cover
	when     redact.WhenBlind
	number   uint64
	broken   string // why pictures are incomplete until the next key frame
	held     map[*redact.Picture]*picture
}

func newVideoRedaction(o Options, w writer) (*redaction, error) {
	return newRedaction(o, track.NewWindow(o.Track, o.Lookahead), w)
}

func newImageRedaction(o Options, w writer) (*redaction, error) {
	o.Background = noBackground{}
	if o.ImageSight != nil {
		o.Sight = o.ImageSight
	}
	return newRedaction(o, newImageTracker(o.Track), w)
}

func newRedaction(o Options, t redact.Tracker, w writer) (*redaction, error) {
	p := &redaction{
		gate: redact.NewGate(redact.Cause{Text: noKeyFrame}), write: w,
		held: make(map[*redact.Picture]*picture), broken: noKeyFrame, cover: o.Cover, when: o.WhenBlind,
	}
	var err error
	p.redactor, err = redact.New(redact.Options{
		Camera: camera, Gate: p.gate, Detector: o.Detector, Tracker: t, Obscurer: o.Obscurer, Zones: o.Zones,
		Cover: o.Cover, WhenBlind: o.WhenBlind, Sight: o.Sight, Background: o.Background,
		SecondLook: secondLook(o),
		// Inspections of pictures in a file do not expire.
		Now: func() time.Time { return time.Unix(1, 0) },
	})
	return p, err
}

// secondLook returns the settings of the second look.
func secondLook(o Options) redact.SecondLook {
	if !o.SecondLook {
		return redact.SecondLook{}
	}
	// It has the same threshold as the first look. Encoding changes scores: hands
	// that scored less than 0.45 before scored 0.503 in the file, so a higher
	// threshold would leave them visible.
	s := redact.SecondLook{Detector: o.Detector}
	if d, ok := o.Detector.(*ways); ok {
		s.Detector = d.largest
	}
	t := o.Track.WithDefaults()
	s.Padding, s.PaddingTop = t.Padding, t.PaddingTop
	return s
}

// add redacts the next picture. at is its time from the start of the file, key is
// set if decoding can start there, and damage is what is wrong with it.
func (p *redaction) add(im *yuv.Image, pts, duration int64, at time.Duration, key bool, damage string) error {
	if damage != "" {
		// The pictures before it are complete.
		if err := p.flush(); err != nil {
			return err
		}
		p.gate.Shut(redact.Cause{Text: damage})
		p.broken = damage
	} else if key {
		p.broken = ""
	}
	p.number++
	s := &picture{pts: pts, duration: duration, Picture: redact.Picture{
		Image: im, Camera: camera, Epoch: 1, Generation: p.gate.Generation(), Number: p.number, Complete: p.broken == "", IDR: key,
		Time: time.Unix(0, 0).Add(at),
	}}
	if p.broken != "" {
		return p.failsafe(s, treatment{cover: ipc.CoverWhole, failure: p.broken})
	}
	p.held[&s.Picture] = s
	return p.writeAll(p.redactor.Redact(&s.Picture))
}

// flush writes the pictures that wait for later ones.
func (p *redaction) flush() error { return p.writeAll(p.redactor.Flush()) }

func (p *redaction) writeAll(outcomes []redact.Outcome) error {
	for _, o := range outcomes {
		s := p.held[o.Picture]
		if s == nil {
			return fmt.Errorf("internal error: picture %d was returned twice", o.Picture.Number)
		}
		delete(p.held, o.Picture)
		var err error
		if o.Err != nil {
			err = p.failsafe(s, withheldTreatment(o))
		} else {
			err = p.write(s, o.Frame, shownTreatment(p.cover, p.when, o.Frame))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *redaction) failsafe(s *picture, t treatment) error {
	f, err := redact.Failsafe(&s.Picture, cmp.Or(t.blind, t.failure))
	if err != nil {
		return err
	}
	return p.write(s, f, t)
}
