package redact

import (
	"errors"
	"fmt"
	"time"

	"scrim/redact/face"
	"scrim/redact/yuv"
)

// Tracker carries faces through time. Package redact/track implements it.
type Tracker interface {
	// Update takes the faces found in one picture and returns what must be
	// obscured in it; the result is valid until the next call.
	Update(picture uint64, at time.Time, faces []face.Face, width, height int) []face.Region
	// Reset forgets everything: the picture's size or the scene has changed.
	Reset()
}

// Obscurer makes regions unrecognisable, in place. Package redact/obscure
// implements it.
type Obscurer interface {
	Apply(im *yuv.Image, regions []face.Region) error
}

// Options are what a Redactor is made of. It uses them exclusively; the
// Detector stays the caller's to close.
type Options struct {
	Camera   string
	Gate     *Gate
	Detector Detector
	Tracker  Tracker
	Obscurer Obscurer
}

// Redactor turns the Pictures of one camera into Frames. It is not safe for
// concurrent use.
type Redactor struct {
	o     Options
	model string
	epoch uint64
	last  uint64
	now   func() time.Time
}

// New returns a Redactor.
func New(o Options) (*Redactor, error) {
	if o.Camera == "" || o.Gate == nil || o.Detector == nil || o.Tracker == nil || o.Obscurer == nil {
		return nil, errors.New("redactor needs a camera, a gate, a detector, a tracker and an obscurer")
	}
	return &Redactor{o: o, model: o.Detector.Info().ModelSHA256, now: time.Now}, nil
}

// WithheldError says that a picture is not shown, and why. It is no fault of
// the program: a slate is sent instead.
type WithheldError struct {
	// Reason is what viewers are shown.
	Reason string
	// Err is the cause, nil where the reason says all.
	Err error
}

func (e *WithheldError) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

// Unwrap returns the cause.
func (e *WithheldError) Unwrap() error { return e.Err }

// Timing is what one picture cost.
type Timing struct {
	Detect, Track, Obscure time.Duration
}

// Redact inspects p, obscures it in place and returns the Frame, which takes
// over p.Image. When p may not be shown it returns a *WithheldError, the zero
// Frame, and p.Image is the caller's again. Anything that goes wrong shuts the
// gate, a panic included.
func (r *Redactor) Redact(p *Picture) (f Frame, t Timing, err error) {
	defer func() {
		if v := recover(); v != nil {
			f, err = Frame{}, r.refuse("internal error in the redactor", fmt.Errorf("panic: %v", v))
		}
	}()
	if p == nil || p.Image == nil || p.Camera != r.o.Camera || p.Number <= r.last || p.Epoch < r.epoch {
		return Frame{}, t, r.refuse("picture of another camera or out of order", nil)
	}
	if p.Epoch != r.epoch {
		r.o.Tracker.Reset()
		r.epoch = p.Epoch
	}
	r.last = p.Number
	if !p.Complete {
		return Frame{}, t, &WithheldError{Reason: "input is not complete"}
	}

	start := r.now()
	faces, err := r.o.Detector.Detect(p.Image)
	inspected := r.now()
	t.Detect = inspected.Sub(start)
	if err != nil {
		return Frame{}, t, r.refuse("face detection failed", err)
	}
	regions := r.o.Tracker.Update(p.Number, inspected, faces, p.Image.Width, p.Image.Height)
	tracked := r.now()
	t.Track = tracked.Sub(inspected)
	if err := covers(regions, faces, p.Image); err != nil {
		return Frame{}, t, r.refuse("face tracking failed", err)
	}
	if err := r.o.Obscurer.Apply(p.Image, regions); err != nil {
		return Frame{}, t, r.refuse("obscuring failed", err)
	}
	t.Obscure = r.now().Sub(tracked)
	return r.release(p, certify(p, r.model, inspected, regions), regions, t)
}

// release is the only place where a picture becomes a Frame.
func (r *Redactor) release(p *Picture, c Certificate, regions []face.Region, t Timing) (Frame, Timing, error) {
	if err := c.check(p, r.model, r.now(), regions); err != nil {
		return Frame{}, t, r.refuse("no valid inspection", err)
	}
	if ok, reason := r.o.Gate.pass(c, p.IDR); !ok {
		return Frame{}, t, &WithheldError{Reason: reason}
	}
	kept := append([]face.Region(nil), regions...)
	return Frame{img: p.Image, regions: kept, certificate: c}, t, nil
}

// refuse shuts the gate.
func (r *Redactor) refuse(reason string, cause error) error {
	r.o.Gate.Shut(reason)
	return &WithheldError{Reason: reason, Err: cause}
}

// covers checks the tracker's answer: every face that was found in this
// picture lies within one region, as far as it lies within the picture.
func covers(regions []face.Region, faces []face.Face, im *yuv.Image) error {
	for _, f := range faces {
		box := f.Box.Rect().Intersect(im.Bounds())
		covered := box.Empty()
		for _, r := range regions {
			if covered = covered || box.In(r.Rect); covered {
				break
			}
		}
		if !covered {
			return fmt.Errorf("face at %v is in no region", box)
		}
	}
	return nil
}
