package testenv

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a test that tells how it ended.
type recorder struct {
	testing.TB
	skipped, failed, logged string
}

type ended struct{}

func (*recorder) Helper() {}

func (r *recorder) Skip(args ...any) {
	r.skipped = fmt.Sprint(args...)
	panic(ended{})
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	panic(ended{})
}

// Log keeps what Has says.
func (r *recorder) Log(args ...any) { r.logged = fmt.Sprint(args...) }

// need is what Need does. Its parts end by a panic, as the real ones do by Goexit.
func need(t *testing.T, require string, conditions ...Condition) *recorder {
	t.Helper()
	t.Setenv(EnvRequire, require)
	r := &recorder{TB: t}
	func() {
		defer func() {
			if got := recover(); got != nil && got != (ended{}) {
				panic(got)
			}
		}()
		Need(r, conditions...)
	}()
	return r
}

// withoutPrograms makes all programs that lie in PATH missing.
func withoutPrograms(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
}

func TestWhatIsMissingSkipsAndSaysWhatToDo(t *testing.T) {
	withoutPrograms(t)
	r := need(t, "", FFmpeg)
	require.Equal(t, "needs ffmpeg: not in PATH; `make deps` installs it on Debian", r.skipped)
	require.Empty(t, r.failed)
}

func TestATestThatIsShorterSaysSo(t *testing.T) {
	withoutPrograms(t)
	t.Setenv(EnvRequire, "")
	r := &recorder{TB: t}
	require.False(t, Has(r, FFmpeg))
	require.Equal(t, "shorter without ffmpeg: not in PATH; `make deps` installs it on Debian", r.logged)
	t.Setenv(EnvRequire, "all")
	require.PanicsWithValue(t, ended{}, func() { Has(r, FFmpeg) })
	require.Contains(t, r.failed, "needs ffmpeg")
}

func TestWhatIsThereLetsTheTestGoOn(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	program := filepath.Join(dir, "ffmpeg")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700)) //nolint:gosec // a program
	require.Equal(t, program, Path(t, FFmpeg))
	require.True(t, Has(t, FFmpeg))
	for _, require := range []string{"", "all", "ffmpeg"} {
		r := need(t, require, FFmpeg)
		if r.skipped+r.failed != "" {
			t.Errorf("%q: %s%s", require, r.skipped, r.failed)
		}
	}
}

// With SCRIM_REQUIRE=all only what no machine can be given is a reason to skip.
func TestWhatTheMachineCouldHaveFailsWhereAllIsRequired(t *testing.T) {
	withoutPrograms(t)
	t.Setenv(EnvLong, "")
	for _, c := range []struct {
		require      string
		condition    Condition
		skips, fails bool
	}{
		{"", FFmpeg, true, false},
		{"all", FFmpeg, false, true},
		{"ffmpeg", FFmpeg, false, true},
		{"ffprobe,ffmpeg", FFmpeg, false, true},
		{"ffprobe", FFmpeg, true, false},
		{"", Long, true, false},
		{"all", Long, true, false}, // it is not the machine that lacks it
		{"long", Long, false, true},
	} {
		r := need(t, c.require, c.condition)
		require.Equal(t, c.skips, r.skipped != "", "%+v", c)
		require.Equal(t, c.fails, r.failed != "", "%+v", c)
		require.NotContains(t, r.skipped+r.failed, "\n")
	}
}

func TestAllConditionsHaveToHold(t *testing.T) {
	withoutPrograms(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ffprobe"), nil, 0o700)) //nolint:gosec // a program
	t.Setenv("PATH", dir)
	require.Contains(t, need(t, "", FFprobe, FFmpeg).skipped, "needs ffmpeg")
	require.Contains(t, need(t, "", FFmpeg, FFprobe).skipped, "needs ffmpeg")
	require.Empty(t, need(t, "", FFprobe).skipped)
}

// declared are the constants of type Condition.
func declared(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, 0)
	require.NoError(t, err)
	out := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "Condition" {
			out[v.Names[0].Name] = strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	return out
}

func TestEveryConditionIsKnownAndDocumented(t *testing.T) {
	dir, err := root()
	require.NoError(t, err)
	doc, err := os.ReadFile(filepath.Join(dir, "CONTRIBUTING.md"))
	require.NoError(t, err)
	names := declared(t)
	require.Len(t, known(), len(names))
	for constant, name := range names {
		require.NotNil(t, known()[Condition(name)].find, constant)
		require.True(t, strings.Contains(string(doc), "`"+name+"`"), "CONTRIBUTING.md does not say what %s is", name)
		require.NotContains(t, name, ",", "names stand in a list")
	}
}

// Every condition can be looked for anywhere, and gives a reason in one line.
func TestConditionsAnswerOnThisMachine(t *testing.T) {
	for c := range known() {
		_, err := known()[c].find()
		t.Logf("%s: %v", c, err)
		require.Equal(t, err == nil, Has(t, c))
	}
}

// Package variables of tests depend on the machine.
var _, early = known()[FFmpeg].find()

func TestConditionsAreKnownBeforeFlagsAreParsed(t *testing.T) {
	require.Equal(t, Has(t, FFmpeg), early == nil)
}
