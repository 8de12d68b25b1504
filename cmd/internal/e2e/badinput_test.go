package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/simcam"
	"scrim/transport"
)

// Right and wrong passwords, which must not appear anywhere.
const (
	rightPassword = "c0rrect-h0rse"
	wrongPassword = "batt3ry-stap1e"
)

// TestBadCamerasAreNamedWhileTheOthersKeepRunning has one good camera among bad ones
// of every kind.
func TestBadCamerasAreNamedWhileTheOthersKeepRunning(t *testing.T) {
	good := smallCamera(t, simcam.Options{})
	locked := smallCamera(t, simcam.Options{User: "viewer", Password: rightPassword})
	odd := startOddCameras(t)
	closed := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	mute := startMute(t)
	password := writeFile(t, "password", wrongPassword+"\n")
	s := serveCameras(t, nil, fmt.Sprintf(`
  - {name: good, url: '%s'}
  - {name: closed, url: 'rtsp://%s/stream'}
  - {name: mute, url: 'rtsp://%s/stream'}
  - {name: wrong, url: '%s', user: viewer, password: 'file:%s'}
  - {name: asked, url: '%s'}
  - {name: lost, url: '%s/nowhere'}
  - {name: audio, url: '%s/audio'}
  - {name: vp8, url: '%s/vp8'}
`, good.URL(), closed, mute, locked.URL(), password, locked.URL(), odd, odd, odd), "--log-level", "debug")
	ctx := deadline(t, waiting)
	s.awaitLive(ctx, "good")
	for _, bad := range []struct{ camera, shown, reason, wayOut string }{
		{"closed", "connection refused", `connecting to rtsp://` + closed + `/stream: connection refused`, "check the address and port, and that the camera is on"},
		{"wrong", "wrong user or password", `the camera refuses user or password \(401`, "correct the camera's user and password"},
		{"asked", "no user and password", `the camera requires user and password`, "set the camera's user and password"},
		{"lost", "stream not found", `has no stream at this path \(404`, "correct the path"},
		{"audio", "no video track", `no video track \(it offers only `, "turn video on"},
		{"vp8", "unsupported codec VP8", `the camera sends VP8`, `choose H\.264, H\.265 or MJPEG in the camera's video settings`},
		{"mute", "no answer", `no answer within 10s`, "check that this is the RTSP port"}, // the slowest last
	} {
		c := s.await(ctx, bad.camera, "reported as bad", func(c transport.Status) bool { return c.Reason == bad.shown })
		require.Equal(t, transport.StateOffline, c.State, "%+v", c)
		require.Zero(t, c.Counters.Pictures)
		s.awaitLine(ctx, `msg="no video from the camera" camera=`+bad.camera+` error="camera `+bad.camera+`: .*`+bad.reason+`.*; .*`+bad.wayOut+`.* retry_in=\d`)
	}

	// An unreachable camera is tried again, with growing delays.
	s.await(ctx, "closed", "tried again", func(c transport.Status) bool { return c.Counters.Reconnects >= 2 })
	var waits []time.Duration
	for _, m := range regexp.MustCompile(`camera=closed .*retry_in=(\S+)`).FindAllStringSubmatch(s.output(), -1) {
		d, err := time.ParseDuration(m[1])
		require.NoError(t, err)
		waits = append(waits, d)
	}
	require.GreaterOrEqual(t, len(waits), 2)
	require.Greater(t, waits[1], waits[0])
	// A camera that refused a login is not tried again: it would lock the account.
	require.Zero(t, s.cameras(ctx)["wrong"].Counters.Reconnects)

	// The good one keeps running.
	before := s.awaitLive(ctx, "good")
	s.await(ctx, "good", "still running", func(c transport.Status) bool { return c.Counters.Pictures >= before.Counters.Pictures+5 })

	all, err := json.Marshal(s.cameras(ctx))
	require.NoError(t, err)
	for _, secret := range []string{rightPassword, wrongPassword} {
		require.NotContains(t, s.output(), secret)
		require.NotContains(t, string(all), secret)
	}
	require.NotContains(t, s.output(), "goroutine ")
}

// TestStoppedStreamIsReportedAndRecovers also kills a redactor, and removes its
// program for a while. All faults end without a restart of Scrim.
func TestStoppedStreamIsReportedAndRecovers(t *testing.T) {
	steady, fickle := smallCamera(t, simcam.Options{}), smallCamera(t, simcam.Options{})
	redactor := copyProgram(t, "scrim-redactor")
	s := serveCameras(t, nil, fmt.Sprintf("  - {name: steady, url: '%s'}\n  - {name: fickle, url: '%s'}\n", steady.URL(), fickle.URL()),
		"--redactor", redactor)
	ctx := deadline(t, waiting)
	s.awaitLive(ctx, "steady")
	s.awaitLive(ctx, "fickle")

	fickle.Silence(true)
	s.await(ctx, "fickle", "obscured", func(c transport.Status) bool { // for a moment, since its last picture may be partial
		return c.State == transport.StateObscured && c.Reason == "no pictures from the camera"
	})
	s.await(ctx, "fickle", "offline", func(c transport.Status) bool {
		return c.State == transport.StateOffline && c.Reason == "stream stalled"
	})
	s.awaitLine(ctx, `camera=fickle error="camera fickle: receiving `+fickle.URL()+`: no complete picture for 5s; check that .* retry_in=`)
	s.awaitLive(ctx, "steady")
	fickle.Silence(false)
	require.Empty(t, s.awaitLive(ctx, "fickle").Reason)

	require.NoError(t, os.Rename(redactor, redactor+".away"))
	const hit, other = "steady", "fickle"
	victim, spared := s.redactor(hit), s.redactor(other)
	for _, pid := range redactors(t, s.cmd.Process.Pid) {
		if pid != victim && pid != spared { // the standby process
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	require.NoError(t, syscall.Kill(victim, syscall.SIGKILL))
	s.awaitLine(ctx, `msg="redactor ended" camera=`+hit+` error="redactor killed by signal SIGKILL; perhaps .*restart_in=`)
	failed := s.await(ctx, hit, "failed", func(c transport.Status) bool {
		return c.State == transport.StateFailed && strings.Contains(c.Reason, redactor)
	})
	require.Contains(t, failed.Reason, "--redactor")
	s.awaitLine(ctx, `msg="redactor ended" camera=`+hit+` error=".*`+redactor+`.*--redactor" restart_in=`)
	s.awaitLive(ctx, other)
	require.NoError(t, os.Rename(redactor+".away", redactor))
	healed := s.awaitLive(ctx, hit)
	require.Empty(t, healed.Reason)
	require.Greater(t, healed.Counters.Restarts, uint64(1))
	require.NotContains(t, redactors(t, s.cmd.Process.Pid), victim)
}

// TestInputThatCannotWorkEndsWithStatusOne covers mistakes that no retry can fix.
func TestInputThatCannotWorkEndsWithStatusOne(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	address := taken.Addr().String()
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.onnx")
	require.NoError(t, os.WriteFile(junk, bytes.Repeat([]byte("no network "), 1000), 0o600))
	empty := filepath.Join(dir, "empty.onnx")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	corrupt := filepath.Join(dir, "face_detection_yunet_n.onnx")
	require.NoError(t, os.WriteFile(corrupt, []byte("half of a mod"), 0o600))
	missing := filepath.Join(dir, "missing.onnx")
	http := "\nhttp: {listen: '127.0.0.1:0'}\n"

	typo := oneCamera(t, "    pasword: env:DOOR\n")
	secret := oneCamera(t, "    user: viewer\n    password: env:SCRIM_TEST_NOT_SET\n")
	plain := oneCamera(t, http)
	for _, c := range []struct {
		name string
		env  []string
		args []string
		want []string // all in one line
	}{
		{"no such file", nil, []string{"serve", missing + ".yaml"}, []string{missing + ".yaml"}},
		{"typo", nil, []string{"serve", typo}, []string{typo + ":5:5: ", "unknown key `pasword`", "did you mean `password`"}},
		{"secret not set", nil, []string{"serve", secret}, []string{secret + ":6:", "SCRIM_TEST_NOT_SET"}},
		{"no camera", nil, []string{"serve", writeFile(t, "none.yaml", "site: test\n")}, []string{"none.yaml", "no cameras", "scrim demo"}},
		{"HTTP port in use", nil, []string{"serve", plain, "--http", address}, []string{address, "in use", "--http"}},
		{"NATS port in use", nil, []string{"serve", oneCamera(t, http+"nats: {listen: '"+address+"'}\n")}, []string{"NATS", address, "in use", "nats.listen"}},
		{"model that is missing", nil, []string{"serve", plain, "--model", missing}, []string{missing, "scrim models"}},
		{"model that is unknown", nil, []string{"serve", plain, "--model", "yunet-x"}, []string{"yunet-x", "known are scrim-face, yunet-n"}},
		{"model that is empty", nil, []string{"serve", plain, "--model", empty}, []string{empty, "is empty", "scrim models"}},
		{"model that is corrupt", []string{"SCRIM_MODELS=" + dir}, []string{"serve", plain, "--model", "yunet-n"}, []string{corrupt, "SHA-256", "scrim models pull"}},
		{"model that is junk", nil, []string{"serve", plain, "--model", junk}, []string{"camera door", junk, "scrim models"}},
		{"redactor that is missing", nil, []string{"serve", plain, "--redactor", missing}, []string{"scrim-redactor", missing, "--redactor"}},
		{"redactor that cannot run", nil, []string{"serve", plain, "--redactor", junk}, []string{"camera door", junk, "--redactor"}},
		{
			"camera program that is missing", nil, []string{"demo", "--http", "127.0.0.1:0", "--camera-program", missing},
			[]string{"scrim-camera", missing, "--camera-program"},
		},
		{"worker without a server", nil, []string{"worker", plain}, []string{plain, "nats.url"}},
		{"server that is away", nil, []string{"worker", oneCamera(t, "nats: {url: 'nats://127.0.0.1:1'}\n")}, []string{"NATS", "127.0.0.1:1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			line := refused(t, c.env, c.args...)
			t.Log(line)
			for _, want := range c.want {
				require.Contains(t, line, want)
			}
		})
	}
}

// TestMissingProgramIsNamed has only the scrim program in a folder.
func TestMissingProgramIsNamed(t *testing.T) {
	alone := copyProgram(t, "scrim")
	for missing, args := range map[string][]string{
		"scrim-redactor": {"serve", oneCamera(t, "http: {listen: '127.0.0.1:0'}\n")},
		"scrim-camera":   {"demo", "--http", "127.0.0.1:0"},
	} {
		ctx := deadline(t, waiting)
		cmd := exec.CommandContext(ctx, alone, args...)
		cmd.Env = append(os.Environ(), "PATH=")
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, 1, cmd.ProcessState.ExitCode(), string(out))
		require.Regexp(t, `(?m)^scrim: `+missing+` is neither next to scrim nor in PATH; .*$`, string(out))
	}
}

// TestOnlyTheProgramsAreNeeded has neither a folder of models nor a home folder.
func TestOnlyTheProgramsAreNeeded(t *testing.T) {
	testenv.Need(t, testenv.NoModels)
	cam := smallCamera(t, simcam.Options{})
	s := serveCameras(t, []string{"SCRIM_MODELS=", "XDG_DATA_HOME=", "HOME="}, fmt.Sprintf("  - {name: good, url: '%s'}\n", cam.URL()))
	ctx := deadline(t, waiting)
	c := s.awaitLive(ctx, "good")
	require.Regexp(t, `^scrim-face \d+ on `, c.Detector)
	require.Empty(t, c.Warning)
	s.awaitLine(ctx, `level=INFO msg="face detection model" name=scrim-face file="built in"`)
}
