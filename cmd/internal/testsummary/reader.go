package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	Test       string
	Output     string
	ImportPath string // of a build
}

// reader prints failures and package lines, and writes the results.
type reader struct {
	out      io.Writer
	results  *json.Encoder
	packages map[string]*pkg
}

func newReader(out, results io.Writer) *reader {
	return &reader{out: out, results: json.NewEncoder(results), packages: map[string]*pkg{}}
}

// pkg is a package whose tests run.
type pkg struct {
	tests  map[string]*test // that have not ended
	output []string         // of the package itself
	failed bool             // a test failed
}

type test struct {
	output []string
	// subtests: it has subtests, which are counted instead; broken: one of them failed.
	subtests, broken bool
}

func (r *reader) read(in io.Reader) error {
	for b := bufio.NewReader(in); ; {
		line, err := b.ReadBytes('\n')
		if len(line) > 0 {
			if err := r.line(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return r.cut()
		}
		if err != nil {
			return err
		}
	}
}

// line handles a line of output: an event, or another message of the go command.
func (r *reader) line(line []byte) error {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		_, err := r.out.Write(line)
		return err
	}
	switch {
	case e.Action == "build-output":
		r.print(e.Output)
		return nil
	case e.Package == "":
		return nil
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &pkg{tests: map[string]*test{}}
		r.packages[e.Package] = p
	}
	if e.Test == "" {
		return r.packageEvent(p, e)
	}
	return r.testEvent(p, e)
}

func (r *reader) testEvent(p *pkg, e event) error {
	t := p.tests[e.Test]
	if t == nil {
		t = &test{}
		p.tests[e.Test] = t
	}
	parent := p.tests[parentOf(e.Test)]
	switch e.Action {
	case "run":
		if parent != nil {
			parent.subtests = true
		}
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") {
			t.output = append(t.output, e.Output)
		}
	case "pass":
		delete(p.tests, e.Test)
		if err := r.shorter(e, t.output); err != nil {
			return err
		}
		if !t.subtests {
			return r.result(e, "")
		}
	case "skip":
		delete(p.tests, e.Test)
		return r.result(e, reason(t.output))
	case "fail":
		delete(p.tests, e.Test)
		p.failed = true
		if parent != nil {
			parent.broken = true
		}
		r.print(t.output...)
		if !t.broken {
			return r.result(e, "")
		}
	}
	return nil
}

// parentOf returns the name of the test that a subtest is part of.
func parentOf(name string) string {
	return name[:max(strings.LastIndexByte(name, '/'), 0)]
}

func (r *reader) packageEvent(p *pkg, e event) error {
	switch e.Action {
	case "output":
		p.output = append(p.output, e.Output)
	case "pass":
		delete(r.packages, e.Package)
		for _, line := range p.output {
			if strings.HasPrefix(line, "ok ") {
				r.print(line)
			}
		}
	case "skip": // it has no tests
		delete(r.packages, e.Package)
	case "fail":
		delete(r.packages, e.Package)
		return r.failed(p, e)
	}
	return nil
}

// failed handles the end of a failed package. Tests that have not ended caused it, by a
// panic or a timeout.
func (r *reader) failed(p *pkg, e event) error {
	e.Action = "fail"
	names := slices.Sorted(maps.Keys(p.tests))
	for _, name := range names {
		t := p.tests[name]
		r.print(t.output...)
		p.failed = true
		if e.Test = name; t.broken || slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, name+"/") }) {
			continue // its subtest counts
		}
		if err := r.result(e, ""); err != nil {
			return err
		}
	}
	r.print(p.output...)
	if p.failed {
		return nil
	}
	e.Test = "" // the build or TestMain failed
	return r.result(e, "")
}

// cut handles the end of the events. Packages that have not ended were stopped.
func (r *reader) cut() error {
	for _, path := range slices.Sorted(maps.Keys(r.packages)) {
		r.print("FAIL\t" + path + " did not end\n")
		if err := r.failed(r.packages[path], event{Package: path}); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) print(lines ...string) {
	for _, line := range lines {
		fmt.Fprint(r.out, line)
	}
}

func (r *reader) result(e event, reason string) error {
	return r.results.Encode(result{Action: e.Action, Package: e.Package, Test: e.Test, Reason: reason})
}

// shorter reports what a test did without, once for each condition.
func (r *reader) shorter(e event, output []string) error {
	seen := map[string]bool{}
	for _, line := range output {
		m := logged.FindStringSubmatch(line)
		if m == nil || !strings.HasPrefix(m[1], without) || seen[m[1]] {
			continue
		}
		seen[m[1]] = true
		if err := r.results.Encode(result{Action: "shorter", Package: e.Package, Test: e.Test, Reason: strings.TrimPrefix(m[1], without)}); err != nil {
			return err
		}
	}
	return nil
}

// needs begins the skip reasons of package testenv, without what a test logs that is
// shorter than it could be.
const (
	needs   = "needs "
	without = "shorter without "
)

// logged matches a line of t.Log, t.Skip and similar.
var logged = regexp.MustCompile(`^\s+[^\s:]+\.go:\d+: (.*)\n?$`)

// reason returns why a test was skipped: the need that it logged, or its last line.
func reason(output []string) string {
	last := "no reason given"
	for _, line := range output {
		if m := logged.FindStringSubmatch(line); m != nil {
			if strings.HasPrefix(m[1], needs) {
				return m[1]
			}
			last = m[1]
		}
	}
	return last
}
