package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/transport"
)

const (
	// waiting bounds the wait for what a program does by itself. The longest is the
	// timeout of a camera that does not answer.
	waiting = 45 * time.Second
	// pollEvery is the interval of polling.
	pollEvery = 50 * time.Millisecond
)

// smallScene is cheap to draw.
var smallScene = scene.Options{Width: 320, Height: 180, FPS: 10, Seed: 3, People: 2}

func smallCamera(t *testing.T, o simcam.Options) *simcam.Camera {
	t.Helper()
	o.Listen, o.Scene, o.Log = "127.0.0.1:0", smallScene, slog.New(slog.DiscardHandler)
	cam, err := simcam.Start(o)
	require.NoError(t, err)
	t.Cleanup(cam.Close)
	return cam
}

// server is a running `scrim serve`.
type server struct {
	*program
	base string
}

// serveCameras starts `scrim serve` on a free port with the cameras of the YAML text.
// env are the arguments of env(1), for another environment.
func serveCameras(t *testing.T, env []string, yaml string, flags ...string) *server {
	t.Helper()
	file := writeFile(t, "scrim.yaml", "site: test\nhttp: {listen: '127.0.0.1:0'}\ncameras:\n"+yaml)
	args := append(slices.Clone(env), scrimPath(t), "serve", file)
	p := startAt(t, "/usr/bin/env", append(args, flags...)...)
	return &server{program: p, base: p.expect(`url=(http://\S+)`)}
}

func scrimPath(t *testing.T) string {
	t.Helper()
	dir, err := programs()
	require.NoError(t, err)
	return filepath.Join(dir, "scrim")
}

// copyProgram copies one of Scrim's programs to an empty folder.
func copyProgram(t *testing.T, name string) string {
	t.Helper()
	dir, err := programs()
	require.NoError(t, err)
	program, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // of the tests
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, program, 0o700)) //nolint:gosec // a program
	return path
}

// cameras requests the state of all cameras from the API.
func (s *server) cameras(ctx context.Context) map[string]transport.Status {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/api/cameras", http.NoBody)
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err, s.output())
	defer res.Body.Close()
	var list []transport.Status
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&list))
	out := make(map[string]transport.Status, len(list))
	for _, c := range list {
		out[c.Camera] = c
	}
	return out
}

// await waits until a camera's status fits.
func (s *server) await(ctx context.Context, camera, what string, ok func(transport.Status) bool) transport.Status {
	s.t.Helper()
	for {
		c := s.cameras(ctx)[camera]
		if ok(c) {
			return c
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			s.t.Fatalf("camera %s is not %s: %+v", camera, what, c)
		}
	}
}

func (s *server) awaitLive(ctx context.Context, camera string) transport.Status {
	s.t.Helper()
	return s.await(ctx, camera, "live", func(c transport.Status) bool { return c.State == transport.StateLive })
}

// awaitLine waits for a line of the log that matches, and returns it.
func (s *server) awaitLine(ctx context.Context, pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(`(?m)^.*` + pattern + `.*$`)
	for {
		if line := re.FindString(s.output()); line != "" {
			return line
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			s.t.Fatalf("no line of the log matches %q", pattern)
		}
	}
}

// oddCameras is an RTSP server with streams that Scrim does not support.
type oddCameras struct {
	streams map[string]*gortsplib.ServerStream
}

func (o *oddCameras) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if s := o.streams[strings.Trim(ctx.Path, "/")]; s != nil {
		return &base.Response{StatusCode: base.StatusOK}, s, nil
	}
	return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
}

// startOddCameras returns the server's URL; its paths are /audio and /vp8.
func startOddCameras(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	odd := &oddCameras{streams: make(map[string]*gortsplib.ServerStream)}
	srv := &gortsplib.Server{
		Handler: odd, RTSPAddress: ln.Addr().String(),
		Listen: func(string, string) (net.Listener, error) { return ln, nil },
	}
	for name, media := range map[string]*description.Media{
		"audio": {Type: description.MediaTypeAudio, Formats: []format.Format{&format.Opus{PayloadTyp: 96, ChannelCount: 2}}},
		"vp8":   {Type: description.MediaTypeVideo, Formats: []format.Format{&format.VP8{PayloadTyp: 96}}},
	} {
		odd.streams[name] = &gortsplib.ServerStream{Server: srv, Desc: &description.Session{Medias: []*description.Media{media}}}
	}
	require.NoError(t, srv.Start())
	t.Cleanup(srv.Close)
	for _, s := range odd.streams {
		require.NoError(t, s.Initialize())
		t.Cleanup(s.Close)
	}
	return "rtsp://" + ln.Addr().String()
}

// startMute returns the address of a listener that accepts connections but sends
// nothing.
func startMute(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var conns []net.Conn
		for {
			c, err := ln.Accept()
			if err != nil {
				break
			}
			conns = append(conns, c)
		}
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	return ln.Addr().String()
}

// redactor returns the process ID of a camera's redactor.
func (p *program) redactor(camera string) int {
	p.t.Helper()
	up := regexp.MustCompile(`msg="redactor is up" camera=`+camera+` .* pid=(\d+)`).FindAllStringSubmatch(p.output(), -1)
	require.NotEmpty(p.t, up)
	pid, err := strconv.Atoi(up[len(up)-1][1])
	require.NoError(p.t, err)
	return pid
}

// redactors returns the child processes of a worker: one for each camera, and one on
// standby.
func redactors(t *testing.T, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	var out []int
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // exited
		}
		// proc(5): pid (name) state parent …
		rest := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(rest) > 1 && rest[1] == strconv.Itoa(parent) && rest[0] != "Z" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			require.NoError(t, err)
			out = append(out, pid)
		}
	}
	return out
}

// refused runs a command that must fail, and returns its error line.
func refused(t *testing.T, env []string, args ...string) string {
	t.Helper()
	ctx := deadline(t, waiting)
	cmd := exec.CommandContext(ctx, scrimPath(t), args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	require.NoError(t, ctx.Err(), "scrim %v did not exit:\n%s", args, stderr.String())
	require.Error(t, err)
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), stderr.String())
	require.Empty(t, stdout.String())
	lines := strings.Split(strings.TrimRight(stderr.String(), "\n"), "\n")
	for i, line := range lines {
		last := i == len(lines)-1
		require.Equal(t, last, strings.HasPrefix(line, "scrim: "), "line %d of:\n%s", i+1, stderr.String())
		require.True(t, last || strings.HasPrefix(line, "time="), "line %d of:\n%s", i+1, stderr.String())
	}
	return lines[len(lines)-1]
}

// oneCamera returns a configuration with one camera that is unreachable.
func oneCamera(t *testing.T, settings string) string {
	t.Helper()
	return writeFile(t, "scrim.yaml", "site: test\ncameras:\n  - name: door\n    url: rtsp://127.0.0.1:1/stream\n"+settings)
}
