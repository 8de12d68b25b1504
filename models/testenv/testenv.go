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

// Need skips the test unless the machine meets all conditions. The reason says
// which one is missing, why, and what to do. See EnvRequire for when it fails
// instead.
func Need(tb testing.TB, conditions ...Condition) {
	tb.Helper()
	for _, c := range conditions {
		_, _ = find(tb, c)
	}
}

// Path is Need for a condition that is a program, a file or a folder, and returns
// its path.
func Path(tb testing.TB, c Condition) string {
	tb.Helper()
	path, err := find(tb, c)
	if err == nil && path == "" {
		tb.Fatalf("testenv: %s has no path; use Need", c)
	}
	return path
}

// Has reports whether the machine meets a condition, for tests that are shorter
// without it.
func Has(c Condition) bool {
	_, err := known()[c].find()
	return err == nil
}

// find returns the path of what meets a condition, or ends the test.
func find(tb testing.TB, c Condition) (string, error) {
	tb.Helper()
	s, ok := known()[c]
	if !ok {
		tb.Fatalf("testenv: unknown condition %q", c)
	}
	path, err := s.find()
	if err == nil {
		return path, nil
	}
	reason := Prefix + string(c) + ": " + oneLine(err.Error())
	if s.remedy != "" {
		reason += "; " + s.remedy
	}
	if required(c, s) {
		tb.Fatalf("%s (not skipped: %s=%s)", reason, EnvRequire, os.Getenv(EnvRequire))
	}
	tb.Skip(reason)
	return "", err
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
