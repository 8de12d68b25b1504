package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/cli"
	"scrim/models/testenv"
)

// limit bounds every wait; nothing is measured by it.
const limit = 2 * time.Minute

// folder is the folder of the built programs.
var folder string

// built builds Scrim's programs once, for the first test that needs them, and
// returns their folder.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "scrim-bench-test-")
	if err != nil {
		return "", err
	}
	folder = dir
	for program, env := range map[string]string{"scrim": "CGO_ENABLED=0", "scrim-redactor": "", "scrim-camera": "", "scrim-bench": ""} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, program), "scrim/cmd/"+program)
		cmd.Env = append(os.Environ(), env)
		if out, err := cmd.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("build %s: %w: %s", program, err, out)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if folder != "" { // empty in most runs of single tests
		_ = os.RemoveAll(folder)
	}
	os.Exit(status)
}

// command returns scrim-bench as a command, with a folder for its temporary files.
func command(t *testing.T, args ...string) (cmd *exec.Cmd, tmp string) {
	t.Helper()
	dir, err := built()
	require.NoError(t, err)
	tmp = t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	cmd = exec.CommandContext(ctx, filepath.Join(dir, "scrim-bench"), args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	return cmd, tmp
}

// measured runs scrim-bench and returns its result, typed and as raw JSON.
func measured(t *testing.T, args ...string) (*bench.Result, map[string]any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "result.json")
	cmd, tmp := command(t, append(args, "--json", file)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left, "temporary files left behind")
	r, err := bench.Read(file)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var raw map[string]any
	require.NoError(t, json.Unmarshal(text, &raw))
	return r, raw
}

// smallScene costs little, and has faces from the first second on.
var smallScene = []string{"--size", "640x360", "--fps", "10", "--people", "8", "--min-face", "16", "--max-face", "24", "--for", "2s"}

// at returns the value at a path of keys.
func at(raw map[string]any, path string) any {
	var v any = raw
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// TestRealProgramsAreMeasuredAndMissedFacesCounted breaks detection on purpose: the
// faces are far too small for the detector's input. The exposed faces must be counted
// in the live run as well as in the run over the clip.
func TestRealProgramsAreMeasuredAndMissedFacesCounted(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	r, raw := measured(t, append([]string{"--baseline", "--cameras", "2", "--html", page, "--detect-size", "160"}, smallScene...)...)
	for _, path := range []string{
		"cpu_ratio_to_baseline", "cpu_ms_per_frame", "added_latency_ms.p50", "added_latency_ms.p95", "added_latency_ms.p99", "added_latency_ms.max",
		"added_latency_at_viewer_ms.p50", "stages", "leaks.exposed_face_frames", "leaks.face_frames", "cameras", "dropped", "frames_in", "frames_out",
		"machine.cpu", "machine.cores", "machine.memory_bytes", "machine.kernel", "versions.go", "versions.nats-server", "versions.libavcodec",
		"versions.libopencv_core", "versions.libx264", "model.name", "settings.threshold", "settings.skip_unchanged", "source.clips", "live.cpu_ms_per_frame",
		"live.redactor_bytes_allocated_per_frame", "live.memory_mib.redactor_peak_rss", "offline.cpu_ms_per_frame", "baseline.cpu_ms_per_frame",
	} {
		require.NotNil(t, at(raw, path), path)
	}
	var names []string
	for _, s := range r.Stages {
		names = append(names, s.Name)
		require.LessOrEqual(t, s.P50, s.P99)
	}
	require.Equal(t, append(bench.StageNames(), bench.SumNames()...), names)
	require.Equal(t, 2, r.Cameras)
	require.Equal(t, r.In, r.Out+r.Dropped)
	require.InDelta(t, 2*20, r.In, 3, "two cameras with ten pictures a second for two seconds")
	sum := 0
	for _, c := range r.Live.Cameras {
		require.Equal(t, c.In, c.Out+c.Dropped)
		sum += c.In
	}
	require.Equal(t, r.In, sum)
	require.Equal(t, 20, r.Offline.Frames+r.Offline.Dropped)
	require.Equal(t, 20, r.Baseline.Frames)
	require.Positive(t, r.CPU)
	require.Positive(t, r.Live.ScrimCPU)
	require.Greater(t, float64(r.CPURatio), 0.5)
	require.Positive(t, r.Live.Memory.RedactorPeak)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(text), "the cost of redaction")
	require.Positive(t, r.Leaks.Faces)
	require.Positive(t, r.Leaks.Exposed, "faces that were missed at the camera's rate")
	require.Positive(t, r.Offline.Leaks.Exposed, "faces that were missed over the clip")

	whole, _ := measured(t, append([]string{"--no-live"}, smallScene...)...)
	require.Less(t, whole.Leaks.Exposed, r.Offline.Leaks.Exposed/4, "with an input of the default size most are covered")
	require.Equal(t, r.Offline.Leaks.Faces, whole.Leaks.Faces)
}

func TestAnyFileCanBeMeasured(t *testing.T) {
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	dir := t.TempDir()
	for name, coding := range map[string][]string{"b.mp4": {"-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "10"}, "mpeg.avi": {"-c:v", "mpeg4"}} {
		path := filepath.Join(dir, name)
		args := append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=20:duration=2"}, coding...)
		out, err := exec.CommandContext(t.Context(), ffmpeg, append(args, path)...).CombinedOutput()
		require.NoError(t, err, string(out))
		r, raw := measured(t, "--no-live", "--for", "1s", "--detect-size", "160", path)
		require.Equal(t, name, r.Source.File)
		require.GreaterOrEqual(t, r.Offline.Frames, 17, name) // the last two or three lie in the decoder
		require.Zero(t, r.Offline.Dropped, name)
		require.Nil(t, raw["leaks"], "no truth for this video")
		require.Nil(t, raw["cpu_ratio_to_baseline"])
	}
}

func TestInterruptedRunLeavesNothingBehind(t *testing.T) {
	cmd, tmp := command(t, smallScene...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said []string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "all cameras are live") {
			break
		}
	}
	require.Contains(t, said[len(said)-1], "live", "all programs run now")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), said)
	require.Equal(t, "scrim-bench: interrupted", said[len(said)-1])
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range commands {
		text, _ := os.ReadFile(file) // the process may have exited
		require.NotContains(t, string(text), tmp, "a program still runs")
	}
}

func TestBadInputIsNamedInOneLine(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.mp4")
	text := filepath.Join(t.TempDir(), "text.mp4")
	require.NoError(t, os.WriteFile(text, []byte("no video"), 0o600))
	for want, args := range map[string][]string{
		"--for 0s":                      {"--for", "0s"},
		"--repeat 0":                    {"--repeat", "0"},
		"--scene \"crowd\"":             {"--scene", "crowd"},
		"--peer \"opencv\"":             {"--peer", "opencv"},
		"two even numbers":              {"--size", "wide"},
		"choose from 320×180":           {"--size", "64x64", "--no-live"},
		"--cameras 1000":                {"--cameras", "1000"},
		"--threshold":                   {"--threshold", "7"},
		"unknown flag --fast":           {"--fast"},
		"--truth needs a video file":    {"--truth", none},
		"must start with rtsp://":       {"http://127.0.0.1/x"},
		"none.mp4":                      {"--no-live", none},
		"text.mp4":                      {"--no-live", text},
		"needs two results":             {"--compare", none},
		"--scene is for drawn":          {"--scene", "quiet", text},
		"--people is for drawn":         {"--people", "3", text},
		"--size is for drawn":           {"--size=1920x1080", "rtsp://127.0.0.1/x"},
		"--json: ":                      {"--json", filepath.Join(none, "a.json")},
		"--html: ":                      {"--html", filepath.Dir(none)},
		"engine":                        {"--engine", "tensorrt"},
		"no such file":                  {"--compare", none, none},
		"not a result of scrim-bench":   {"--compare", text, text},
		"--strict needs --compare":      {"--strict"},
		"the background is learned":     {"--cover", "motion"},
		"there must be some light":      {"--dark", "0"},
		"--capacity needs live cameras": {"--capacity", "--no-live"},
		"is neither next to scrim nor":  {"--no-live"}, // the test binary has no programs next to it
		"no.such.redactor":              {"--no-live", "--redactor", "/no.such.redactor"},
	} {
		t.Run(want, func(t *testing.T) {
			if want != "is neither next to scrim nor" && !strings.Contains(strings.Join(args, " "), "--redactor") {
				args = append(args, "--redactor", os.Args[0])
			}
			var stdout, stderr bytes.Buffer
			t.Setenv("PATH", "")
			require.Equal(t, 1, run(t.Context(), args, &stdout, &stderr))
			require.Empty(t, stdout.String())
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			last := lines[len(lines)-1]
			require.True(t, strings.HasPrefix(last, "scrim-bench: "), stderr.String())
			require.Contains(t, last, want)
		})
	}
}

// run executes the program and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Status(ctx, "scrim-bench", execute(ctx, args, stdout, stderr), stderr)
}
