package measure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scrim/redact/geom"
)

// Cover is what should have been obscured; it decides what is scored.
type Cover string

// The covers.
const (
	// CoverFaces scores faces. It is the default.
	CoverFaces Cover = "faces"
	// CoverPeople scores the trunks of the headline's people as well, where the truth has
	// them.
	CoverPeople Cover = "people"
	// CoverMotion scores the faces of people who have moved since the background was
	// learned; all others are hard. Before that, and whenever the whole picture is obscured
	// because no background is known, everybody counts.
	CoverMotion Cover = "motion"
)

// Covers lists the covers.
func Covers() []Cover { return []Cover{CoverFaces, CoverPeople, CoverMotion} }

// UnmarshalText accepts one of the covers.
func (c *Cover) UnmarshalText(text []byte) error {
	if !slices.Contains(Covers(), Cover(text)) {
		return fmt.Errorf("invalid cover %.20q: must be faces, people or motion", text)
	}
	*c = Cover(text)
	return nil
}

// BodyShare is the share of a trunk within the picture from which on it is covered.
const BodyShare = 0.8

// Bodies is the score of the trunks of people whose faces are in the headline.
type Bodies struct {
	Frames       int    `json:"body_frames"`
	Covered      int    `json:"covered"`
	CoveredShare Number `json:"covered_share"`
	Coverage     Number `json:"coverage_mean"`
}

// Blind is for how long it was not proved that the detector sees.
type Blind struct {
	Seconds float64 `json:"seconds"`
	Share   Number  `json:"share"`
	// Reasons are the seconds by reason.
	Reasons map[string]float64 `json:"seconds_by_reason"`
	// FalseSeconds is the time blind while the picture was clear, ClearSeconds that of
	// all clear pictures; FalseShare is null if the truth does not say which were.
	FalseSeconds float64 `json:"false_seconds"`
	ClearSeconds float64 `json:"clear_seconds"`
	FalseShare   Number  `json:"false_share"`
	// WholeSeconds is for how long the whole picture was obscured, whatever the reason.
	WholeSeconds float64 `json:"whole_seconds"`
}

// add adds a frame that was shown for dt seconds.
func (b *Blind) add(t *TruthFrame, r *ReportFrame, whole bool, dt float64) {
	if whole {
		b.WholeSeconds += dt
	}
	isClear := t.Clear != nil && *t.Clear
	if isClear {
		b.ClearSeconds += dt
	}
	if r.Blind == "" {
		return
	}
	b.Seconds += dt
	if b.Reasons == nil {
		b.Reasons = map[string]float64{}
	}
	b.Reasons[r.Blind] += dt
	if isClear {
		b.FalseSeconds += dt
	}
}

// finish rounds the sums, and makes shares of them.
func (b *Blind) finish(seconds float64) {
	b.Share, b.FalseShare = over(b.Seconds, seconds), over(b.FalseSeconds, b.ClearSeconds)
	for _, v := range []*float64{&b.Seconds, &b.FalseSeconds, &b.ClearSeconds, &b.WholeSeconds} {
		*v = roundSeconds(*v)
	}
	for reason, v := range b.Reasons {
		b.Reasons[reason] = roundSeconds(v)
	}
}

// String describes it in one line.
func (b *Blind) String() string {
	s := fmt.Sprintf("%.1f s, %s of the time", b.Seconds, b.Share.Percent())
	reasons := make([]string, 0, len(b.Reasons))
	for reason, v := range b.Reasons {
		reasons = append(reasons, fmt.Sprintf("%s %.1f s", reason, v))
	}
	slices.Sort(reasons)
	if len(reasons) > 0 {
		s += " (" + strings.Join(reasons, ", ") + ")"
	}
	if b.FalseShare.Known() {
		s += fmt.Sprintf("; %.1f s of them in %.1f s of clear pictures", b.FalseSeconds, b.ClearSeconds)
	}
	return s
}

// movedShare is by how many sizes of the face, or of the trunk, somebody must have moved
// or grown to count as one who has moved.
const movedShare = 0.5

// movement says who has moved since the background of a video was learned.
type movement struct {
	known  bool
	places map[int]geom.Box // where people were when it was learned
	moved  map[int]bool
}

// step takes the next frame. whole says that all of the picture is obscured as
// if no background were known.
func (m *movement) step(t *TruthFrame, whole bool) {
	places := t.Bodies
	if places == nil {
		places = make(map[int]geom.Box, len(t.Faces))
		for i := range t.Faces {
			places[t.Faces[i].Person] = t.Faces[i].Box
		}
	}
	switch {
	case whole:
		m.known = false
		return
	case !m.known:
		*m = movement{known: true, places: places, moved: map[int]bool{}}
		return
	}
	for person, box := range places {
		was, there := m.places[person]
		size := movedShare * max(was.W, was.H)
		if !there || math.Abs(was.X+was.W/2-box.X-box.W/2) > size || math.Abs(was.Y+was.H/2-box.Y-box.H/2) > size ||
			math.Abs(max(box.W, box.H)-max(was.W, was.H)) > size {
			m.moved[person] = true
		}
	}
}

// counts reports whether somebody must be covered.
func (m *movement) counts(person int) bool { return !m.known || m.moved[person] }

// unlearned reports whether a frame looks as if no background were known: a region of
// what moves covers the picture.
func unlearned(r *ReportFrame, picture geom.Box) bool {
	return slices.ContainsFunc(r.Regions, func(v Region) bool {
		return v.Source == geom.Moving && v.Box.Intersect(picture) >= picture.Area()-rounding
	})
}
