package sight

import (
	"fmt"
	"math"
	"time"

	"scrim/redact/condition"
)

// Report is what is known of a camera's sight, for the status and the API. Sizes are heights of faces in
// pixels of the picture; 0: unknown, or nothing is found with certainty.
type Report struct {
	// At is the time of the last picture, TestedAt that of the last test.
	At       time.Time `json:"at"`
	TestedAt time.Time `json:"tested_at"`
	// Proved, Blind and Why are those of the last redact.Verdict.
	Proved bool   `json:"proved"`
	Blind  bool   `json:"blind"`
	Why    string `json:"why,omitempty"`
	// Size is the sight, which decides: the faces that are needed are found if it is not above Need. It is that of the
	// painted faces, Painted, or that in the table, Table, less its tolerance, if that is worse: Table / 1.6, or
	// what the table has without the blur / 1.25. So a Table above Need does not by itself make a camera blind. A Table of
	// 0 is unknown, or beyond what was measured.
	Size    float64 `json:"size"`
	Painted float64 `json:"painted"`
	Table   float64 `json:"table"`
	// Need is the size from which on faces must be found. Asked is what the setting says; it is less
	// than Need if no detector of that size finds it.
	Need  float64 `json:"need"`
	Asked float64 `json:"asked"`
	// Width and Height are those of the picture.
	Width  int `json:"width"`
	Height int `json:"height"`
	// Cells are the parts of the picture.
	Cells []Cell `json:"cells"`
	// Condition is that of the last picture.
	Condition Condition `json:"condition"`
	// Tests and Failed count the tests since the start.
	Tests  uint64 `json:"tests"`
	Failed uint64 `json:"failed"`
	// Warning is what an operator must know, in one line; empty: nothing.
	Warning string `json:"warning,omitempty"`
}

// Cell is one part of the picture.
type Cell struct {
	// X, Y, W and H are in fractions of the picture.
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
	// Size is the sight there.
	Size float64 `json:"size"`
	// Faces is about how many were painted there lately.
	Faces float64 `json:"faces"`
}

// Condition is a condition.Condition with JSON names. Levels go from 0 to 255, Blur is in pixels, Clipped a
// share.
type Condition struct {
	Dark     float64 `json:"dark"`
	Median   float64 `json:"median"`
	Bright   float64 `json:"bright"`
	Contrast float64 `json:"contrast"`
	Noise    float64 `json:"noise"`
	Blur     float64 `json:"blur"`
	Clipped  float64 `json:"clipped"`
}

// Report returns what is known. Its Cells are valid for good.
func (s *Sight) Report() Report { return s.report }

// note writes what is known of a picture.
func (s *Sight) note(o observation, proved, blind bool) {
	r := &s.report
	r.At, r.Proved, r.Blind = o.at, proved, blind
	r.Condition = Condition(o.is)
	r.Need, r.Asked, r.Width, r.Height = s.need, s.asked, s.width, s.height
	switch {
	case !proved && s.judge.held() && r.Why != "": // it is that of the loss
	case !proved:
		r.Why = s.why(o)
	case !blind: // else it is why the camera still counts as blind
		r.Why = ""
	}
	r.Warning = s.warning()
}

// noteTest writes what a test showed.
func (s *Sight) noteTest(o observation) {
	r := &s.report
	r.TestedAt = o.at
	r.Tests++
	if s.judge.failed {
		r.Failed++
	}
	r.Painted = round(s.paintedSize)
	r.Table = round(s.tableSize)
	byTable := round(s.decidingSize)
	r.Size = max(r.Painted, byTable)
	if r.Painted == 0 || math.IsInf(s.tableSize, 1) {
		r.Size = 0
	}
	r.Cells = make([]Cell, 0, len(s.cells))
	for i, c := range s.trial.grid {
		w, h := float64(s.width), float64(s.height)
		cell := Cell{
			X: float64(c.Min.X) / w, Y: float64(c.Min.Y) / h, W: float64(c.Dx()) / w, H: float64(c.Dy()) / h,
			Size: round(s.cells[i].size(&s.counts)), Faces: round(s.cells[i].painted()),
		}
		if cell.Size > 0 {
			cell.Size = max(cell.Size, byTable)
		}
		r.Cells = append(r.Cells, cell)
	}
}

// painted returns the sight by the painted faces, after a test. What the test proved goes before what was counted
// earlier.
func (s *Sight) painted(out outcome) float64 {
	size := s.counts.size(nil)
	switch {
	case out.passed && (size == 0 || size > s.need):
		return s.need
	case !out.passed && size > 0:
		return max(size, s.need)
	}
	return size
}

// round rounds to tenths; what is infinite becomes 0.
func round(v float64) float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	return math.Round(10*v) / 10
}

// why returns why the sight in a picture is not proved.
func (s *Sight) why(o observation) string {
	word := why(o.is, s.need, s.trial.scale(s.width, s.height))
	switch {
	case o.parts.tooBlack(), o.parts.smeared(o.is.Noise) && !o.parts.bare(o.is.Noise):
		return WhyTooDark
	case o.empty && o.is.Bright < darkLevel/4:
		return WhyTooDark
	case o.empty:
		return WhyCovered
	case word != WhyNotFound:
		return word
	case !s.judge.failed:
		return WhyUntested
	case s.table != nil && s.decidingSize > s.need:
		return s.table.worst(o.is)
	}
	return word
}

// worst returns the word for what makes the table's size the largest.
func (t *Table) worst(c condition.Condition) string {
	e := t.Effects(FeaturesOf(c))
	most, word := 0.0, WhyNotFound
	for _, cause := range []struct {
		octaves float64
		word    string
	}{{e.Noise, WhyTooNoisy}, {e.Contrast, WhyLowContrast}, {e.Blur, WhyBlurred}, {e.White, WhyTooBright}} {
		if cause.octaves > most {
			most, word = cause.octaves, cause.word
		}
	}
	return word
}

// warning returns what an operator must know.
func (s *Sight) warning() string {
	switch {
	case s.asked < s.need && (s.o.NeedPixels > 0 || s.o.NeedPercent > 0 && s.o.NeedPercent != DefaultNeedPercent):
		return fmt.Sprintf("need of %.0f px is below what detect.size %d finds: %.0f px; raise detect.size or need", s.asked, s.o.Size, s.need)
	case s.table == nil:
		return "no table of sights was fitted for this model: painted faces alone say what it sees"
	}
	return ""
}
