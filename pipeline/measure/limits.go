package measure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Share is a share, written as "0.1%" or "0.001".
type Share float64

// UnmarshalText implements encoding.TextUnmarshaler. A number above 1 without % is
// refused: it was probably meant as a percentage.
func (s *Share) UnmarshalText(text []byte) error {
	digits, percent := strings.CutSuffix(string(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("invalid share %.40q: must be a percentage such as 0.1%%, or a number from 0 to 1", text)
	}
	*s = Share(v)
	return nil
}

func (s Share) percent() string { return strconv.FormatFloat(100*float64(s), 'g', 6, 64) + " %" }

// Limits are the limits of a Result; nil means no limit.
type Limits struct {
	// MaxExposed bounds the headline's share of exposed face frames.
	MaxExposed *Share
	// MaxRun bounds the longest run of exposed frames.
	MaxRun *int
	// MaxFalseArea and MaxArea bound the means over all frames.
	MaxFalseArea *Share
	MaxArea      *Share
	// MinCoverage and MinRecall apply to the headline.
	MinCoverage *Share
	MinRecall   *Share
	// MinSteady applies to Steady.Share.
	MinSteady *Share
	// MaxBlind bounds the share of the time in which it was not proved that the detector
	// sees, MaxFalseBlind that of clear pictures.
	MaxBlind      *Share
	MaxFalseBlind *Share
}

// Check returns an error that names every measure beyond its limit. A limit of something
// that could not be measured is an error as well.
func (l Limits) Check(r *Result) error {
	var wrong []string
	share := func(name, value string, v Number, limit *Share, most bool) {
		switch {
		case limit == nil:
		case !v.Known():
			wrong = append(wrong, name+" was not measured: nothing counts for it")
		case most && v > Number(*limit)+rounding:
			wrong = append(wrong, fmt.Sprintf("%s is %s, more than %s", name, value, limit.percent()))
		case !most && v < Number(*limit)-rounding:
			wrong = append(wrong, fmt.Sprintf("%s is %s, less than %s", name, value, limit.percent()))
		}
	}
	h := &r.Headline
	share("exposed share", fmt.Sprintf("%s (%d of %d face frames)", h.ExposedShare.Percent(), h.Exposed, h.Faces), h.ExposedShare, l.MaxExposed, true)
	if l.MaxRun != nil {
		if h.Faces == 0 {
			wrong = append(wrong, "longest run was not measured: no faces in the headline")
		} else if h.LongestRun > *l.MaxRun {
			wrong = append(wrong, fmt.Sprintf("longest run of exposed frames is %d, more than %d", h.LongestRun, *l.MaxRun))
		}
	}
	share("falsely obscured area", r.Area.False.Percent(), r.Area.False, l.MaxFalseArea, true)
	share("obscured area", r.Area.Obscured.Percent(), r.Area.Obscured, l.MaxArea, true)
	share("mean coverage", h.Coverage.Percent(), h.Coverage, l.MinCoverage, false)
	share("recall", h.Recall.Percent(), h.Recall, l.MinRecall, false)
	share("share of steady people held", fmt.Sprintf("%s (%d of %d)", r.Steady.Share.Percent(), r.Steady.Held, r.Steady.People),
		r.Steady.Share, l.MinSteady, false)
	share("time blind", r.Blind.Share.Percent(), r.Blind.Share, l.MaxBlind, true)
	share("time blind in clear pictures", r.Blind.FalseShare.Percent(), r.Blind.FalseShare, l.MaxFalseBlind, true)
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}
