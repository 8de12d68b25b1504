package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/programs"
	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// easy is a scene in which every face is found.
var easy = []string{"--size", "640x360", "--fps", "5", "--people", "2", "--min-face", "40", "--max-face", "60", "--for", "1s"}

func TestCapacityIsTheLargestNumberThatHeld(t *testing.T) {
	r, _ := measured(t, append([]string{"--capacity", "--max-cameras", "1"}, easy...)...)
	require.Equal(t, "capacity", r.Mode)
	require.NotEmpty(t, r.Capacity.Trials)
	last := r.Capacity.Trials[len(r.Capacity.Trials)-1]
	for _, trial := range r.Capacity.Trials {
		require.Equal(t, trial.Why == "", trial.Held)
		require.Equal(t, 1, trial.Cameras)
		require.InDelta(t, 5, trial.In, 2)
	}
	if !last.Held { // other processes may have used the CPU
		require.Zero(t, r.Cameras)
		require.NotEmpty(t, last.Why)
		return
	}
	require.Equal(t, 1, r.Cameras)
	require.True(t, r.Capacity.Bounded)
	require.Zero(t, last.Dropped+last.Slates+last.Exposed)
	require.Equal(t, []float64{1}, r.Runs["cameras"])
	require.Equal(t, []float64{0}, r.Runs["dropped_share"])
	require.Equal(t, 1, r.Live.Viewers)
}

func TestCapacityOfRepetitionsIsTheirMedian(t *testing.T) {
	for want, runs := range map[int][]float64{6: {6, 8, 6}, 7: {7, 8}, 0: {0}} {
		m := &measurement{hist: bench.NewHistograms(), result: &bench.Result{Cameras: 99, Runs: map[string][]float64{"cameras": runs}}}
		m.conclude()
		require.Equal(t, want, m.result.Cameras)
	}
}

// TestNoNumberOfCamerasHoldsWhileFacesAreExposed has faces that are far too small for
// the detector's input. Even a single camera, which holds its rate, does not count.
func TestNoNumberOfCamerasHoldsWhileFacesAreExposed(t *testing.T) {
	cmd, _ := command(t, append([]string{"--capacity", "--max-cameras", "4", "--detect-size", "160"}, smallScene...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Regexp(t, `1 cameras do not hold their rate: (\d+ of \d+ faces exposed|\d+ of \d+ pictures dropped)`, string(out))
	require.Regexp(t, `without a dropped picture or exposed face +0\n`, string(out))
	require.NotContains(t, string(out), "2 cameras, for")
}

func TestPeersAreMeasured(t *testing.T) {
	r, _ := measured(t, append([]string{"--no-live", "--peer", "gocv", "--peer", "faceblur", "--for", "2s"}, easy[:len(easy)-2]...)...)
	require.Len(t, r.Peers, 2)
	gocv, faceblur := r.Peers[0], r.Peers[1]
	require.Empty(t, gocv.Skipped)
	require.Equal(t, 20, gocv.Loop.Frames, "as many pictures as the redactor had")
	require.Equal(t, r.Offline.Frames+r.Offline.Dropped, gocv.Loop.Frames)
	require.Positive(t, gocv.Loop.CPU)
	require.InEpsilon(t, gocv.Loop.CPU/r.Offline.CPU, float64(gocv.Ratio), 0.01)
	if !testenv.Has(t, testenv.FaceBlur) {
		require.Contains(t, faceblur.Skipped, "apt-get install")
		require.Nil(t, faceblur.Loop)
	}
	t.Run("faceblur", func(t *testing.T) {
		testenv.Need(t, testenv.FaceBlur)
		require.Empty(t, faceblur.Skipped)
		require.Equal(t, 20, faceblur.Loop.Frames)
		require.Greater(t, faceblur.Loop.TotalCPU, 1.0, "it used CPU time")
	})
}

// TestCameraIsMeasured uses an rtsp:// URL. Its pictures have no schedule and no truth.
func TestCameraIsMeasured(t *testing.T) {
	dir, err := built()
	require.NoError(t, err)
	camera, err := programs.StartCamera(t.Context(), filepath.Join(dir, "scrim-camera"), "--listen", "127.0.0.1:0", "--size", "320x180", "--fps", "10")
	require.NoError(t, err)
	defer camera.Close()
	r, raw := measured(t, "--for", "2s", "--detect-size", "320", strings.Replace(camera.URL, "rtsp://", "rtsp://user:secret@", 1))
	require.Equal(t, "rtsp://…", r.Source.URL, "the URL may hold a password")
	require.Equal(t, [2]int{320, 180}, [2]int{r.Source.Clips[0].Width, r.Source.Clips[0].Height})
	require.InDelta(t, 10, r.Source.Clips[0].FPS, 1)
	require.Equal(t, r.In, r.Out+r.Dropped)
	require.InDelta(t, 20, r.Out, 6)
	require.Nil(t, raw["leaks"])
	require.Positive(t, r.Live.CPU)
	require.Positive(t, r.Live.Memory.RedactorPrivate)
	require.Less(t, r.Live.Memory.RedactorPrivate, r.Live.Memory.RedactorPeak)
}

func TestTruthOfAFileIsScored(t *testing.T) {
	dir, err := built()
	require.NoError(t, err)
	clip, truth := filepath.Join(t.TempDir(), "clip.mp4"), filepath.Join(t.TempDir(), "truth.jsonl")
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "scrim-camera"), "--record", clip, "--truth", truth, "--for", "3s",
		"--size", "640x360", "--fps", "10", "--people", "8", "--min-face", "16", "--max-face", "24", "--seed", "1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	r, raw := measured(t, "--no-live", "--for", "3s", "--truth", truth, "--engine", "opencv", "--detect-size", "160", clip)
	require.True(t, r.Source.Clips[0].Truth)
	require.Equal(t, "opencv", at(raw, "settings.engine"))
	require.Equal(t, 30, r.Offline.Leaks.Frames)
	require.Positive(t, r.Leaks.Faces)
	engine, _ := r.Model.Engine()
	require.Equal(t, "opencv", engine, r.Model.Name)
	require.Positive(t, r.Leaks.Exposed, "of faces that are too small for the input")
	other := filepath.Join(t.TempDir(), "none.jsonl")
	var stderr bytes.Buffer
	require.Equal(t, 1, run(t.Context(), []string{"--no-live", "--redactor", filepath.Join(dir, "scrim-redactor"), "--truth", other, clip}, io.Discard, &stderr))
	require.Contains(t, stderr.String(), "--truth "+other)
}

func TestCoverAndConditionsAreMeasured(t *testing.T) {
	r, raw := measured(t, append([]string{"--no-live", "--cover", "people", "--need", "40px", "--hard-faces", "--noise", "4", "--dark", "60"}, smallScene...)...)
	require.Equal(t, "people", at(raw, "settings.cover"))
	require.Equal(t, "40px", at(raw, "settings.need"))
	require.Equal(t, true, at(raw, "settings.paced"))
	require.Equal(t, "hard-faces-noise-4-dark-60", at(raw, "settings.conditions"))
	require.Positive(t, r.Leaks.Bodies.Frames)
	require.InDelta(t, 2, r.Leaks.Seconds, 0.2)
	require.Zero(t, r.Leaks.FalseBlindSeconds, "no picture is clear")
	var stages []string
	for _, s := range r.Offline.Stages {
		stages = append(stages, s.Name)
	}
	require.Contains(t, stages, bench.Sight)
	require.Contains(t, stages, bench.Motion)
}

func TestClipsOfOtherConditionsHaveOtherNames(t *testing.T) {
	plain := Conditions{Dark: 100}
	require.Empty(t, plain.conditions())
	all := Conditions{HardFaces: true, Still: 2, Noise: 25, Dark: 12, Blur: 1.5, Rain: true}
	require.Equal(t, "-hard-faces-2-still-noise-25-dark-12-blur-1.5-rain", all.conditions())
	var o scene.Options
	all.apply(&o)
	require.Equal(t, scene.Options{HardFaces: true, Still: 2, Noise: 25, Light: 12, Blur: 1.5, Rain: true}, o)
}

func TestResultsAreComparedOnTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, cpu float64, change func(*bench.Result)) string {
		r := &bench.Result{
			Schema: bench.Schema, Mode: "latency", Model: bench.Model{Name: "yunet-n 640 on scrim avx512", SHA256: "ab"},
			Settings: map[string]any{"skip_unchanged": true},
			Runs: map[string][]float64{
				"cpu_ms_per_frame": {cpu, cpu * 1.01, cpu * 0.99, cpu * 1.005}, "exposed_share": {0, 0, 0, 0}, "dropped_share": {0, 0, 0, 0},
			},
		}
		if change != nil {
			change(r)
		}
		path := filepath.Join(dir, name+".json")
		require.NoError(t, cli.Output{JSON: path}.Write(io.Discard, r))
		return path
	}
	a := write("a", 20, nil)
	for name, c := range map[string]struct {
		cpu    float64
		change func(*bench.Result)
		table  string // expected in the table
		strict string // "" passes
	}{
		"faster":   {10, nil, "better", ""},
		"the same": {20, nil, "indistinguishable", ""},
		"slower":   {30, nil, "worse", "worse in cpu_ms_per_frame"},
		"exposing": {10, func(r *bench.Result) { r.Runs["exposed_share"] = []float64{0.1, 0, 0.1, 0.1} }, "worse", "worse in exposed_share"},
		"missing":  {10, func(r *bench.Result) { delete(r.Runs, "exposed_share") }, "missing in B", "worse in exposed_share"},
		"inspect all": {10, func(r *bench.Result) { r.Settings["skip_unchanged"] = false },
			"different setting skip_unchanged", "not comparable: different setting skip_unchanged"},
		"empty": {10, func(r *bench.Result) { r.Runs = nil }, "missing in B", "worse in"},
		"newer": {10, func(r *bench.Result) { r.Versions = map[string]string{"go": "2"} }, "different version of go", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := write(name, c.cpu, c.change)
			var stdout, stderr bytes.Buffer
			require.Zero(t, run(t.Context(), []string{"--compare", a, b}, &stdout, &stderr), stderr.String())
			require.Contains(t, stdout.String(), c.table)
			status := run(t.Context(), []string{"--compare", a, b, "--strict"}, io.Discard, &stderr)
			require.Equal(t, c.strict != "", status == 1)
			require.Contains(t, stderr.String(), c.strict)
		})
	}
}

// A run of a day repeats the first half minute of a file.
func TestLongFilesAreCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.mp4")
	people := scene.Options{Width: 320, Height: 180, FPS: 2, People: 1}
	record := simcam.RecordOptions{Path: path, Scene: people, Frames: 2 * 40, AsCamera: true}
	require.NoError(t, simcam.Record(t.Context(), record, func(simcam.Recorded) error { return nil }))
	m := &measurement{cli: &CLI{Source: path, For: maxFor}, log: slog.New(slog.DiscardHandler), progress: io.Discard, dir: t.TempDir()}
	c, err := m.file(t.Context())
	require.NoError(t, err)
	require.InDelta(t, 2*maxClip.Seconds(), len(c.PTS), 1)
	require.Equal(t, 3*time.Second, (&CLI{For: 3 * time.Second}).clipTime())
}

func TestClipsOfAnotherDrawingVersionAreNotReused(t *testing.T) {
	dir := t.TempDir()
	c := &CLI{Clips: dir, For: time.Second, Scene: "quiet", Size: cli.Size{W: 320, H: 180}, FPS: 5, Seed: 1}
	m := &measurement{cli: c, log: slog.New(slog.DiscardHandler), progress: io.Discard}
	for range 2 { // the second time, the clip exists
		clips, err := m.clips(t.Context())
		require.NoError(t, err)
		require.Len(t, clips, 1)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Regexp(t, `^drawing-\d+-320x180-`, left[0].Name())
	require.Equal(t, scene.Version, m.source[0].Drawing)
}
