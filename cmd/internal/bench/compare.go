package bench

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchmath"
)

// A difference counts if a Mann–Whitney U-test finds it significant, which assumes
// nothing about the distribution, and if it exceeds minChange. Consecutive seconds of
// a run are not independent, as the test assumes, so they need a smaller alpha.
const (
	runAlpha    = 0.05
	windowAlpha = 0.001
	minChange   = 0.01
	// leastRuns is how many values of each side can show a difference at runAlpha
	// at all.
	minRuns = 4
)

// Verdict is the result of comparing a measure.
type Verdict string

// The verdicts.
const (
	Better            Verdict = "better"
	Worse             Verdict = "worse"
	Indistinguishable Verdict = "indistinguishable"
	// Unknown means that there are too few values.
	Unknown Verdict = "too few runs"
)

// measures are compared by a test; they are named as in Result.Runs. All but cameras
// are better if lower.
var measures = []string{
	"cpu_ms_per_frame", "cpu_ratio_to_baseline", "live_cpu_ms_per_frame",
	"added_latency_ms.p50", "added_latency_ms.p95", "added_latency_ms.p99",
	"redactor_peak_rss_mib", "redactor_private_mib", "cameras",
}

// Row is the comparison of one measure.
type Row struct {
	Measure string
	A, B    float64 // medians
	// SpreadA and SpreadB are half the range of all values, as a share of the median.
	SpreadA, SpreadB float64
	P                float64 // NaN if not tested
	Verdict          Verdict
	// By is what was compared: runs, seconds, …
	By string
}

// Comparison is the comparison of two results.
type Comparison struct {
	Rows []Row
	// Differences are the conditions that differ.
	Differences []Difference
}

// Compare compares b with a.
func Compare(a, b *Result) *Comparison {
	c := &Comparison{Differences: differences(a, b)}
	for _, name := range measures {
		if row, ok := compare(name, a, b); ok {
			c.Rows = append(c.Rows, row)
		}
	}
	for _, con := range constraints {
		if row, ok := compareConstraint(con, a, b); ok {
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}

// Check returns an error if there was nothing to compare, if the conditions are too
// different, or if a measure is worse.
func (c *Comparison) Check() error {
	if len(c.Rows) == 0 {
		return errors.New("the results have no measure in common")
	}
	var fatal, worse []string
	for _, d := range c.Differences {
		if d.Fatal {
			fatal = append(fatal, d.What)
		}
	}
	for _, r := range c.Rows {
		if r.Verdict == Worse {
			worse = append(worse, r.Measure)
		}
	}
	switch {
	case len(fatal) > 0:
		return fmt.Errorf("results are not comparable: different %s", strings.Join(fatal, ", "))
	case len(worse) > 0:
		return fmt.Errorf("worse in %s", strings.Join(worse, ", "))
	}
	return nil
}

func compare(name string, a, b *Result) (Row, bool) {
	x, y := a.Runs[name], b.Runs[name]
	if len(x) == 0 || len(y) == 0 {
		return missing(name, x, y)
	}
	row := Row{Measure: name, A: median(x), B: median(y), SpreadA: spread(x), SpreadB: spread(y), P: math.NaN(), Verdict: Unknown, By: "runs"}
	alpha := runAlpha
	if len(x) < minRuns || len(y) < minRuns {
		if x, y = a.Windows[name], b.Windows[name]; len(x) < minRuns || len(y) < minRuns {
			return row, true
		}
		alpha, row.By = windowAlpha, "seconds"
	}
	// The test sorts its samples.
	thresholds := benchmath.DefaultThresholds
	s, t := benchmath.NewSample(slices.Clone(x), &thresholds), benchmath.NewSample(slices.Clone(y), &thresholds)
	row.P = benchmath.AssumeNothing.Compare(s, t).P
	change := median(y) - median(x)
	row.Verdict = Indistinguishable
	if row.P < alpha && math.Abs(change) > minChange*math.Abs(median(x)) {
		row.Verdict = Better
		if change > 0 != (name == "cameras") {
			row.Verdict = Worse
		}
	}
	return row, true
}

// WriteTable prints the comparison.
func (c *Comparison) WriteTable(w io.Writer) error {
	for _, d := range c.Differences {
		if _, err := fmt.Fprintln(w, "different "+d.String()); err != nil {
			return err
		}
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "measure\tA\tB\tchange\tp\tby\tB is")
	for _, r := range c.Rows {
		change, p := "–", "–"
		if r.A != 0 && !math.IsNaN(r.B) {
			change = fmt.Sprintf("%+.1f %%", 100*(r.B-r.A)/r.A)
		}
		if !math.IsNaN(r.P) {
			p = fmt.Sprintf("%.3f", r.P)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Measure, withSpread(r.A, r.SpreadA), withSpread(r.B, r.SpreadB), change, p, r.By, r.Verdict)
	}
	return tw.Flush()
}

// withSpread formats a value with its spread, if there is one.
func withSpread(v, spread float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if spread == 0 {
		return fmt.Sprintf("%.4g", v)
	}
	return fmt.Sprintf("%.4g ±%.1f %%", v, 100*spread)
}

// median is Median.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// Median returns the middle value, or the mean of the two middle ones; NaN for an
// empty slice.
func Median(v []float64) float64 { return median(v) }

func spread(v []float64) float64 {
	m := median(v)
	if len(v) < 2 || m == 0 {
		return 0
	}
	return (slices.Max(v) - slices.Min(v)) / 2 / math.Abs(m)
}
