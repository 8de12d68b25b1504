package bench

import (
	"math"
	"slices"
)

// A constraint is a measure that must not get worse for the sake of speed. It is
// compared without a statistical test: an exposed face is exposed, and a dropped
// picture is not shown.
type constraint struct {
	name string
	// slack is the share of A by which B may exceed it, if the measure varies with
	// the arrival times of pictures.
	slack float64
}

// constraints are named as in Result.Runs. The same scene over the same time has the
// same faces and the same pictures, so shares are compared.
var constraints = []constraint{
	{name: "exposed_share"}, {name: "hard_exposed_share"}, {name: "false_area_mean", slack: 0.05}, {name: "dropped_share"}, {name: "slates"},
}

// compareConstraint compares medians and worst runs: neither of b's may exceed a's.
// So a single bad run of a excuses a single bad run of b, but not more.
func compareConstraint(c constraint, a, b *Result) (Row, bool) {
	x, y := a.Runs[c.name], b.Runs[c.name]
	if len(x) == 0 || len(y) == 0 {
		return missing(c.name, x, y)
	}
	row := Row{Measure: c.name, A: median(x), B: median(y), P: math.NaN(), By: "median, worst run", Verdict: Indistinguishable}
	allow := 1 + c.slack
	switch {
	case row.B > row.A*allow || slices.Max(y) > slices.Max(x)*allow:
		row.Verdict = Worse
	case slices.Max(y)*allow < slices.Min(x):
		row.Verdict = Better
	}
	return row, true
}

// missing is the row of a measure that a or b lacks. If b lacks it, b counts as worse:
// the value could be anything. If a lacks it, there is no row; see differences.
func missing(name string, x, y []float64) (Row, bool) {
	if len(x) == 0 {
		return Row{}, false
	}
	return Row{Measure: name, A: median(x), B: median(y), SpreadA: spread(x), P: math.NaN(), By: "missing in B", Verdict: Worse}, true
}
