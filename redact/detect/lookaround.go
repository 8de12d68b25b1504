package detect

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"time"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
)

const (
	// lookInterval is the time between two looks at a picture one of the other ways, which take
	// turns. Two looks a second took 6 % of the processor time of a camera of 1280×720 at 15 pictures a second.
	lookInterval = time.Second
	// Each picture votes for a way, or against it: the way in which the best face scores more by
	// clearlyMore. From hangsVotes on the camera hangs so: all that is found counts then, weak
	// faces too; with mostVotes somebody is told. From -hangsVotes on it does not.
	clearlyMore, hangsVotes, mostVotes = 0.1, 10, 100
	// followTime is how long every picture is looked at that way after one that voted for it, and
	// hangingTime how long if the camera hangs so.
	followTime, hangingTime = time.Second, 10 * time.Minute
	// lyingScore is the least score of what counts as a face until it is known whether the camera hangs so, and
	// standingScore if it does not. Below it most is none.
	lyingScore, standingScore = 0.4, 0.6
	// upFace is the IoU from which on a face was found upright, too.
	upFace = 0.3
)

// LookAround is a detector of live pictures, when nobody has said which way is up. It looks
// at them upright, at the first one all four ways, and at one of the others now and then.
// Where that finds faces it looks at every picture that way, too. DetectPart looks upright
// only. It is not safe for concurrent use.
type LookAround struct {
	upright redact.Detector
	ways    []*lying
	next    int // way that is looked at next
	due     time.Time
	fresh   bool // the next picture is the first
	now     func() time.Time
	hangs   func(geom.Rotation)
	faces   []face.Face
}

// lying is another way to look at pictures.
type lying struct {
	by       geom.Rotation
	detector redact.Detector
	im       *yuv.Image
	faces    []face.Face
	votes    int
	until    time.Time // it is looked at every picture so
	told     bool
}

// NewLookAround returns a LookAround that looks upright with a detector, which it takes over. open returns
// another detector of the same kind; two are opened. hangs is called once for each way in
// which sure faces lie for a while; nil: nobody is told.
func NewLookAround(upright redact.Detector, open func() (redact.Detector, error), hangs func(geom.Rotation)) (*LookAround, error) {
	l := &LookAround{upright: upright, fresh: true, now: time.Now, hangs: hangs}
	// A detector prepares for pictures of one size.
	for _, rotations := range [][]geom.Rotation{{geom.Turned180}, {geom.Turned90, geom.Turned270}} {
		d, err := open()
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		for _, r := range rotations {
			l.ways = append(l.ways, &lying{by: r, detector: d})
		}
	}
	return l, nil
}

// Detect implements redact.Detector.
func (l *LookAround) Detect(im *yuv.Image) ([]face.Face, error) {
	found, err := l.upright.Detect(im)
	if err != nil {
		return nil, err
	}
	now := l.now()
	first, due := l.fresh, !now.Before(l.due)
	l.fresh = false
	if due || first {
		l.next = (l.next + 1) % len(l.ways)
		l.due = now.Add(lookInterval)
	}
	l.faces = append(l.faces[:0], found...)
	for i, w := range l.ways {
		if !first && (!due || i != l.next) && !now.Before(w.until) {
			continue
		}
		if err := l.look(w, im, now, len(found)); err != nil {
			return nil, err
		}
	}
	return l.faces, nil
}

// look adds to l.faces what is found in im one way. The first upright faces of l.faces were found
// upright.
func (l *LookAround) look(w *lying, im *yuv.Image, now time.Time, upright int) error {
	var err error
	if w.im, err = rotate.Turned(w.im, im, w.by); err != nil {
		return err
	}
	found, err := w.detector.Detect(w.im)
	if err != nil {
		return fmt.Errorf("picture turned by %v: %w", w.by, err)
	}
	w.faces = TurnBack(w.faces[:0], found, w.by, im)
	least := lyingScore
	if w.votes <= -hangsVotes {
		least = standingScore
	}
	best := 0.0
	for _, f := range w.faces {
		sure := !f.Weak && f.Score >= least
		if !sure && w.votes < hangsVotes || alsoUpright(l.faces[:upright], f) {
			continue
		}
		l.faces = append(l.faces, f)
		best = max(best, f.Score)
	}
	w.vote(best, bestOf(l.faces[:upright]), now)
	most := slices.MaxFunc(l.ways, func(a, b *lying) int { return a.votes - b.votes })
	if w.votes == mostVotes && best >= standingScore && w == most && !w.told && l.hangs != nil {
		w.told = true
		l.hangs(w.by)
	}
	return nil
}

// vote adds the vote of a picture, by the scores of the best faces that were found so and upright.
func (w *lying) vote(best, upright float64, now time.Time) {
	switch {
	case best >= lyingScore && best > upright+clearlyMore:
		w.votes = min(w.votes+1, mostVotes)
		follow := followTime
		if w.votes >= hangsVotes {
			follow = hangingTime
		}
		w.until = now.Add(follow)
	case upright >= lyingScore && upright > best+clearlyMore:
		if w.votes = max(w.votes-1, -hangsVotes); w.votes < 0 {
			w.until = now
		}
	}
}

// bestOf returns the score of the best face that is not weak.
func bestOf(faces []face.Face) float64 {
	best := 0.0
	for _, f := range faces {
		if !f.Weak {
			best = max(best, f.Score)
		}
	}
	return best
}

// alsoUpright reports whether a face is one of those that were found upright.
func alsoUpright(upright []face.Face, f face.Face) bool {
	return slices.ContainsFunc(upright, func(u face.Face) bool { return !u.Weak && u.Box.IoU(f.Box) >= upFace })
}

// DetectPart implements redact.PartDetector.
func (l *LookAround) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	d, ok := l.upright.(redact.PartDetector)
	if !ok {
		return nil, fmt.Errorf("detector %s cannot inspect parts of pictures", l.Info().Name)
	}
	return d.DetectPart(part, at, width, height)
}

// Adapt implements redact.Adapter. The detectors of the other ways measure by themselves.
func (l *LookAround) Adapt(im *yuv.Image) error {
	if d, ok := l.upright.(redact.Adapter); ok {
		return d.Adapt(im)
	}
	return nil
}

// Info implements redact.Detector.
func (l *LookAround) Info() redact.DetectorInfo { return l.upright.Info() }

// Reset implements redact.Resetter. How the camera hangs is not forgotten.
func (l *LookAround) Reset() {
	l.fresh = true
	for _, d := range l.all() {
		if d, ok := d.(redact.Resetter); ok {
			d.Reset()
		}
	}
}

// Close implements redact.Detector.
func (l *LookAround) Close() (err error) {
	for _, d := range l.all() {
		err = errors.Join(err, d.Close())
	}
	return err
}

// all returns all detectors, each once.
func (l *LookAround) all() []redact.Detector {
	all := []redact.Detector{l.upright}
	for _, w := range l.ways {
		if !slices.Contains(all, w.detector) {
			all = append(all, w.detector)
		}
	}
	return all
}
