package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/measure"
	"scrim/pipeline/scene"
)

// record runs the program in this process.
func record(t *testing.T, args ...string) error {
	t.Helper()
	var stdout, stderr bytes.Buffer
	return run(t.Context(), append([]string{"--size", "320x180", "--people", "4", "--seed", "3"}, args...), &bytes.Buffer{}, &stdout, &stderr)
}

func TestTruthIsThatOfTheSceneAndCanBeScored(t *testing.T) {
	dir := t.TempDir()
	video, path := filepath.Join(dir, "a.mp4"), filepath.Join(dir, "a.truth.jsonl")
	require.NoError(t, record(t, "--record", video, "--truth", path, "--for", "1.2s", "--fps", "25"))
	info, err := os.Stat(video)
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(1000))

	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	truths, err := measure.ReadTruth(f, path)
	require.NoError(t, err)
	require.Len(t, truths, 1)
	require.Len(t, truths[0].Frames, 30)
	s, err := scene.New(scene.Options{Width: 320, Height: 180, People: 4, Seed: 3, FPS: 25})
	require.NoError(t, err)
	faces := 0
	for n, got := range truths[0].Frames {
		want := s.Truth(uint32(n)) //nolint:gosec // small
		require.Equal(t, [3]int{n, 320, 180}, [3]int{got.Frame, got.Width, got.Height})
		require.InDelta(t, float64(n)/25, got.PTS, 1e-9)
		require.Len(t, got.Faces, len(want.Faces))
		for i, face := range want.Faces {
			faces++
			is := got.Faces[i]
			require.Equal(t, face.Person, is.Person)
			for _, d := range []float64{
				is.Box.X - face.Box.X, is.Box.Y - face.Box.Y, is.Box.W - face.Box.W, is.Box.H - face.Box.H,
				10 * (is.Visible - face.Visible), (is.Yaw - face.Yaw) / 10, (is.Roll - face.Roll) / 10,
			} {
				require.LessOrEqual(t, math.Abs(d), 0.0005001)
			}
		}
	}
	require.Positive(t, faces)

	// A report that covers every face has nothing to be blamed for.
	var report strings.Builder
	for _, frame := range truths[0].Frames {
		var regions []map[string]any
		for _, face := range frame.Faces {
			b := map[string]float64{"x": face.Box.X, "y": face.Box.Y, "w": face.Box.W, "h": face.Box.H}
			regions = append(regions, map[string]any{"x": b["x"], "y": b["y"], "w": b["w"], "h": b["h"], "face": b, "source": "detected", "track": face.Person + 1})
		}
		line, err := json.Marshal(map[string]any{"file": "a.mp4", "frame": frame.Frame, "pts": frame.PTS, "width": 320, "height": 180, "regions": regions})
		require.NoError(t, err)
		report.WriteString(string(line) + "\n")
	}
	reports, err := measure.ReadReport(strings.NewReader(report.String()), "r")
	require.NoError(t, err)
	pairs, _, err := measure.Match(truths, reports)
	require.NoError(t, err)
	result, err := measure.Score(pairs, measure.Options{Filter: measure.Filter{MaxYaw: 180}})
	require.NoError(t, err)
	require.Positive(t, result.Headline.Faces)
	require.Zero(t, result.Headline.Exposed)
	require.Equal(t, measure.Number(1), result.Headline.Recall)
	require.Zero(t, result.Area.False)
	require.Zero(t, result.Missing)
}

func TestRecordingWithoutTruth(t *testing.T) {
	video := filepath.Join(t.TempDir(), "a.h264")
	require.NoError(t, record(t, "--record", video, "--frames", "3"))
	data, err := os.ReadFile(video)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(data, []byte{0, 0, 0, 1}), "no Annex B")
}

func TestRecordingFlagsThatDoNotFitAreSaid(t *testing.T) {
	dir := t.TempDir()
	video := filepath.Join(dir, "a.mp4")
	clip := filepath.Join(t.TempDir(), "clip.mp4")
	require.NoError(t, os.WriteFile(clip, nil, 0o600))
	for want, args := range map[string][]string{
		"need --record":            {"--frames", "3"},
		"--truth is for drawn":     {"clip.mp4", "--truth", filepath.Join(dir, "t")},
		"either --frames or --for": {"--record", video, "--frames", "3", "--for", "1s"},
		"needs either --frames":    {"--record", video},
		"must be positive":         {"--record", video, "--frames=-3"},
		"--record is for drawn":    {clip, "--record", video, "--frames", "3"},
		".mp4 or .h264":            {"--record", filepath.Join(dir, "a.avi"), "--frames", "3"},
		"truth: ":                  {"--record", video, "--frames", "3", "--truth", filepath.Join(dir, "no", "t")},
		"2147483647":               {"--record", video, "--for", "2000000h", "--fps", "240"},
	} {
		require.ErrorContains(t, record(t, args...), want)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestInterruptedRecordingLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	err := run(ctx, []string{"--record", filepath.Join(dir, "a.mp4"), "--truth", filepath.Join(dir, "t"), "--frames", "3"}, &bytes.Buffer{}, &out, &out)
	require.ErrorIs(t, err, context.Canceled)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestConditionsAreDrawn(t *testing.T) {
	dir := t.TempDir()
	size := func(args ...string) int64 {
		video := filepath.Join(dir, "a.mp4")
		require.NoError(t, record(t, append([]string{"--record", video, "--frames", "10", "--size", "640x320"}, args...)...))
		info, err := os.Stat(video)
		require.NoError(t, err)
		return info.Size()
	}
	plain := size()
	require.Greater(t, size("--noise", "20"), 3*plain)
	require.Less(t, size("--dark", "5"), plain)
	require.Less(t, size("--blur", "4"), plain)
	require.Greater(t, size("--rain"), plain)
	require.NotEqual(t, plain, size("--hard-faces"))
	require.NotEqual(t, plain, size("--still", "4"))
	require.NotEqual(t, plain, size("--rotate", "180"))
	require.Less(t, size("--event", "covered@0s", "--event", "noise@1m"), plain)
}

func TestConditionsThatMakeNoSense(t *testing.T) {
	video := filepath.Join(t.TempDir(), "a.mp4")
	for args, message := range map[string]string{
		"--dark 0": "there must be some light", "--dark 101": "percent of light", "--noise -1": "noise", "--rotate 45": "0, 90, 180 or 270",
		"--event flood@2s": "there is no kind", "--still 9": "still",
	} {
		require.ErrorContains(t, record(t, append([]string{"--record", video, "--frames", "1"}, strings.Fields(args)...)...), message, args)
	}
	require.ErrorContains(t, record(t, "--noise", "3", "clip.mp4"), "for drawn people")
}
