package bench

import (
	"fmt"
	"math"

	"scrim/pipeline/measure"
	"scrim/redact/geom"
)

// Leaks are exposed faces as package measure counts them: faces of at least 16
// pixels, turned by at most 45°, at least 60 % visible, and less than 95 % covered.
// Pictures that were not shown expose nobody.
type Leaks struct {
	Frames       int            `json:"frames"`
	Faces        int            `json:"face_frames"`
	Exposed      int            `json:"exposed_face_frames"`
	ExposedShare measure.Number `json:"exposed_share"`
	LongestRun   int            `json:"longest_run_frames"`
	People       int            `json:"people"`
	NeverExposed measure.Number `json:"never_exposed_share"`
	// HardFaces and HardExposed are all other faces: small, turned or hidden.
	HardFaces    int            `json:"hard_face_frames"`
	HardExposed  int            `json:"hard_exposed_face_frames"`
	ObscuredArea measure.Number `json:"obscured_area_mean"`
	// FalseArea is obscured without a face.
	FalseArea measure.Number `json:"false_area_mean"`
	// Bodies are the trunks, in cover people; nil if they are not scored.
	Bodies *measure.Bodies `json:"bodies,omitempty"`
	// BlindSeconds is for how long it was not proved that the detector sees, and
	// FalseBlindSeconds how much of that was in clear pictures. WholeSeconds is for how long
	// the whole picture was obscured.
	Seconds           float64 `json:"seconds"`
	BlindSeconds      float64 `json:"blind_seconds"`
	FalseBlindSeconds float64 `json:"false_blind_seconds"`
	WholeSeconds      float64 `json:"whole_seconds"`
	// Runs are the first leaks, for people to look at.
	Runs []measure.Leak `json:"runs"`
}

// maxRuns bounds Leaks.Runs.
const maxRuns = 50

// Shown is a picture that was shown: its number, counted over all rounds of the clip,
// and its obscured regions.
type Shown struct {
	Number        int
	Width, Height int
	Regions       []geom.RegionRecord
	// Blind is why it is not proved that the detector sees; empty: it is.
	Blind string
}

// Shown returns the pictures that were published in the window.
func (d *Delivery) Shown() []Shown {
	var out []Shown
	for i := range d.pictures {
		p := &d.pictures[i]
		if !p.due.Before(d.window.From) && p.due.Before(d.window.To) {
			out = append(out, Shown{p.number, p.line.Width, p.line.Height, p.line.Regions, p.line.Blind})
		}
	}
	return out
}

// Pair returns truth and report of a camera that showed a clip, for package measure.
func Pair(name string, c *Clip, shown []Shown) measure.Pair {
	p := measure.Pair{Truth: &measure.Truth{File: name}, Report: &measure.Report{File: name}}
	for i, s := range shown {
		at := duration(int64(s.Number/len(c.PTS))*c.Length + c.PTS[s.Number%len(c.PTS)]).Seconds()
		truth := c.Truth[s.Number%len(c.PTS)]
		truth.Frame, truth.PTS, truth.Line = s.Number, at, i+1
		r := measure.ReportFrame{Frame: s.Number, PTS: at, Width: s.Width, Height: s.Height, Blind: s.Blind, Line: i + 1}
		for _, g := range s.Regions {
			r.Regions = append(r.Regions, measure.RegionOf(g.Region()))
		}
		p.Truth.Frames, p.Report.Frames = append(p.Truth.Frames, truth), append(p.Report.Frames, r)
	}
	return p
}

// FindLeaks scores all cameras together, by what should have been obscured. It returns nil if
// there is nothing to score. With cover motion, turned faces count as well.
func FindLeaks(pairs []measure.Pair, cover measure.Cover) (*Leaks, error) {
	var some []measure.Pair
	for _, p := range pairs {
		if len(p.Truth.Frames) > 0 {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil, nil //nolint:nilnil // no picture with a truth was shown
	}
	zero := 0 // the first number may be any
	filter := measure.DefaultFilter
	if cover == measure.CoverMotion {
		filter.MaxYaw = 180
	}
	r, err := measure.Score(some, measure.Options{Filter: filter, Cover: cover, ReportFirst: &zero, TruthFirst: &zero})
	if err != nil {
		return nil, fmt.Errorf("leaks: %w", err)
	}
	return &Leaks{
		Frames: r.Frames, Faces: r.Headline.Faces, Exposed: r.Headline.Exposed, ExposedShare: r.Headline.ExposedShare,
		LongestRun: r.Headline.LongestRun, People: r.Headline.People, NeverExposed: r.Headline.NeverExposed,
		HardFaces: r.Hard.Faces, HardExposed: r.Hard.Exposed, ObscuredArea: r.Area.Obscured, FalseArea: r.Area.False,
		Bodies: r.Bodies, Seconds: r.Seconds, BlindSeconds: r.Blind.Seconds, FalseBlindSeconds: r.Blind.FalseSeconds, WholeSeconds: r.Blind.WholeSeconds,
		Runs: append([]measure.Leak{}, r.Leaks[:min(len(r.Leaks), maxRuns)]...),
	}, nil
}

// AddLeaks sums the leaks of repetitions; nil if there are none. Shares and means are
// weighted: NeverExposed by people, who count once per repetition, and areas by
// pictures.
func AddLeaks(runs []*Leaks) *Leaks {
	if len(runs) == 0 {
		return nil
	}
	sum := &Leaks{Runs: []measure.Leak{}}
	var never, obscured, wrong, body mean
	for _, r := range runs {
		sum.Frames += r.Frames
		sum.Faces += r.Faces
		sum.Exposed += r.Exposed
		sum.LongestRun = max(sum.LongestRun, r.LongestRun)
		sum.People += r.People
		sum.HardFaces += r.HardFaces
		sum.HardExposed += r.HardExposed
		sum.Seconds += r.Seconds
		sum.BlindSeconds += r.BlindSeconds
		sum.FalseBlindSeconds += r.FalseBlindSeconds
		sum.WholeSeconds += r.WholeSeconds
		if b := r.Bodies; b != nil {
			if sum.Bodies == nil {
				sum.Bodies = &measure.Bodies{}
			}
			sum.Bodies.Frames += b.Frames
			sum.Bodies.Covered += b.Covered
			body.add(b.Coverage, b.Frames)
		}
		never.add(r.NeverExposed, r.People)
		obscured.add(r.ObscuredArea, r.Frames)
		wrong.add(r.FalseArea, r.Frames)
		sum.Runs = append(sum.Runs, r.Runs...)
	}
	var exposed mean
	exposed.sum, exposed.weight = float64(sum.Exposed), sum.Faces
	sum.ExposedShare, sum.NeverExposed, sum.ObscuredArea, sum.FalseArea = exposed.value(), never.value(), obscured.value(), wrong.value()
	if b := sum.Bodies; b != nil {
		covered := mean{float64(b.Covered), b.Frames}
		b.CoveredShare, b.Coverage = covered.value(), body.value()
	}
	sum.Runs = sum.Runs[:min(len(sum.Runs), maxRuns)]
	return sum
}

// mean is a weighted mean.
type mean struct {
	sum    float64
	weight int
}

func (m *mean) add(v measure.Number, weight int) {
	if v.Known() {
		m.sum += float64(v) * float64(weight)
		m.weight += weight
	}
}

// value is the mean, or NaN without values.
func (m *mean) value() measure.Number {
	if m.weight == 0 {
		return measure.Number(math.NaN())
	}
	return measure.Number(m.sum / float64(m.weight))
}
