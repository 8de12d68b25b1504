package bench

import (
	"math"
	"slices"
)

// A guard is what speed must not be bought with. It is judged by no test: a face
// that is exposed is exposed, and a picture that is dropped is not shown.
type guard struct {
	name string
	// slack is by which share of A's it may be more, where it varies with the
	// moment at which pictures come.
	slack float64
}

// guards are the names in Result.Runs of what is guarded. The same scene over
// the same time has the same faces and the same pictures, so shares are compared.
var guards = []guard{
	{name: "exposed_share"}, {name: "hard_exposed_share"}, {name: "false_area_mean", slack: 0.05}, {name: "dropped_share"}, {name: "slates"},
}

// compareGuard judges b by its median and by its worst run: neither may be more
// than a's. So one bad run of a's excuses one bad run of b's and no more.
func compareGuard(g guard, a, b *Result) (Row, bool) {
	x, y := a.Runs[g.name], b.Runs[g.name]
	if len(x) == 0 || len(y) == 0 {
		return missing(g.name, x, y)
	}
	row := Row{Measure: g.name, A: median(x), B: median(y), P: math.NaN(), By: "median, worst run", Verdict: Indistinguishable}
	allow := 1 + g.slack
	switch {
	case row.B > row.A*allow || slices.Max(y) > slices.Max(x)*allow:
		row.Verdict = Worse
	case slices.Max(y)*allow < slices.Min(x):
		row.Verdict = Better
	}
	return row, true
}

// missing is the row of a measure that not both have. What b does not say any
// more may be anything. What only b says is no comparison; see differences.
func missing(name string, x, y []float64) (Row, bool) {
	if len(x) == 0 {
		return Row{}, false
	}
	return Row{Measure: name, A: median(x), B: median(y), SpreadA: spread(x), P: math.NaN(), By: "B does not have it", Verdict: Worse}, true
}
