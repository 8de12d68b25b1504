package bench

import (
	"fmt"

	"scrim/cmd/internal/measure"
	"scrim/pipeline/wire"
)

// Leaks are faces that were to be seen although they should not be, as package
// measure counts them: those of 16 pixels and more, turned by 45° at most, of
// which 60 % are visible, and which are covered to less than 95 %. Pictures that
// were never shown expose nobody.
type Leaks struct {
	Frames       int            `json:"frames"`
	Faces        int            `json:"face_frames"`
	Exposed      int            `json:"exposed_face_frames"`
	ExposedShare measure.Number `json:"exposed_share"`
	LongestRun   int            `json:"longest_run_frames"`
	People       int            `json:"people"`
	NeverExposed measure.Number `json:"never_exposed_share"`
	// HardFaces and HardExposed are the others: small, turned or hidden.
	HardFaces    int            `json:"hard_face_frames"`
	HardExposed  int            `json:"hard_exposed_face_frames"`
	ObscuredArea measure.Number `json:"obscured_area_mean"`
	// Runs are the first that were exposed, for people to look at.
	Runs []measure.Leak `json:"runs"`
}

// maxRuns bounds Leaks.Runs.
const maxRuns = 50

// Shown is a picture that was shown: which one of the clip's, counted over all
// rounds, and what was obscured in it.
type Shown struct {
	Number        int
	Width, Height int
	Regions       []wire.Region
}

// Shown returns the pictures that were published in the window.
func (y *Way) Shown() []Shown {
	var out []Shown
	for i := range y.pictures {
		p := &y.pictures[i]
		if !p.due.Before(y.window.From) && p.due.Before(y.window.To) {
			out = append(out, Shown{p.number, p.line.Width, p.line.Height, p.line.Regions})
		}
	}
	return out
}

// Pair returns what package measure scores of a camera that has shown a clip.
func Pair(name string, c *Clip, shown []Shown) measure.Pair {
	p := measure.Pair{Truth: &measure.Truth{File: name}, Report: &measure.Report{File: name}}
	for i, s := range shown {
		at := duration(int64(s.Number/len(c.PTS))*c.Length + c.PTS[s.Number%len(c.PTS)]).Seconds()
		truth := c.Truth[s.Number%len(c.PTS)]
		truth.Frame, truth.PTS, truth.Line = s.Number, at, i+1
		r := measure.ReportFrame{Frame: s.Number, PTS: at, Width: s.Width, Height: s.Height, Line: i + 1}
		for _, g := range s.Regions {
			r.Regions = append(r.Regions, measure.Region{
				Box:   measure.Box{X: float64(g.Rect[0]), Y: float64(g.Rect[1]), W: float64(g.Rect[2]), H: float64(g.Rect[3])},
				Score: g.Score, Source: g.Source, Track: g.Track,
			})
		}
		p.Truth.Frames, p.Report.Frames = append(p.Truth.Frames, truth), append(p.Report.Frames, r)
	}
	return p
}

// FindLeaks scores all cameras together; nil when there is nothing to score.
func FindLeaks(pairs []measure.Pair) (*Leaks, error) {
	var some []measure.Pair
	for _, p := range pairs {
		if len(p.Truth.Frames) > 0 {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil, nil //nolint:nilnil // nothing was shown of which the truth is known
	}
	zero := 0 // the first number may be any
	r, err := measure.Score(some, measure.Options{Filter: measure.DefaultFilter, ReportFirst: &zero, TruthFirst: &zero})
	if err != nil {
		return nil, fmt.Errorf("leaks: %w", err)
	}
	return &Leaks{
		Frames: r.Frames, Faces: r.Headline.Faces, Exposed: r.Headline.Exposed, ExposedShare: r.Headline.ExposedShare,
		LongestRun: r.Headline.LongestRun, People: r.Headline.People, NeverExposed: r.Headline.NeverExposed,
		HardFaces: r.Hard.Faces, HardExposed: r.Hard.Exposed, ObscuredArea: r.Area.Obscured,
		Runs: append([]measure.Leak{}, r.Leaks[:min(len(r.Leaks), maxRuns)]...),
	}, nil
}

// AddLeaks adds up what repetitions have found; nil of none.
func AddLeaks(runs []*Leaks) *Leaks {
	if len(runs) == 0 {
		return nil
	}
	sum := *runs[0]
	for _, r := range runs[1:] {
		sum.Frames += r.Frames
		sum.Faces += r.Faces
		sum.Exposed += r.Exposed
		sum.LongestRun = max(sum.LongestRun, r.LongestRun)
		sum.HardFaces += r.HardFaces
		sum.HardExposed += r.HardExposed
		sum.NeverExposed = min(sum.NeverExposed, r.NeverExposed)
		sum.ObscuredArea = (sum.ObscuredArea + r.ObscuredArea) / 2
		sum.Runs = append(sum.Runs, r.Runs...)
	}
	sum.ExposedShare = measure.Number(0)
	if sum.Faces > 0 {
		sum.ExposedShare = measure.Number(float64(sum.Exposed) / float64(sum.Faces))
	}
	sum.Runs = sum.Runs[:min(len(sum.Runs), maxRuns)]
	return &sum
}
