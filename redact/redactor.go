package redact

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"scrim/redact/condition"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rules"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

// Tracker carries faces through time. Package redact/track implements it.
type Tracker interface {
	// Lookahead is the number of pictures by which Release lags behind Observe.
	Lookahead() int
	// Observe adds the faces found in the next picture, of the given size in pixels.
	Observe(at time.Time, faces []face.Face, width, height int)
	// Release returns what must be obscured in the oldest picture that was observed
	// and not released; there must be one. The result is valid until the next call.
	Release() []geom.Region
	// Reset forgets everything, including pictures that were not released.
	Reset()
}

// Restless is a Tracker that covers more where pictures change all over from one to the
// next, as in rain or noise: any face may be missed there in any picture.
type Restless interface {
	// SetRestless says whether the pictures of Observe do so from the next one on.
	SetRestless(restless bool)
}

// Obscurer makes regions unrecognisable, in place. Package redact/obscure
// implements it.
type Obscurer interface {
	Apply(im *yuv.Image, regions []geom.Region) error
}

// Options configure a Redactor, which uses its parts exclusively. The caller closes
// the Detector.
type Options struct {
	Camera   string
	Gate     *Gate
	Detector Detector
	Tracker  Tracker
	Obscurer Obscurer
	// Zones of the camera: masks are obscured in every picture, and faces in ignored
	// zones are left out.
	Zones []zone.Zone
	// Cover is what is obscured; empty: CoverFaces. WhenBlind is what happens to pictures
	// in which Sight has not proved that the detector sees; empty: BlindMotion.
	Cover     Cover
	WhenBlind WhenBlind
	// Sight judges the detector's sight in each picture; nil: the detector is taken to see everywhere.
	Sight Sight
	// Background knows what moves. CoverPeople, CoverMotion, and BlindMotion with a Sight
	// need it.
	Background Background
	// SecondLook, if it has a detector, inspects pictures again after they were
	// obscured.
	SecondLook SecondLook
	// SelfTest returns an error if a part does not work on pictures of the given size
	// in pixels; package redact/selftest implements it. It is called at the first
	// picture of every epoch, every SelfTestInterval, and after a failure at every key
	// frame. While it fails nothing is shown. Nil: no self-test.
	SelfTest func(width, height int) error
	// Now is the clock of inspections, and must be that of Gate.Admits; nil means
	// time.Now.
	Now func() time.Time
}

// Redactor turns the Pictures of one camera into Frames. It is not safe for
// concurrent use.
type Redactor struct {
	o       Options
	model   string
	epoch   uint64
	last    uint64
	now     func() time.Time
	maxAge  time.Duration
	pending []*inspected
	free    []*inspected // for reuse
	out     []Outcome
	zones   zones
	tested  SelfTest
	// detected is when the detector last ran.
	detected time.Time
	covered  []geom.Region // for reuse
	restless condition.Restlessness
}

// inspected is a picture between inspection and release.
type inspected struct {
	p      *Picture
	faces  []face.Face
	at     time.Time
	timing Timing
	sight  Verdict
	motion Motion
	// inspection lacks the hash of the regions, which are not known yet.
	inspection Inspection
}

// New returns a Redactor.
func New(o Options) (*Redactor, error) {
	if o.Camera == "" || o.Gate == nil || o.Detector == nil || o.Tracker == nil || o.Obscurer == nil {
		return nil, errors.New("redactor needs a camera, a gate, a detector, a tracker and an obscurer")
	}
	if err := o.checkCover(); err != nil {
		return nil, err
	}
	r := &Redactor{o: o, model: o.Detector.Info().ModelSHA256, now: o.Now, maxAge: MaxInspectionAge}
	if r.now == nil {
		r.now = time.Now
	}
	if o.Tracker.Lookahead() > 0 {
		r.maxAge += MaxLookaheadTime
	}
	return r, nil
}

// SelfTestInterval is the time between two self-tests.
const SelfTestInterval = 5 * time.Minute

// SelfTest is the result of the last self-test.
type SelfTest struct {
	// At is when it ran; zero: never.
	At time.Time
	// Err is why it failed; nil: it passed.
	Err error
}

// LastSelfTest returns the result of the last self-test. It must not be called while
// another method runs.
func (r *Redactor) LastSelfTest() SelfTest { return r.tested }

// test runs the self-test if it is due.
func (r *Redactor) test(p *Picture, newEpoch bool) error {
	due := newEpoch || r.tested.At.IsZero() || r.now().Sub(r.tested.At) >= SelfTestInterval || r.tested.Err != nil && p.IDR
	if !rules.SelfTest || r.o.SelfTest == nil || !due && r.tested.Err == nil {
		return nil
	}
	if due {
		r.tested = SelfTest{Err: r.o.SelfTest(p.Image.Width, p.Image.Height), At: r.now()}
		// The drawn face did not come from the camera.
		if d, ok := r.o.Detector.(Resetter); ok {
			d.Reset()
		}
	}
	if r.tested.Err != nil {
		return r.refuse(FaultSelfTest, "self-test failed", r.tested.Err)
	}
	return nil
}

// WithheldError reports why a picture is not shown. The program goes on: a slate is
// sent instead.
type WithheldError struct {
	// Cause is what viewers are told.
	Cause Cause
	// Err is the underlying error; nil if there is none.
	Err error

	shut bool // the gate was shut for it
}

func (e *WithheldError) Error() string {
	if e.Err != nil {
		return e.Cause.Text + ": " + e.Err.Error()
	}
	return e.Cause.Text
}

// Unwrap returns Err.
func (e *WithheldError) Unwrap() error { return e.Err }

// Timing is how long one picture took.
type Timing struct {
	Sight, Detect, Motion, Track, Obscure time.Duration
}

// Outcome is the result for one picture.
type Outcome struct {
	Picture *Picture
	// Frame has taken over the Image of Picture. It is the zero Frame if Err, a
	// *WithheldError, is set because the picture may not be shown; then the caller
	// owns the Image again.
	Frame  Frame
	Timing Timing
	// Sight is what was known about the detector's sight in the picture.
	Sight Verdict
	Err   error
}

// Redact inspects p and takes it over. It returns the outcomes of the oldest pictures
// that it holds, in order and each once; with look-ahead these are earlier ones than p.
// Anything that goes wrong, even a panic, shuts the gate and withholds all pictures that
// were not released. The Outcomes are valid until the next call.
func (r *Redactor) Redact(p *Picture) []Outcome {
	r.out = r.out[:0]
	r.withRecovery(p, func() error { return r.inspect(p) })
	return r.out
}

// Flush returns the outcomes of the pictures that are left at the end.
func (r *Redactor) Flush() []Outcome {
	r.out = r.out[:0]
	r.withRecovery(nil, func() error { return r.release(0) })
	return r.out
}

// withRecovery calls f. If f fails or panics, all held pictures are withheld, and p.
func (r *Redactor) withRecovery(p *Picture, f func() error) {
	err := func() (err error) {
		defer func() {
			if !rules.Recover {
				return
			}
			if v := recover(); v != nil {
				r.o.Tracker.Reset()
				r.forget() // a part may have been about to change what it knows
				err = r.refuse(FaultPanic, "internal error", fmt.Errorf("panic: %v", v))
			}
		}()
		return f()
	}()
	if err == nil {
		return
	}
	for _, e := range r.pending {
		if e.p == p {
			p = nil // it is held
		}
		r.out = append(r.out, Outcome{Picture: e.p, Timing: e.timing, Sight: e.sight, Err: err})
		r.free = append(r.free, e)
	}
	r.pending = r.pending[:0]
	r.o.Tracker.Reset()
	if p != nil {
		r.out = append(r.out, Outcome{Picture: p, Err: err})
	}
}

// inspect inspects p and releases the pictures that have waited long enough.
func (r *Redactor) inspect(p *Picture) error {
	if p == nil || p.Image == nil || p.Camera != r.o.Camera || p.Number <= r.last || p.Epoch < r.epoch {
		return r.refuse(FaultInspection, "picture out of order", nil)
	}
	newEpoch := p.Epoch != r.epoch
	if newEpoch {
		r.withhold()
		r.o.Tracker.Reset()
		r.forget()
		r.epoch = p.Epoch
	}
	r.last = p.Number
	if n := len(r.pending); rules.Generation && n > 0 && r.pending[n-1].p.Generation != p.Generation {
		r.withhold() // the gate was shut between them
	}
	if rules.Generation && p.Generation != r.o.Gate.Generation() {
		// The gate was shut since p was decoded, and what waits is older still. The
		// detector is not called: its faults must not end the current generation.
		r.withhold()
		_, _, cause := r.o.Gate.State()
		r.out = append(r.out, Outcome{Picture: p, Err: &WithheldError{Cause: cause}})
		return nil
	}
	if !p.Complete {
		r.out = append(r.out, Outcome{Picture: p, Err: &WithheldError{Cause: Cause{Text: "input is not complete"}}})
		return nil
	}
	if err := r.test(p, newEpoch); err != nil {
		return err
	}
	start := r.now()
	sight, err := r.judge(p)
	if err != nil {
		return r.refuse(FaultDetector, "sight test failed", err)
	}
	judged := r.now()
	faces, err := r.detect(p)
	if err == nil {
		err = sane(faces, p.Image)
	}
	faces = r.zones.of(r.o.Zones, p.Image).Filter(faces)
	e := r.hold(p, faces, r.now())
	e.sight, e.timing.Sight, e.timing.Detect = sight, judged.Sub(start), e.at.Sub(judged)
	if rules.Detection && err != nil {
		return r.refuse(FaultDetector, "face detection failed", err)
	}
	if e.motion, err = r.observe(p, faces, sight); err != nil {
		return r.refuse(FaultDetector, "motion detection failed", err)
	}
	if r.o.Cover == CoverMotion && e.motion.Known {
		e.sight.Blind = false // nothing rests on the detector
	}
	observed := r.now()
	e.timing.Motion = observed.Sub(e.at)
	at := p.Time
	if at.IsZero() {
		at = e.at
	}
	if t, ok := r.o.Tracker.(Restless); ok {
		t.SetRestless(r.restless.Update(at, p.Image))
	}
	r.o.Tracker.Observe(at, faces, p.Image.Width, p.Image.Height)
	e.timing.Track = r.now().Sub(observed)
	return r.release(r.o.Tracker.Lookahead())
}

// forget forgets what is known of earlier pictures, apart from faces.
func (r *Redactor) forget() {
	if r.o.Sight != nil {
		r.o.Sight.Reset()
	}
	if r.o.Background != nil {
		r.o.Background.Reset()
	}
	r.detected = time.Time{}
	r.restless.Reset()
}

// timeOf returns the place of p in time.
func (r *Redactor) timeOf(p *Picture) time.Time {
	if p.Time.IsZero() {
		return r.now()
	}
	return p.Time
}

// detect returns the faces in p. A cover that needs no detector has it run only now and
// then, so that faces that do not move are found, too.
func (r *Redactor) detect(p *Picture) ([]face.Face, error) {
	at := r.timeOf(p)
	if since := at.Sub(r.detected); r.o.Cover == CoverMotion && since >= 0 && since < motionDetectInterval {
		return nil, nil
	}
	r.detected = at
	return r.o.Detector.Detect(p.Image)
}

// hold adds p to the pictures that wait.
func (r *Redactor) hold(p *Picture, faces []face.Face, at time.Time) *inspected {
	e := new(inspected)
	if n := len(r.free); n > 0 {
		e, r.free = r.free[n-1], r.free[:n-1]
	}
	*e = inspected{p: p, faces: append(e.faces[:0], faces...), at: at, inspection: inspectionOf(p, r.o.Detector.Info().ModelSHA256, at, r.maxAge)}
	r.pending = append(r.pending, e)
	return e
}

// withhold drops the pictures that wait, because the gate was shut since they were
// inspected.
func (r *Redactor) withhold() {
	_, _, cause := r.o.Gate.State()
	for _, e := range r.pending {
		r.o.Tracker.Release()
		r.out = append(r.out, Outcome{Picture: e.p, Timing: e.timing, Sight: e.sight, Err: &WithheldError{Cause: cause}})
		r.free = append(r.free, e)
	}
	r.pending = r.pending[:0]
}

// release obscures and releases the oldest pictures until the given number is left.
func (r *Redactor) release(left int) error {
	for len(r.pending) > left {
		e := r.pending[0]
		frame, err := r.finish(e)
		if withheld, ok := errors.AsType[*WithheldError](err); err != nil && (!ok || withheld.shut) {
			return err
		}
		r.out = append(r.out, Outcome{Picture: e.p, Frame: frame, Timing: e.timing, Sight: e.sight, Err: err})
		r.pending = append(r.pending[:0], r.pending[1:]...)
		r.free = append(r.free, e)
	}
	return nil
}

// finish is the only place where a picture becomes a Frame.
func (r *Redactor) finish(e *inspected) (Frame, error) {
	begun := r.now()
	regions := r.o.Tracker.Release()
	tracked := r.now()
	e.timing.Track += tracked.Sub(begun)
	if err := checkFaces(regions, e.faces); rules.Inspection && err != nil {
		return Frame{}, r.refuse(FaultInspection, wrongRegions, err)
	}
	if err := covers(regions, e.faces, e.p.Image); rules.Covers && err != nil {
		return Frame{}, r.refuse(FaultTracker, "face tracking failed", err)
	}
	if tracked.Sub(e.at) > r.maxAge {
		// It waited while the camera was silent. It is not wrong, only too old.
		return Frame{}, &WithheldError{Cause: Cause{Text: "no pictures from the camera"}}
	}
	regions, hidden := r.cover(e, regions)
	if hidden.Fault != "" {
		return Frame{}, r.hide(e, hidden)
	}
	regions = r.zones.mask(r.o.Zones, e.p.Image, regions)
	decided, n := hashRegions(regions), len(regions)
	if err := r.o.Obscurer.Apply(e.p.Image, regions); rules.Obscuring && err != nil {
		return Frame{}, r.refuse(FaultObscurer, "obscuring failed", err)
	}
	regions, err := r.o.SecondLook.look(e.p.Image, regions, r.o.Obscurer, r.zones.of(r.o.Zones, e.p.Image).Filter)
	if err != nil {
		return Frame{}, r.refuse(FaultDetector, "second detection pass failed", err)
	}
	e.timing.Obscure = r.now().Sub(tracked)
	inspection := e.inspection
	inspection.RegionsHash = hashRegions(regions)
	if err := inspection.check(e.p, r.model, r.now(), regions); rules.Inspection && err != nil {
		return Frame{}, r.refuse(FaultInspection, invalidInspection, err)
	}
	if rules.Inspection && hashRegions(regions[:n]) != decided {
		return Frame{}, r.refuse(FaultInspection, wrongRegions, fmt.Errorf("regions of picture %d changed while it was obscured", e.p.Number))
	}
	if ok, cause := r.o.Gate.pass(inspection, e.p.IDR); !ok {
		return Frame{}, &WithheldError{Cause: cause}
	}
	return Frame{img: e.p.Image, regions: append([]geom.Region(nil), regions...), inspection: inspection, sight: e.sight}, nil
}

// hide withholds a picture that was inspected. The stream is whole, so it may open the
// gate.
func (r *Redactor) hide(e *inspected, why Cause) error {
	inspection := e.inspection
	inspection.RegionsHash = hashRegions(nil)
	if err := inspection.check(e.p, r.model, r.now(), nil); rules.Inspection && err != nil {
		return r.refuse(FaultInspection, invalidInspection, err)
	}
	if ok, cause := r.o.Gate.pass(inspection, e.p.IDR); !ok {
		return &WithheldError{Cause: cause}
	}
	return &WithheldError{Cause: why}
}

const (
	// wrongRegions is the text where a tracker or obscurer mixes pictures up.
	wrongRegions = "regions of another picture"
	// invalidInspection is that where an inspection is not of its picture, or too old.
	invalidInspection = "inspection is not valid"
)

// refuse shuts the gate.
func (r *Redactor) refuse(fault Fault, text string, err error) error {
	cause := Cause{fault, text}
	r.o.Gate.Shut(cause)
	return &WithheldError{Cause: cause, Err: err, shut: true}
}

// maxReach bounds how far a face may lie outside the picture, and how large it
// may be, in sizes of the picture's longer side.
const maxReach = 16

// sane checks the result of the detector: a box that is not finite, or far from the
// picture, cannot be covered.
func sane(faces []face.Face, im *yuv.Image) error {
	limit := maxReach * float64(max(im.Width, im.Height))
	for _, f := range faces {
		b := f.Box
		// Written so that NaN fails, too.
		if !(math.Abs(b.X) <= limit && math.Abs(b.Y) <= limit && b.W >= 0 && b.W <= limit && b.H >= 0 && b.H <= limit) || math.IsNaN(f.Score) {
			return fmt.Errorf("detector returned an impossible face: %v×%v at %v, %v, score %v", b.W, b.H, b.X, b.Y, f.Score)
		}
	}
	return nil
}

// covers checks the result of the tracker: the part within the picture of every face
// found in it, except weak ones, must lie within one region.
func covers(regions []geom.Region, faces []face.Face, im *yuv.Image) error {
	for _, f := range faces {
		box := f.Box.Rect().Intersect(im.Bounds())
		covered := box.Empty() || f.Weak
		for _, r := range regions {
			if covered = covered || r.Covers(box); covered {
				break
			}
		}
		if !covered {
			return fmt.Errorf("face at %v is not covered by a region", box)
		}
	}
	return nil
}

// checkFaces checks that the result of the tracker is for this picture: each region marked
// as found in it must be one of its faces. Regions of another picture may cover them
// all by chance.
func checkFaces(regions []geom.Region, faces []face.Face) error {
	for _, r := range regions {
		found := r.Source == geom.Detected || r.Source == geom.Tracked
		if found && !slices.ContainsFunc(faces, func(f face.Face) bool { return f.Box == r.Face }) {
			return fmt.Errorf("face at %v was not found in this picture", r.Face.Rect())
		}
	}
	return nil
}
