package redact

import (
	"errors"
	"fmt"
	"image"
	"time"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rules"
	"scrim/redact/yuv"
)

// Cover is what of a picture is obscured.
type Cover string

// The covers.
const (
	// CoverFaces obscures the faces that the detector finds.
	CoverFaces Cover = "faces"
	// CoverPeople also obscures the bodies of these people, and what moves with them.
	CoverPeople Cover = "people"
	// CoverMotion obscures everything that differs from the learned background. It needs
	// no detector; faces that one finds are obscured as well.
	CoverMotion Cover = "motion"
)

// Covers lists the covers.
func Covers() []Cover { return []Cover{CoverFaces, CoverPeople, CoverMotion} }

// WhenBlind is what happens to pictures in which the detector may not see.
type WhenBlind string

// The settings for pictures in which the detector may not see.
const (
	// BlindMotion obscures everything that differs from the learned background, and
	// hides the picture while there is none.
	BlindMotion WhenBlind = "motion"
	// BlindSlate hides the picture.
	BlindSlate WhenBlind = "slate"
	// BlindWarn only says so. The owner accepts that faces are shown.
	BlindWarn WhenBlind = "warn"
)

// FaultBlind says that it is not proved that the detector sees in the camera's pictures,
// and that nothing else can cover them. It does not shut the gate: the stream is whole.
const FaultBlind Fault = "blind"

// Sight judges in each picture whether the detector can see there. Package redact/sight
// implements it. It is used by one goroutine.
type Sight interface {
	// Judge says what is known of the sight in im. It neither changes nor keeps im, and
	// may run the detector on copies of its parts. An error means that it could not
	// judge: the picture is withheld.
	Judge(at time.Time, im *yuv.Image) (Verdict, error)
	// Reset forgets everything. It is called before pictures of another size or stream.
	Reset()
}

// Verdict is what a Sight says about one picture.
type Verdict struct {
	// Proved is set if faces of Need pixels and more are found in pictures like this
	// one. If not, the picture is covered.
	Proved bool
	// Blind is set when nothing was proved for some time. It ends when the sight was proved
	// for some time.
	Blind bool
	// Why is the reason why it is not proved, such as "too dark". While Blind lasts it is
	// the last such reason.
	Why string
	// Size is the sight: the least height of a face that is found with certainty. Need
	// is the height from which on faces must be found. Both are in pixels of the
	// picture; a Size of 0 is unknown.
	Size, Need float64
}

// Background knows what a camera shows when nothing moves. Package redact/motion
// implements it. It is used by one goroutine.
type Background interface {
	// Observe compares im with the background, and learns it. It neither changes nor
	// keeps im. The Regions stay valid.
	Observe(at time.Time, im *yuv.Image, s Seen) (Motion, error)
	// Reset forgets the background. It is called before pictures of another size or stream.
	Reset()
}

// Seen is what is known about a picture that a Background observes.
type Seen struct {
	// Faces are those found in the picture, weak ones too. They are not kept.
	Faces []face.Face
	// Learn is set if the detector sees in the picture. Then the background may be
	// learned from it, except from what is covered.
	Learn bool
	// Wanted is set if the Motion is used. If not, Observe may skip the picture.
	Wanted bool
}

// Motion is what of a picture differs from the background.
type Motion struct {
	// Known is set if there is a background. If not, everything counts as moving, and
	// Why says why.
	Known bool
	Why   string
	// Regions are the connected parts that differ, grown outward, of source geom.Moving.
	Regions []geom.Region
}

// motionDetectInterval is the time between two detector passes if the cover needs none.
const motionDetectInterval = time.Second

// WholeTrack is the track number of a region that covers the whole picture because no
// background is known. Other track numbers never reach it, and JSON numbers represent it
// exactly.
const WholeTrack = 1 << 51

// checkCover returns what is missing of o.
func (o *Options) checkCover() error {
	switch o.Cover {
	case "", CoverFaces:
		o.Cover = CoverFaces
	case CoverPeople, CoverMotion:
		if o.Background == nil {
			return fmt.Errorf("cover %s needs a background", o.Cover)
		}
	default:
		return fmt.Errorf("cover %.20q is unknown", o.Cover)
	}
	switch o.WhenBlind {
	case "", BlindMotion:
		o.WhenBlind = BlindMotion
		if o.Sight != nil && o.Background == nil {
			return errors.New("motion cover of blind cameras needs a background")
		}
	case BlindSlate, BlindWarn:
	default:
		return fmt.Errorf("unknown setting %.20q for blind cameras", o.WhenBlind)
	}
	return nil
}

// judge returns what is known of the sight in p.
func (r *Redactor) judge(p *Picture) (Verdict, error) {
	if r.o.Sight == nil || !rules.Sight {
		return Verdict{Proved: true}, nil
	}
	return r.o.Sight.Judge(r.timeOf(p), p.Image)
}

// observe returns what of p moves.
func (r *Redactor) observe(p *Picture, faces []face.Face, v Verdict) (Motion, error) {
	if r.o.Background == nil {
		return Motion{}, nil
	}
	covered := !v.Proved && r.o.WhenBlind == BlindMotion
	return r.o.Background.Observe(r.timeOf(p), p.Image, Seen{
		Faces: faces, Learn: v.Proved || !rules.Learn, Wanted: r.o.Cover != CoverFaces || covered,
	})
}

// cover adds to the regions of the faces in e what its cover asks for. hidden is why the
// picture is not shown at all; a Cause without a Fault: it is shown. The regions are valid
// until the next call; faces, which belong to the tracker, is not changed.
func (r *Redactor) cover(e *inspected, faces []geom.Region) (regions []geom.Region, hidden Cause) {
	bounds := e.p.Image.Bounds()
	blind, known, moving := !e.sight.Proved, e.motion.Known || !rules.Background, e.motion.Regions
	if !rules.Moving {
		moving = nil
	}
	switch {
	case r.o.Cover == CoverMotion && !known:
		r.covered = append(append(r.covered[:0], faces...), whole(bounds))
		return r.covered, Cause{}
	case r.o.Cover == CoverMotion:
		r.covered = append(append(r.covered[:0], faces...), moving...)
		return r.covered, Cause{}
	case blind && (r.o.WhenBlind == BlindSlate || r.o.WhenBlind == BlindMotion && !known):
		return faces, e.sight.cause()
	case r.o.Cover == CoverFaces && !blind:
		return faces, Cause{}
	}
	r.covered = append(r.covered[:0], faces...)
	if r.o.Cover == CoverPeople {
		r.covered = append(r.covered, bodies(faces, moving, bounds)...)
	}
	if blind && r.o.WhenBlind == BlindMotion {
		r.covered = append(r.covered, moving...)
	}
	return r.covered, Cause{}
}

// cause returns why a picture is hidden.
func (v Verdict) cause() Cause {
	if v.Blind {
		return Cause{FaultBlind, "blind: " + v.Why}
	}
	return Cause{FaultBlind, v.Why}
}

// whole returns the region that covers a picture.
func whole(bounds image.Rectangle) geom.Region {
	return geom.Region{
		Rect: bounds, Source: geom.Moving, Track: WholeTrack,
		Face: geom.Box{W: float64(bounds.Dx()), H: float64(bounds.Dy())},
	}
}
