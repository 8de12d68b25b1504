package guard_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/guard"
)

func TestNothingIsRemovedWithoutATag(t *testing.T) { require.Empty(t, guard.Removed()) }

// Whoever adds a guard must show that it is missed, and how to take it out.
func TestEveryGuardIsTakenOutInTurn(t *testing.T) {
	script, err := os.ReadFile("../../.ci/guards")
	require.NoError(t, err)
	taken := map[string]bool{}
	for line := range strings.Lines(string(script)) {
		if names, _, ok := strings.Cut(line, "|"); ok {
			for name := range strings.SplitSeq(strings.TrimSpace(names), ",") {
				taken[name] = true
			}
		}
	}
	for _, name := range guard.Names() {
		require.True(t, taken[name], "%s is not in .ci/guards", name)
		on, err := os.ReadFile(name + ".go")
		require.NoError(t, err)
		require.Contains(t, string(on), "//go:build !unguarded_"+name+"\n")
		off, err := os.ReadFile(name + "_off.go")
		require.NoError(t, err)
		require.Contains(t, string(off), "//go:build unguarded_"+name+"\n")
	}
}
