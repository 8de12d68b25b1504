package testenv

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// EnvRequire is the environment variable that names the conditions, separated by
// commas, whose absence fails a test instead of skipping it. "all" means all that
// this machine could have.
const EnvRequire = "SCRIM_REQUIRE"

// EnvLong is the environment variable that lets tests run for minutes.
const EnvLong = "SCRIM_LONG"

// Prefix begins the reason of every skip.
const Prefix = "needs "

// ShorterPrefix begins what a test logs that is shorter than it could be.
const ShorterPrefix = "shorter without "

// Need skips the test unless the machine meets all conditions. The reason says
// which one is missing, why, and what to do. See EnvRequire for when it fails
// instead.
func Need(tb testing.TB, conditions ...Condition) {
	tb.Helper()
	for _, c := range conditions {
		_ = find(tb, c)
	}
}

// Path is Need for a condition that is a program, a file or a folder, and returns
// its path.
func Path(tb testing.TB, c Condition) string {
	tb.Helper()
	path := find(tb, c)
	if path == "" {
		tb.Fatalf("testenv: %s has no path; use Need", c)
	}
	return path
}

// Has reports whether the machine meets a condition, for tests that are shorter without
// it. The log says so, and the summary of `make test` counts it. See EnvRequire for when
// the test fails instead.
func Has(tb testing.TB, c Condition) bool {
	tb.Helper()
	_, lacking := look(tb, c)
	if lacking != "" {
		tb.Log(ShorterPrefix + lacking)
	}
	return lacking == ""
}

// find returns the path of what meets a condition, or skips the test.
func find(tb testing.TB, c Condition) string {
	tb.Helper()
	path, lacking := look(tb, c)
	if lacking != "" {
		tb.Skip(Prefix + lacking)
	}
	return path
}

// look returns the path of what meets a condition, or why nothing does. The test fails
// if the condition is required.
func look(tb testing.TB, c Condition) (path, lacking string) {
	tb.Helper()
	s, ok := known()[c]
	if !ok {
		tb.Fatalf("testenv: unknown condition %q", c)
	}
	path, err := s.find()
	if err == nil {
		return path, ""
	}
	lacking = string(c) + ": " + oneLine(err.Error())
	if s.remedy != "" {
		lacking += "; " + s.remedy
	}
	if required(c, s) {
		tb.Fatalf("%s%s (not skipped: %s=%s)", Prefix, lacking, EnvRequire, os.Getenv(EnvRequire))
	}
	return "", lacking
}

// required reports whether the absence of a condition fails the test.
func required(c Condition, s spec) bool {
	names := strings.Split(os.Getenv(EnvRequire), ",")
	return slices.Contains(names, string(c)) || slices.Contains(names, "all") && s.obtainable != nil && s.obtainable()
}

// oneLine keeps a reason on one line: the summary groups by it.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}

// missing is why a condition is not met.
func missing(format string, args ...any) (string, error) {
	return "", fmt.Errorf(format, args...)
}
