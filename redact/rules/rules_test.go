package rules_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/rules"
)

func TestNothingIsRemovableWithoutTheTag(t *testing.T) { require.False(t, rules.Removable) }

// Anyone who adds a rule must show that it is missed when it is removed.
func TestEveryRuleIsRemovedInTurn(t *testing.T) {
	read := func(path string) string {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(b)
	}
	var on, off []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+)\s+= true$`).FindAllStringSubmatch(read("on.go"), -1) {
		on = append(on, m[1])
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+)\s+= kept\("(\w+)"\)$`).FindAllStringSubmatch(read("off.go"), -1) {
		off = append(off, m[1])
		names[m[2]] = true
	}
	require.NotEmpty(t, on)
	require.Equal(t, on, off, "each has its two forms")
	require.Len(t, names, len(off), "two have one name")
	for line := range strings.Lines(read("../../.ci/rules")) {
		if taken, _, ok := strings.Cut(line, "|"); ok {
			for name := range strings.SplitSeq(strings.TrimSpace(taken), ",") {
				delete(names, name)
			}
		}
	}
	require.Empty(t, names, "not in .ci/rules")
}
