package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// result is a line of the results file: how a test ended.
type result struct {
	Action  string // pass, fail, skip, or shorter in addition
	Package string // or the kind of step
	Test    string // empty for the whole package
	Reason  string `json:",omitempty"` // of a skip, or what a shorter test lacked
}

// total is the sum of all results.
type total struct {
	passed  int
	failed  []string
	reasons map[string]int // of skips
	shorter map[string]int // passed tests by what they did without
}

func readTotal(in io.Reader) (*total, error) {
	t := &total{reasons: map[string]int{}, shorter: map[string]int{}}
	s := bufio.NewScanner(in)
	for s.Scan() {
		var r result
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("results: %w: %.80q", err, s.Text())
		}
		switch r.Action {
		case "pass":
			t.passed++
		case "fail":
			t.failed = append(t.failed, strings.TrimSpace(r.Package+" "+r.Test))
		case "skip":
			t.reasons[r.Reason]++
		case "shorter":
			t.shorter[r.Reason]++
		default:
			return nil, fmt.Errorf("results: unknown action %q", r.Action)
		}
	}
	return t, s.Err()
}

// printCounts prints reasons, the most frequent first, and returns their sum.
func printCounts(out io.Writer, heading string, reasons map[string]int) (sum int) {
	if len(reasons) > 0 {
		fmt.Fprintln(out, heading)
	}
	for _, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		if d := reasons[b] - reasons[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	}) {
		sum += reasons[reason]
		fmt.Fprintf(out, "%5d  %s\n", reasons[reason], reason)
	}
	return sum
}

// print prints skip reasons, failures and, on the last line, the counts.
func (t *total) print(out io.Writer) {
	printCounts(out, "passed, but shorter without:", t.shorter)
	skipped := printCounts(out, "skipped:", t.reasons)
	if len(t.failed) == 0 {
		fmt.Fprintf(out, "%d passed, %d skipped\n", t.passed, skipped)
		return
	}
	fmt.Fprintln(out, "failed:")
	slices.Sort(t.failed)
	for _, name := range t.failed {
		fmt.Fprintln(out, "  "+name)
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", t.passed, len(t.failed), skipped)
}
