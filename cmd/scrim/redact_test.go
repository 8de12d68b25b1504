package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
	"scrim/models/testenv"
	"scrim/pipeline/ipc"
	"scrim/redact/geom"
)

// buildRedactor returns the path of the real redactor.
func buildRedactor(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrim-redactor")
	build := exec.Command("go", "build", "-o", path, "../scrim-redactor")
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
			im.SetGray(x, y, color.Gray{Y: uint8(110 + x/4)})
		}
	}
	// What is black, white and sharp shows that a detector can see.
	for i := range 12 * 20 {
		im.SetGray(i%12, i/12, color.Gray{})
		im.SetGray(63-i%12, 47-i/12, color.Gray{Y: 255})
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

func TestRedactFolder(t *testing.T) {
	redactor := buildRedactor(t)
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writePNG(t, filepath.Join(in, "a.png"))
	writePNG(t, filepath.Join(in, "deep", "er", "b.png"))
	require.NoError(t, os.WriteFile(filepath.Join(in, "notes.txt"), []byte("no picture"), 0o600))
	report := filepath.Join(t.TempDir(), "report.jsonl")
	status, stdout, stderr := scrim(t, "redact", in, "-o", out, "--report", report, "--redactor", redactor)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "2 of 2 files")
	require.Equal(t, []string{"a.png", "deep/er/b.png"}, list(t, out))
	lines := strings.Split(strings.TrimSpace(string(read(t, report))), "\n")
	require.Len(t, lines, 2)
	var rec ipc.FileFrame
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &rec))
	require.Equal(t, "deep/er/b.png", rec.File)
	require.Equal(t, 64, rec.Width)
	require.NotContains(t, lines[0], "null")

	// What is there stays unless it is asked for.
	before := read(t, filepath.Join(out, "a.png"))
	status, _, stderr = scrim(t, "redact", in, "-o", out, "--redactor", redactor)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "--overwrite")
	status, _, stderr = scrim(t, "redact", in, "-o", out, "--overwrite", "--redactor", redactor)
	require.Zero(t, status, stderr)
	require.Equal(t, before, read(t, filepath.Join(out, "a.png")))

	// A bad file costs itself and the exit status.
	require.NoError(t, os.WriteFile(filepath.Join(in, "bad.png"), []byte("no picture"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(in, "bad.mp4"), []byte("no video"), 0o600))
	out = filepath.Join(t.TempDir(), "out")
	status, stdout, stderr = scrim(t, "redact", in, "-o", out, "--report", report, "--overwrite", "--redactor", redactor)
	require.Equal(t, 1, status)
	require.Contains(t, stdout, "2 of 4 files")
	require.Contains(t, stderr, "bad.png")
	require.Contains(t, stderr, "bad.mp4")
	require.Equal(t, []string{"a.png", "deep/er/b.png"}, list(t, out))
	require.Len(t, strings.Split(strings.TrimSpace(string(read(t, report))), "\n"), 2)
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

func TestEndOfTheTerminalLeavesNothing(t *testing.T) {
	testenv.Need(t, testenv.HangUp)
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writePNG(t, filepath.Join(in, "a.png"))
	busy := filepath.Join(t.TempDir(), "busy")
	require.NoError(t, syscall.Mkfifo(busy, 0o600))
	redactor := fakeRedactor(t, `printf 'SCR1H\000\000\000\000\000\000\002\000\000\000\000{}'
echo >'`+busy+`'
while read -r line; do :; done
`)
	hangUp := make(chan error, 1)
	go func() {
		_, err := os.ReadFile(busy) // returns when the other side has written
		if err == nil {
			err = syscall.Kill(os.Getpid(), syscall.SIGHUP)
		}
		hangUp <- err
	}()
	report := filepath.Join(t.TempDir(), "report.jsonl")
	status, _, stderr := scrim(t, "--log-level", "error", "redact", in, "-o", out, "--report", report, "--redactor", redactor)
	require.NoError(t, <-hangUp)
	require.Equal(t, 1, status)
	require.Equal(t, "scrim: redact: interrupted: the terminal was closed\n", stderr)
	require.Empty(t, list(t, out))
	require.Empty(t, list(t, filepath.Dir(report)))
}

func TestSettingsOfACameraCountForItsRecordings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scrim.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`cameras:
  - name: hall
    url: rtsp://192.0.2.1/a
    user: viewer
    password: env:SCRIM_TEST_NOT_SET
    detect: {threshold: 0.4, tiles: true, size: 1920}
    obscure: {style: blur, padding: 0.4, padding_top: 0.6, cells: 4}
    zones:
      - {kind: mask, polygon: [[0, 0], [0.5, 0], [0.5, 1]]}
      - {kind: tiles, polygon: [[0, 0], [0.5, 0], [0.5, 1]]}
  - {name: yard, url: "rtsp://192.0.2.2/"}
`), 0o600))
	log := slog.New(slog.DiscardHandler)
	s, err := RedactCmd{Config: file, Camera: "hall", Lookahead: 30}.settings(log)
	require.NoError(t, err)
	require.Equal(t, ipc.ObscureConfig{Style: "blur", Padding: 0.4, PaddingTop: 0.6, Cells: 4}, s.Obscure)
	require.Equal(t, 30, s.Lookahead)
	require.InDelta(t, 0.4, s.Detect.Threshold, 0)
	require.Equal(t, []int{640, 1280, 1920}, s.Sizes)
	require.True(t, s.Detect.Tiles)
	require.Equal(t, [][4]float64{{0, 0, 0.5, 1}}, s.Detect.TileAreas)
	require.Len(t, s.Zones, 2)
	s, err = RedactCmd{Config: file, Camera: "hall", Style: "fill", Threshold: 0.2, Size: []config.DetectSize{960}}.settings(log)
	require.NoError(t, err)
	require.Equal(t, "fill", s.Obscure.Style)
	require.InDelta(t, 0.2, s.Detect.Threshold, 0)
	require.Equal(t, []int{960}, s.Sizes)
	s, err = RedactCmd{}.settings(log)
	require.NoError(t, err)
	require.Equal(t, ipc.ObscureConfig{Style: "veil", Padding: 0.3, PaddingTop: 0.5, Cells: 5}, s.Obscure)
	require.Empty(t, s.Zones)
	require.Equal(t, []int{640, 1280}, s.Sizes)
	for says, c := range map[string]RedactCmd{
		"needs --config":                      {Camera: "hall"},
		"choose one with --camera":            {Config: file},
		`no camera "door"; it has hall, yard`: {Config: file, Camera: "door"},
		"no such file":                        {Config: file + "x", Camera: "hall"},
	} {
		_, err := c.settings(log)
		require.ErrorContains(t, err, says)
	}
}

func TestCoverAndSightOfRecordings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scrim.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`cameras:
  - name: hall
    url: rtsp://192.0.2.1/a
    cover: people
    absorb: 1m
    need: 48px
    when_blind: slate
    sight_interval: 5s
`), 0o600))
	log := slog.New(slog.DiscardHandler)
	s, err := RedactCmd{}.settings(log)
	require.NoError(t, err)
	require.Equal(t, ipc.CoverConfig{Mode: "faces", Absorb: 10 * time.Minute}, s.Cover)
	require.Equal(t, ipc.SightConfig{NeedPercent: 5, WhenBlind: "motion", Interval: 10 * time.Second}, s.Sight)
	s, err = RedactCmd{Config: file}.settings(log)
	require.NoError(t, err)
	require.Equal(t, ipc.CoverConfig{Mode: "people", Absorb: time.Minute}, s.Cover)
	require.Equal(t, ipc.SightConfig{NeedPixels: 48, WhenBlind: "slate", Interval: 5 * time.Second}, s.Sight)

	// As flags they are parsed by their types.
	parse := func(args ...string) (RedactCmd, error) {
		var line CLI
		_, err := cli.Parse(&line, "scrim", "", append([]string{"redact", "a.mp4", "-o", "b.mp4"}, args...), io.Discard, io.Discard)
		return line.Redact, err
	}
	c, err := parse("--config", file, "--cover", "motion", "--absorb", "0", "--need", "6%", "--when-blind", "warn", "--cosmetic")
	require.NoError(t, err)
	s, err = c.settings(log)
	require.NoError(t, err)
	require.Equal(t, ipc.CoverConfig{Mode: "motion"}, s.Cover)
	require.Equal(t, ipc.SightConfig{NeedPercent: 6, WhenBlind: "warn", Interval: 5 * time.Second}, s.Sight)
	require.True(t, s.Obscure.Cosmetic)
	c, err = parse("--when-blind", "warn")
	require.NoError(t, err)
	_, err = c.settings(log)
	require.ErrorContains(t, err, "--cosmetic")
	for _, bad := range []string{"--cover=clothes", "--absorb=5s", "--need=5", "--need=60%", "--when-blind=show"} {
		_, err = parse(bad)
		require.Error(t, err, bad)
	}
}

// A folder with an image in which the detector cannot see is redacted, and the status says so.
func TestBlindImageIsObscuredWholeAndTold(t *testing.T) {
	redactor := buildRedactor(t)
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writePNG(t, filepath.Join(in, "a.png"))
	dark := image.NewGray(image.Rect(0, 0, 320, 240)) // black
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, dark))
	require.NoError(t, os.WriteFile(filepath.Join(in, "dark.png"), b.Bytes(), 0o600))
	report := filepath.Join(t.TempDir(), "report.jsonl")
	status, stdout, stderr := scrim(t, "redact", in, "-o", out, "--report", report, "--redactor", redactor)
	require.Equal(t, blindStatus, status, stderr)
	require.Contains(t, stdout, "2 of 2 files")
	require.Contains(t, stderr, "blind: too dark, obscured whole")
	require.Contains(t, stderr, "1 of 2 files")
	lines := strings.Split(strings.TrimSpace(string(read(t, report))), "\n")
	var seen, blind ipc.FileFrame
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &seen))
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &blind))
	require.Equal(t, ipc.CoverFaces, seen.Cover)
	require.Empty(t, seen.Blind)
	require.Equal(t, ipc.CoverWhole, blind.Cover)
	require.Equal(t, "too dark", blind.Blind)
	require.Equal(t, image.Rect(0, 0, 320, 240), blind.Regions[0].Rect())

	// What failed counts for more.
	require.NoError(t, os.WriteFile(filepath.Join(in, "bad.png"), []byte("no picture"), 0o600))
	status, _, stderr = scrim(t, "redact", in, "-o", out, "--overwrite", "--redactor", redactor)
	require.Equal(t, 1, status, stderr)
}

// What does nothing is not accepted.
func TestFlagsOfCamerasAreNoneOfFiles(t *testing.T) {
	status, _, stderr := scrim(t, "redact", "a.png", "-o", "b.png", "--trace", "c.jsonl")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "unknown flag --trace")
}

// A mask of the camera is in the recording's pictures, and in the report by
// what lies within it.
func TestZonesOfACameraAreInItsRecordings(t *testing.T) {
	redactor := buildRedactor(t)
	dir := t.TempDir()
	writePNG(t, filepath.Join(dir, "a.png"))
	file := filepath.Join(dir, "scrim.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`cameras:
  - name: hall
    url: rtsp://192.0.2.1/a
    obscure: {style: fill}
    zones: [{kind: mask, polygon: [[0, 0], [1, 0], [0, 1]]}]
`), 0o600))
	report := filepath.Join(dir, "report.jsonl")
	status, _, stderr := scrim(t, "redact", filepath.Join(dir, "a.png"), "-o", filepath.Join(dir, "b.png"), "--config", file,
		"--report", report, "--redactor", redactor)
	require.Zero(t, status, stderr)
	var rec ipc.FileFrame
	require.NoError(t, json.Unmarshal(read(t, report), &rec))
	require.NotEmpty(t, rec.Regions)
	im, err := png.Decode(bytes.NewReader(read(t, filepath.Join(dir, "b.png"))))
	require.NoError(t, err)
	want := im.At(0, 0)
	for _, r := range rec.Regions {
		require.Equal(t, geom.Zone, r.Source)
		for y := r.Y; y < r.Y+r.H; y++ {
			for x := r.X; x < r.X+r.W; x++ {
				require.Equal(t, want, im.At(x, y), "%d, %d is reported and not obscured", x, y)
			}
		}
	}
	require.NotEqual(t, want, im.At(63, 47))
}
