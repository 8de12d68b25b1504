package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models"
	"scrim/pipeline/ipc"
)

// redact redacts a file or folder, and returns what was done and everything that was
// reported: the log, the failures, and the error.
func redact(ctx context.Context, in, out string, overwrite bool, o Options) (*Result, string, error) {
	var text bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o.Settings = ipc.Files{Sizes: []int{640}, Lookahead: 3, Obscure: ipc.ObscureConfig{Style: "veil", Cells: 5}}
	own := models.BuiltIn()
	o.Settings.Detect = ipc.DetectConfig{ModelName: own.Name, SHA256: own.SHA256, Threshold: 0.3}
	plan, err := NewPlan(in, out, overwrite)
	if err != nil {
		return nil, err.Error(), err
	}
	o.Plan = plan
	r, err := Run(ctx, o)
	if r != nil {
		fmt.Fprintln(&text, errors.Join(r.Failed...))
	}
	fmt.Fprintln(&text, err)
	return r, text.String(), err
}

// buildRedactor returns the path of the real redactor.
func buildRedactor(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrim-redactor")
	build := exec.Command("go", "build", "-o", path, "scrim/cmd/scrim-redactor")
	build.Env = append(build.Environ(), "CGO_ENABLED=1")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

func writePNG(t *testing.T, path string) {
	t.Helper()
	im := image.NewGray(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			im.SetGray(x, y, color.Gray{Y: uint8(x + y)})
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, im))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
}

// list returns the files below a folder, which may not be there.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	}))
	return out
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// fakeRedactor is a program that does what a shell script says.
func fakeRedactor(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "redactor")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700)) //nolint:gosec // a program
	return path
}

func TestRedactorThatDies(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writePNG(t, filepath.Join(in, "a.png"))
	for script, says := range map[string]string{
		"exit 3":                    "exited with status 3",
		"echo it burns >&2; exit 1": "it burns",
		"echo this is not a message; exec cat >/dev/null": "protocol",
		"kill -SEGV $$": "SIGSEGV",
	} {
		report := filepath.Join(t.TempDir(), "report.jsonl")
		_, _, err := redact(t.Context(), in, out, false, Options{Report: report, Program: fakeRedactor(t, script)})
		require.ErrorContains(t, err, says)
		require.NoDirExists(t, out)
		require.NoFileExists(t, report)
		require.Empty(t, list(t, filepath.Dir(report)))
	}
}

// A redactor whose self-test fails, as any that does not start, writes nothing,
// no folder either.
func TestSelfTestThatFails(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	writePNG(t, filepath.Join(in, "a.png"))
	const reason = `{"reason":"nothing was redacted: self-test failed: blind"}`
	script := fmt.Sprintf("printf 'SCR1F\\000\\000\\000\\000\\000\\000\\%03o\\000\\000\\000\\000%s'\nexec cat >/dev/null\n", len(reason), reason)
	_, _, err := redact(t.Context(), in, filepath.Join(out, "deep", "er"), false,
		Options{Report: filepath.Join(out, "report.jsonl"), Program: fakeRedactor(t, script)})
	require.ErrorContains(t, err, "self-test failed: blind")
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Empty(t, left)
}

// A file that kills the redactor costs that file; the others go on with a new one.
func TestFileThatKillsTheRedactor(t *testing.T) {
	whole := buildRedactor(t)
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writePNG(t, filepath.Join(in, "a.png"))
	writePNG(t, filepath.Join(in, "b.png"))
	once := filepath.Join(t.TempDir(), "once")
	// The first start greets with the real one's greeting and dies at the first file.
	script := fakeRedactor(t, `if mkdir '`+once+`' 2>/dev/null; then
	printf 'SCR1H\000\000\000\000\000\000\002\000\000\000\000{}'
	dd bs=1 count=40 of=/dev/null 2>/dev/null
	kill -KILL $$
fi
exec '`+whole+`' "$@"
`)
	r, text, err := redact(t.Context(), in, out, false, Options{Program: script})
	require.NoError(t, err)
	require.Len(t, r.Failed, 1, text)
	require.Contains(t, r.String(), "1 of 2 files")
	require.Equal(t, []string{"b.png"}, list(t, out))
}

// A file that ends early is named, and what there was of it stays.
func TestFileThatEndsEarly(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	writePNG(t, filepath.Join(in, "a.png"))
	for head, says := range map[string][2]string{
		`{"incomplete":"read video: input/output error"}`: {"a.png: only the beginning was redacted", "input/output error"},
		`{"warning":"it has 3 of 9 pictures"}`:            {"it has 3 of 9 pictures", "a.png"},
		`{"reason":"input is damaged: lost"}`:             {"input is damaged: lost", "a.png"},
	} {
		report := filepath.Join(t.TempDir(), "report.jsonl")
		// It says twice that it goes on before it says that it has ended.
		beat := `printf 'SCR1B\000\000\000\000\000\000\002\000\000\000\000{}'` + "\n"
		program := fakeRedactor(t, `printf 'SCR1H\000\000\000\000\000\000\002\000\000\000\000{}'
`+beat+beat+fmt.Sprintf(`printf 'SCR1E\000\000\000\000\000\000\%03o\000\000\000\000%s'
exec cat >/dev/null
`, len(head), head))
		r, text, err := redact(t.Context(), filepath.Join(in, "a.png"), filepath.Join(out, "a.png"), false, Options{Report: report, Program: program})
		require.NoError(t, err)
		require.Equal(t, strings.Contains(head, "incomplete"), len(r.Failed) == 1, text)
		require.Contains(t, text, says[0])
		require.Contains(t, text, says[1])
		require.FileExists(t, report)
	}
}

func TestRedactInterrupted(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writePNG(t, filepath.Join(in, "a.png"))
	ctx, cancel := context.WithCancel(t.Context())
	busy := filepath.Join(t.TempDir(), "busy")
	require.NoError(t, syscall.Mkfifo(busy, 0o600))
	// It greets, says that it is busy, and then only waits for its end.
	redactor := fakeRedactor(t, `printf 'SCR1H\000\000\000\000\000\000\002\000\000\000\000{}'
echo >'`+busy+`'
while read -r line; do :; done
`)
	go func() {
		_, _ = os.ReadFile(busy) // returns when the other side has written
		cancel()
	}()
	report := filepath.Join(t.TempDir(), "report.jsonl")
	_, _, err := redact(ctx, in, out, false, Options{Report: report, Program: redactor})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, list(t, out))
	require.Empty(t, list(t, filepath.Dir(report)))
}

func TestRedactionsThatWouldDestroySomethingAreRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	writePNG(t, at("a.png"))
	writePNG(t, at("b.png"))
	writePNG(t, at("in/a.png"))
	require.NoError(t, os.Mkdir(at("empty"), 0o700))
	require.NoError(t, os.Symlink(at("a.png"), at("link.png")))
	require.NoError(t, os.Link(at("a.png"), at("hard.png")))
	require.NoError(t, os.Symlink(at("in"), at("linked")))
	require.NoError(t, os.WriteFile(at("twice.avi"), nil, 0o600))
	for _, c := range []struct{ in, out, says string }{
		{"a.png", "a.png", "itself"},
		{"a.png", "link.png", "itself"},
		{"a.png", "hard.png", "itself"},
		{"a.png", "in", "is a folder"},
		{"a.png", "x.mp4", "output format not supported"},
		{"twice.avi", "x.avi", "output format not supported"},
		{"in", "in", "within"},
		{"in", "in/deep/out", "within"},
		{"in", "linked/out", "within"},
		{"in", "a.png", "is a file"},
		{"empty", "x", "no video or image"},
		{"missing.png", "x.png", "no such file"},
	} {
		_, err := NewPlan(at(c.in), at(c.out), true)
		require.ErrorContains(t, err, c.says, c)
	}
	_, err := NewPlan(at("a.png"), at("b.png"), false)
	require.ErrorIs(t, err, ErrExists)
	_, _, err = redact(t.Context(), at("a.png"), at("x.png"), true, Options{Report: at("a.png"), Program: "/bin/false"})
	require.ErrorContains(t, err, "report")
}

// A single file that fails leaves no report, and one that is there stays.
func TestReportOfNothingIsNotWritten(t *testing.T) {
	redactor := buildRedactor(t)
	in, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(in, "bad.png"), []byte("no picture"), 0o600))
	report := filepath.Join(dir, "report.jsonl")
	o := Options{Report: report, Program: redactor}
	r, text, err := redact(t.Context(), filepath.Join(in, "bad.png"), filepath.Join(dir, "bad.png"), false, o)
	require.NoError(t, err)
	require.Len(t, r.Failed, 1)
	require.Contains(t, text, "bad.png")
	require.Empty(t, list(t, dir))
	require.NoError(t, os.WriteFile(report, []byte("before"), 0o600))
	r, _, err = redact(t.Context(), filepath.Join(in, "bad.png"), filepath.Join(dir, "bad.png"), true, o)
	require.NoError(t, err)
	require.Len(t, r.Failed, 1)
	require.Equal(t, []string{"report.jsonl"}, list(t, dir))
	require.Equal(t, "before", string(read(t, report)))
}
