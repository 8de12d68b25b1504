package main

import (
	"context"
	"encoding/base64"
	"image"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"scrim/models"
	"scrim/models/testenv"
	"scrim/pipeline"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/yuv"
	"scrim/transport"
)

// asRedactor and asReporter, as first argument, make the test binary run as the redactor,
// or report its protections.
const (
	asRedactor = "play-redactor"
	asReporter = "play-reporter"
)

const testTimeout = 30 * time.Second

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case asRedactor:
			main()
			os.Exit(0)
		case asReporter:
			report()
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// report hardens this process and writes the result to standard output.
func report() {
	err := harden()
	dumpable, derr := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	var core unix.Rlimit
	rerr := unix.Getrlimit(unix.RLIMIT_CORE, &core)
	_, _ = os.Stdout.WriteString(strings.Join([]string{
		say(err), "dumpable", strconv.Itoa(dumpable), say(derr), "core", strconv.FormatUint(core.Max, 10), say(rerr),
	}, " "))
}

func say(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func program(t *testing.T, mode string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, exe, mode)
}

// TestEveryThreadIsWithoutNewPrivilegesAndForeignDescriptorsAreClosed starts the program
// with a foreign descriptor. When that is closed, the program has executed itself again
// and waits for its configuration.
func TestEveryThreadIsWithoutNewPrivilegesAndForeignDescriptorsAreClosed(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd := program(t, asRedactor)
	cmd.ExtraFiles = []*os.File{w}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, w.Close())
	require.NoError(t, r.SetReadDeadline(time.Now().Add(testTimeout)))
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "a descriptor of somebody else is still open in the redactor")

	// It answers, so its threads are running.
	require.NoError(t, ipc.NewWriter(in).Write(ipc.TypeConfig, builtIn(), nil))
	answer(t, ipc.NewReader(out))
	require.Empty(t, threadsWith(t, cmd.Process.Pid, "NoNewPrivs:\t0"))
	require.NotEmpty(t, threadsWith(t, cmd.Process.Pid, "NoNewPrivs:\t1"))
	require.Empty(t, threadsWith(t, cmd.Process.Pid, "Seccomp:\t0"), "a thread without the filter")
	require.NoError(t, in.Close())
	_ = cmd.Wait()
}

// threadsWith returns the threads of a process whose status has the line.
func threadsWith(t *testing.T, pid int, line string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var out []string
	for _, f := range files {
		status, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(status), line+"\n") {
			out = append(out, f)
		}
	}
	return out
}

// builtIn is a configuration without a model file: the network is in the program.
func builtIn() ipc.Config {
	return ipc.Config{
		Site: "test", Camera: "door", Epoch: 1, Obscure: ipc.ObscureConfig{Style: "veil"},
		Detect: ipc.DetectConfig{Size: 320, Threshold: 0.3},
	}
}

// No file is granted, there is no folder of models, and no variable is set.
func TestRedactorHasItsNetworkWithoutAnyFile(t *testing.T) {
	own := models.BuiltIn()
	c := builtIn()
	c.Detect.ModelName, c.Detect.SHA256 = own.Name, own.SHA256
	require.Empty(t, ipc.ReadArgs(c.Detect))
	cmd := program(t, asRedactor)
	cmd.Env = []string{}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, ipc.NewWriter(in).Write(ipc.TypeConfig, c, nil))
	var hello ipc.Hello
	require.NoError(t, answer(t, ipc.NewReader(out)).Decode(&hello))
	require.Contains(t, hello.Detector, own.Name)
	require.Equal(t, own.SHA256, hello.ModelSHA256)
	require.Empty(t, hello.Warning)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}

// answer returns the first message that is not a slate; it must be the greeting.
func answer(t *testing.T, r *ipc.Reader) *ipc.Message {
	t.Helper()
	m, err := r.Read()
	for err == nil && m.Type == ipc.TypePreparedSlate {
		m, err = r.Read()
	}
	require.NoError(t, err)
	require.Equal(t, string(ipc.TypeHello), string(m.Type), "%s", m.Head)
	return m
}

func TestProcessIsNotDumpableAndLeavesNoCore(t *testing.T) {
	out, err := program(t, asReporter).Output()
	require.NoError(t, err)
	require.Equal(t, "ok dumpable 0 ok core 0 ok", string(out))
}

// The marker alone protects nothing, which is reported.
func TestMarkerByHandIsNotTakenForProtection(t *testing.T) {
	testenv.Need(t, testenv.Unconfined)
	cmd := program(t, asReporter)
	cmd.Args = append(cmd.Args, hardenedArg)
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "new privileges are possible")
}

// stuck is a detector that hangs until freed is closed.
type stuck struct {
	freed  chan struct{}
	inside atomic.Bool
	closed atomic.Bool
}

func (s *stuck) Detect(*yuv.Image) ([]face.Face, error) {
	s.inside.Store(true)
	<-s.freed
	return nil, nil
}
func (s *stuck) DetectPart(*yuv.Image, image.Point, int, int) ([]face.Face, error) { return nil, nil }

func (s *stuck) Info() redact.DetectorInfo { return redact.DetectorInfo{Name: "stuck"} }
func (s *stuck) Close() error              { s.closed.Store(true); return nil }

// idr is a key frame of 64×48 grey pixels.
const idr = "AAAAAWdCwAraEewEQAAAAwBAAAAMo8SJqAAAAAFozg/IAAABZYiEOiYoDJycnXXXXXXXXg=="

// with returns the parts of a redactor with this detector. It is not confined, because
// the test runs in the same process.
func with(d redact.Detector) parts {
	return parts{func(detect.Config) (redact.Detector, error) { return d, nil }, func() ipc.Sandbox { return nil }}
}

func TestDetectorThatHangsIsNotFreedUnderItsThread(t *testing.T) {
	s := &stuck{freed: make(chan struct{})}
	defer close(s.freed)
	r, w := io.Pipe()
	defer w.Close()
	done := make(chan error, 1)
	go func() {
		done <- run(context.Background(), ipc.NewReader(r), ipc.NewWriter(io.Discard), slog.New(slog.DiscardHandler),
			with(s))
	}()
	down := ipc.NewWriter(w)
	require.NoError(t, down.Write(ipc.TypeConfig, builtIn(), nil))
	data, err := base64.StdEncoding.DecodeString(idr)
	require.NoError(t, err)
	require.NoError(t, down.Write(ipc.TypeUnit, transport.CameraUnit{Codec: transport.H264, PTS: 1}, data))
	select {
	case err := <-done:
		require.ErrorIs(t, err, pipeline.ErrHung)
	case <-time.After(testTimeout):
		t.Fatal("a hang is not noticed")
	}
	require.True(t, s.inside.Load())
	require.False(t, s.closed.Load(), "the detector was freed while a thread is in it")
}

func TestDetectorIsFreedAtTheEnd(t *testing.T) {
	s := &stuck{freed: make(chan struct{})}
	r, w := io.Pipe()
	go func() {
		_ = ipc.NewWriter(w).Write(ipc.TypeConfig, builtIn(), nil)
		_ = w.Close()
	}()
	require.NoError(t, run(context.Background(), ipc.NewReader(r), ipc.NewWriter(io.Discard), slog.New(slog.DiscardHandler),
		with(s)))
	require.True(t, s.closed.Load())
}
