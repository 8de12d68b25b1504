package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/pipeline/measure"
	"scrim/transport"
	"scrim/transport/rtsp"
)

// asProgram, set in the environment, lets the test binary be the program.
const asProgram = "SCRIM_CAMERA_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// waiting bounds every wait; it is no measurement.
const waiting = 30 * time.Second

// camera is the program while it runs.
type camera struct {
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *bytes.Buffer
	cmd    *exec.Cmd
}

func startProgram(t *testing.T, args ...string) *camera {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waiting)
	t.Cleanup(cancel)
	c := &camera{cmd: exec.CommandContext(ctx, os.Args[0], args...), stderr: &bytes.Buffer{}} //nolint:gosec // this program
	c.cmd.Env = append(os.Environ(), asProgram+"=1")
	c.cmd.Stderr = c.stderr
	var err error
	c.stdin, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.stdout = bufio.NewReader(stdout)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	return c
}

// firstLine waits for the program to say that it is ready.
func (c *camera) firstLine(t *testing.T) string {
	t.Helper()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		_ = c.cmd.Wait()
		t.Fatalf("program ended: %v: %s", err, c.stderr)
	}
	return line
}

// small makes drawing cheap.
func small(args ...string) []string {
	return append([]string{"--listen", "127.0.0.1:0", "--size", "320x180", "--fps", "10", "--people", "1"}, args...)
}

// requireVideo connects and waits for a unit.
func requireVideo(t *testing.T, url string) {
	t.Helper()
	client, err := rtsp.NewClient(rtsp.Config{Camera: "sim", URL: url})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), waiting)
	defer cancel()
	got := false
	err = client.Run(ctx, func(transport.CameraUnit) {
		got = true
		cancel()
	})
	require.True(t, got, "no video: %v", err)
}

func TestReadyJSONNamesTheURLAndTheEndOfStdinEndsIt(t *testing.T) {
	c := startProgram(t, small("--path", "yard", "--ready-json", "--exit-with-stdin")...)
	var ready struct {
		URL string `json:"url"`
	}
	require.NoError(t, json.Unmarshal([]byte(c.firstLine(t)), &ready))
	require.Regexp(t, `^rtsp://127\.0\.0\.1:[1-9]\d*/yard$`, ready.URL)
	requireVideo(t, ready.URL)
	require.NoError(t, c.stdin.Close())
	rest, err := io.ReadAll(c.stdout)
	require.NoError(t, err)
	require.Empty(t, rest)
	require.NoError(t, c.cmd.Wait(), c.stderr)
}

func TestURLIsPrintedAndAnInterruptEndsIt(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("hunter2\n"), 0o600))
	c := startProgram(t, small("--user", "admin", "--password-file", secret)...)
	line := c.firstLine(t)
	require.Regexp(t, `^rtsp://127\.0\.0\.1:[1-9]\d*/camera\n$`, line)
	require.NoError(t, c.stdin.Close(), "without --exit-with-stdin it goes on")
	requireVideo(t, "rtsp://admin:hunter2@"+line[len("rtsp://"):len(line)-1])
	require.NoError(t, c.cmd.Process.Signal(os.Interrupt))
	require.NoError(t, c.cmd.Wait(), c.stderr)
	require.NotContains(t, c.stderr.String(), "hunter2")
}

func TestTruthIsWrittenAsPicturesAreDrawn(t *testing.T) {
	truth := filepath.Join(t.TempDir(), "truth.jsonl")
	began := time.Now()
	c := startProgram(t, small("--truth", truth)...)
	url := strings.TrimSpace(c.firstLine(t)) // which comes after the first picture
	requireVideo(t, url)
	f, err := os.Open(truth)
	require.NoError(t, err)
	defer f.Close()
	got, err := measure.ReadLiveTruth(f, truth, began, time.Now())
	require.NoError(t, err)
	require.NotEmpty(t, got.Frames)
	require.Equal(t, [2]int{320, 180}, [2]int{got.Frames[0].Width, got.Frames[0].Height})

	// A second camera that cannot start leaves it alone.
	other := startProgram(t, "--listen", strings.Split(strings.TrimPrefix(url, "rtsp://"), "/")[0], "--size", "320x180", "--truth", truth)
	_, _ = io.ReadAll(other.stdout)
	require.Error(t, other.cmd.Wait())
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	again, err := measure.ReadLiveTruth(f, truth, began, time.Now())
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(again.Frames), len(got.Frames))
	require.Equal(t, got.Frames[0], again.Frames[0])
}

func TestMistakesAreOneLineAndStatusOne(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	missing := filepath.Join(t.TempDir(), "missing")
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"unknown flag":       {[]string{"--frobnicate"}, "--frobnicate"},
		"size of one":        {[]string{"--size", "160"}, "1280x720"},
		"odd size":           {[]string{"--size", "161x90"}, "161x90"},
		"empty size":         {[]string{"--size", "0x0"}, "0"},
		"size below 0":       {[]string{"--size=-160x-90"}, "-160"},
		"rate of words":      {[]string{"--fps", "fast"}, "--fps"},
		"rate below 0":       {[]string{"--fps=-5"}, "-5"},
		"people below 0":     {[]string{"--people=-5"}, "-5"},
		"bitrate below 0":    {[]string{"--bitrate=-5"}, "-5"},
		"GOP without unit":   {[]string{"--gop", "7"}, "--gop"},
		"missing file":       {[]string{missing}, missing},
		"empty file":         {[]string{empty}, empty},
		"two files":          {[]string{missing, empty}, empty},
		"password alone":     {[]string{"--password-file", empty}, "--user"},
		"password missing":   {[]string{"--user", "a", "--password-file", missing}, missing},
		"empty password":     {[]string{"--user", "a", "--password-file", empty}, empty},
		"truth of a file":    {[]string{empty, "--truth", missing}, "--truth"},
		"truth nowhere":      {[]string{"--truth", filepath.Join(missing, "t")}, "truth: "},
		"port in use":        {[]string{"--listen", taken.Addr().String()}, taken.Addr().String()},
		"address that is no": {[]string{"--listen", "here"}, "here"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProgram(t, small(c.args...)...)
			out, err := io.ReadAll(p.stdout)
			require.NoError(t, err)
			_ = p.cmd.Wait()
			t.Log(p.stderr)
			require.Equal(t, 1, p.cmd.ProcessState.ExitCode())
			require.Empty(t, out)
			require.Regexp(t, `^scrim-camera: [^\n]+\n$`, p.stderr.String())
			require.Contains(t, p.stderr.String(), c.says)
		})
	}
}

func TestHelpAndCancelledRunAreNoMistakes(t *testing.T) {
	c := startProgram(t, "--help")
	help, err := io.ReadAll(c.stdout)
	require.NoError(t, err)
	require.NoError(t, c.cmd.Wait())
	require.Contains(t, string(help), "--ready-json")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(ctx, small(), &bytes.Buffer{}, &stdout, &stderr))
	require.Contains(t, stdout.String(), "rtsp://")
}
