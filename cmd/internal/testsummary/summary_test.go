package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// summary is the printed output of tests, and their totals.
type summary struct {
	printed string
	total   *total
	end     string // the printed totals
}

func summarize(t *testing.T, events []byte) summary {
	t.Helper()
	var printed, results, end bytes.Buffer
	require.NoError(t, newReader(&printed, &results).read(bytes.NewReader(events)))
	all, err := readTotal(&results)
	require.NoError(t, err)
	all.print(&end)
	return summary{printed.String(), all, end.String()}
}

// tested runs the tests of a package and returns the events.
func tested(t *testing.T, source string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example\n\ngo 1.26\n"), 0o600))
	source = "package example\n\nimport (\n\t\"os\"\n\t\"testing\"\n\t\"time\"\n)\n\nvar _ = os.Exit\nvar _ time.Time\n\n" + source
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a_test.go"), []byte(source), 0o600))
	cmd := exec.Command("go", append([]string{"test", "-json", "-vet=off"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Log(err)
	}
	return out
}

func TestSubtestsAreCountedInsteadOfTheirParent(t *testing.T) {
	s := summarize(t, tested(t, `
func TestWhole(t *testing.T) { t.Log("quiet") }
func TestParts(t *testing.T) {
	t.Run("a", func(*testing.T) {})
	t.Run("b", func(t *testing.T) { t.Skip("needs ffmpeg: not in PATH") })
	t.Run("c", func(t *testing.T) { t.Run("deep", func(*testing.T) {}) })
}
func TestSkipped(t *testing.T) {
	t.Cleanup(func() { t.Log("cleaned up") })
	t.Log("begins")
	t.Skip("needs ffmpeg: not in PATH")
}
func TestOther(t *testing.T) { t.Skip("others round otherwise") }
func TestSilent(t *testing.T) { t.SkipNow() }
func FuzzIt(f *testing.F) { f.Add(1); f.Add(2); f.Fuzz(func(*testing.T, int) {}) }
`))
	require.Equal(t, 5, s.total.passed, "TestWhole, a, deep, and two seeds")
	require.Equal(t, "skipped:\n    2  needs ffmpeg: not in PATH\n    1  no reason given\n    1  others round otherwise\n5 passed, 4 skipped\n", s.end)
	require.Regexp(t, `^ok  \texample\t[\d.]+s\n$`, s.printed)
}

func TestTestsThatAreShorterAreCounted(t *testing.T) {
	s := summarize(t, tested(t, `
func TestOne(t *testing.T) { t.Log("shorter without long: takes minutes"); t.Log("shorter without long: takes minutes") }
func TestTwo(t *testing.T) {
	t.Log("shorter without long: takes minutes")
	t.Run("part", func(t *testing.T) { t.Log("shorter without ffmpeg: not in PATH") })
}
`))
	require.Equal(t, "passed, but shorter without:\n    2  long: takes minutes\n    1  ffmpeg: not in PATH\n2 passed, 0 skipped\n", s.end)
}

func TestFailuresArePrintedInFull(t *testing.T) {
	s := summarize(t, tested(t, `
func TestGood(t *testing.T) { t.Log("quiet") }
func TestBad(t *testing.T) {
	t.Log("before")
	t.Run("good", func(t *testing.T) { t.Log("quiet") })
	t.Run("bad", func(t *testing.T) { t.Fatal("broken\nin two lines") })
}
func TestOwn(t *testing.T) {
	t.Run("good", func(*testing.T) {})
	t.Error("by itself")
}
`))
	require.Equal(t, []string{"example TestBad/bad", "example TestOwn"}, s.total.failed)
	require.True(t, strings.HasSuffix(s.end, "failed:\n  example TestBad/bad\n  example TestOwn\n3 passed, 2 failed, 0 skipped\n"), s.end)
	for _, want := range []string{"before", "broken\n", "in two lines", "--- FAIL: TestBad/bad", "--- FAIL: TestBad ", "by itself", "FAIL\texample\t"} {
		require.Contains(t, s.printed, want)
	}
	require.NotContains(t, s.printed, "quiet")
	require.NotContains(t, s.printed, "=== RUN")
}

// An early end of a package must not get lost, even if no test reports it.
func TestEveryEndOfAPackageCounts(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		args   []string
		failed string
		output string
	}{
		"a panic":       {`func TestIt(*testing.T) { panic("gone") }`, nil, "example TestIt", "panic: gone"},
		"an exit":       {`func TestIt(*testing.T) { os.Exit(3) }`, nil, "example TestIt", "FAIL\texample"},
		"a panic below": {`func TestIt(t *testing.T) { t.Run("part", func(*testing.T) { panic("gone") }) }`, nil, "example TestIt/part", "panic: gone"},
		"its time":      {`func TestIt(*testing.T) { time.Sleep(time.Minute) }`, []string{"-timeout", "100ms"}, "example TestIt", "panic: test timed out"},
		"its time, after a part": {
			`func TestIt(t *testing.T) { t.Run("part", func(*testing.T) {}); time.Sleep(time.Minute) }`,
			[]string{"-timeout", "100ms"}, "example TestIt", "panic: test timed out",
		},
		"its main":  {`func TestMain(m *testing.M) { m.Run(); println("leaked"); os.Exit(1) }; func TestIt(*testing.T) {}`, nil, "example", "leaked"},
		"the build": {`func TestIt(*testing.T) { nothing() }`, nil, "example", "undefined: nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := summarize(t, tested(t, c.source, c.args...))
			require.Equal(t, []string{c.failed}, s.total.failed, s.printed)
			require.Contains(t, s.printed, c.output)
		})
	}
}

func TestEventsThatStopAreAFailure(t *testing.T) {
	events := tested(t, `func TestIt(*testing.T) {}; func TestNext(*testing.T) {}`)
	cut := bytes.Index(events, []byte(`"Action":"pass"`))
	require.Positive(t, cut)
	s := summarize(t, events[:bytes.LastIndexByte(events[:cut], '\n')+1])
	require.Equal(t, []string{"example TestIt"}, s.total.failed)
	require.Contains(t, s.printed, "did not end")
}

func TestOtherLinesArePrinted(t *testing.T) {
	s := summarize(t, []byte("go: downloading example\n{\"no\": \"event\"}\n"))
	require.Equal(t, "go: downloading example\n{\"no\": \"event\"}\n", s.printed)
	require.Equal(t, "0 passed, 0 skipped\n", s.end)
}

// Steps other than `go test` append their own results, and a later run adds to the
// file.
func TestResultsOfOtherStepsAreCounted(t *testing.T) {
	all, err := readTotal(strings.NewReader(`{"Action":"pass","Package":"fuzz ./a","Test":"FuzzA"}
{"Action":"fail","Package":"rule","Test":"complete,chain"}
`))
	require.NoError(t, err)
	require.Equal(t, 1, all.passed)
	require.Equal(t, []string{"rule complete,chain"}, all.failed)
	for _, bad := range []string{"ok\n", `{"Action":"run"}` + "\n"} {
		_, err := readTotal(strings.NewReader(bad))
		require.ErrorContains(t, err, "results", fmt.Sprint(bad))
	}
}
