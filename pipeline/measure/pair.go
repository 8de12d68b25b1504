package measure

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
)

// Pair is a truth with the report that is scored against it.
type Pair struct {
	Truth  *Truth
	Report *Report
}

// Match finds the report of every truth. One truth and one report of a video always
// belong together. Otherwise they are matched by name: that of the redacted file if given,
// otherwise that of the file itself without folder, .jsonl, .truth and .report; finally,
// the extension may differ. It fails if a truth has no report or several. The second
// result are the reports without a truth.
func Match(truths []*Truth, reports []*Report) ([]Pair, []*Report, error) {
	if len(truths) == 1 && len(reports) == 1 && !truths[0].Still {
		return []Pair{{truths[0], reports[0]}}, nil, nil
	}
	used := map[*Report]*Truth{}
	pairs := make([]Pair, 0, len(truths))
	indices := make([]map[string][]*Report, len(sameNames))
	for i, key := range sameNames {
		indices[i] = map[string][]*Report{}
		for _, r := range reports {
			name := key(reportName(r))
			indices[i][name] = append(indices[i][name], r)
		}
	}
	for _, t := range truths {
		r, err := find(t, indices)
		if err != nil {
			return nil, nil, err
		}
		if other := used[r]; other != nil {
			return nil, nil, fmt.Errorf("%s of %s and %s of %s both belong to %s of %s; keep one",
				truthName(t), t.Path, truthName(other), other.Path, reportName(r), r.Path)
		}
		used[r] = t
		pairs = append(pairs, Pair{t, r})
	}
	var left []*Report
	for _, r := range reports {
		if used[r] == nil {
			left = append(left, r)
		}
	}
	return pairs, left, nil
}

// sameNames are the ways in which two names can match, the closest first.
var sameNames = []func(string) string{
	func(s string) string { return s },
	filepath.Base,
	func(s string) string { s = filepath.Base(s); return strings.TrimSuffix(s, filepath.Ext(s)) },
}

func find(t *Truth, indices []map[string][]*Report) (*Report, error) {
	name := truthName(t)
	for i, key := range sameNames {
		switch found := indices[i][key(name)]; len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return nil, fmt.Errorf("%s of %s has several reports: %s of %s and %s of %s; name the files apart",
				name, t.Path, reportName(found[0]), found[0].Path, reportName(found[1]), found[1].Path)
		}
	}
	return nil, fmt.Errorf("%s of %s has no report; redact it with --report, or remove it from the truth", name, t.Path)
}

func truthName(t *Truth) string { return cmp.Or(t.File, stem(t.Path, ".truth")) }

func reportName(r *Report) string { return cmp.Or(r.File, stem(r.Path, ".report")) }

// stem returns the name of a file without folder, .jsonl, .truth and .report.
func stem(path, word string) string {
	path = filepath.Base(path)
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".jsonl"), ".json")
	return strings.TrimSuffix(path, word)
}

// align returns what to subtract from the frame numbers of truth and report so that both
// count from 0, or an error.
func (p Pair) align(o Options) (truth, report int, err error) {
	if p.Truth.Still || len(p.Truth.Frames) == 0 || len(p.Report.Frames) == 0 {
		return 0, 0, nil
	}
	t, r := p.Truth.Frames[0].Frame, p.Report.Frames[0].Frame
	if o.TruthFirst != nil {
		truth = *o.TruthFirst
	}
	if o.ReportFirst != nil {
		report = *o.ReportFirst
	}
	switch {
	case t < truth:
		return 0, 0, fmt.Errorf("%s: frame %d is before the first, %d", place(p.Truth.Path, p.Truth.Frames[0].Line), t, truth)
	case r < report:
		return 0, 0, fmt.Errorf("%s: frame %d is before the first, %d", place(p.Report.Path, p.Report.Frames[0].Line), r, report)
	case t == 0 && r == 1 && o.ReportFirst == nil:
		return 0, 0, fmt.Errorf("%s: report starts at frame 1 and truth at 0; use --report-first 1 if the report counts from 1, or 0 if its frame 0 is missing",
			place(p.Report.Path, p.Report.Frames[0].Line))
	case t == 1 && r == 0 && o.TruthFirst == nil:
		return 0, 0, fmt.Errorf("%s: truth starts at frame 1 and report at 0; use --truth-first 1 if the truth counts from 1, or 0 if its frame 0 is missing",
			place(p.Truth.Path, p.Truth.Frames[0].Line))
	}
	return truth, report, nil
}
