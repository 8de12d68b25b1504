package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/cli"
)

// scrim runs a command line in this process.
func scrim(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestProgramBuildsWithoutCgoAndRuns(t *testing.T) {
	program := filepath.Join(t.TempDir(), "scrim")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=v1.2.3-test", "-o", program, ".")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	out, err = exec.Command(program, "version").Output()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(out), "scrim v1.2.3-test go"), string(out))

	out, err = exec.Command(program, "--help").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "models list")
}

func TestMistakesOnTheCommandLineAreOneLineAndStatusOne(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"frobnicate"},
		{"--frobnicate", "version"},
		{"--log-level", "loud", "version"},
		{"--log-format", "xml", "version"},
		{"config", "check"},
		{"config", "check", filepath.Join(t.TempDir(), "missing.yaml")},
		{"models", "pull", "no-such-model"},
	} {
		status, stdout, stderr := scrim(t, args...)
		require.Equal(t, 1, status, "%q", args)
		require.Empty(t, stdout, "%q", args)
		require.Regexp(t, `^scrim: [^\n]+\n$`, stderr, "%q", args)
	}
}

func TestInterruptedCommandIsReported(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	var out, errs bytes.Buffer
	require.Equal(t, 1, run(ctx, []string{"models", "pull", "yunet-n"}, &out, &errs))
	require.Equal(t, "scrim: interrupted\n", errs.String())
}

func TestConfigCheckNamesATypoAndItsPosition(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cameras.yaml")
	require.NoError(t, os.WriteFile(path, []byte("site: a\ncameras:\n  - name: hall\n    urll: rtsp://192.0.2.1/\n"), 0o600))
	status, _, stderr := scrim(t, "config", "check", path)
	require.Equal(t, 1, status)
	require.Equal(t, "scrim: "+path+":4:5: unknown key `urll`; did you mean `url`?\n", stderr)
}

func TestConfigCheckListsCamerasAndWarningsWithoutPasswords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cameras.yaml")
	require.NoError(t, os.WriteFile(path, []byte("site: a\ncameras:\n  - name: hall\n    url: rtsp://u:hunter2@192.0.2.1/\n"), 0o600))
	status, stdout, _ := scrim(t, "config", "check", path)
	require.Equal(t, 0, status)
	require.Contains(t, stdout, "camera hall: rtsp://192.0.2.1/ over tcp, cover faces, veil\n")
	require.Contains(t, stdout, "warning: camera hall: password in the URL")
	require.NotContains(t, stdout, "hunter2")
}

func TestConfigCheckWarnsOfACertificateThatIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cameras.yaml")
	require.NoError(t, os.WriteFile(path, []byte("rtsp_server: {listen: '127.0.0.1:8554', tls: {cert: none.crt, key: none.key}}\n"), 0o600))
	status, stdout, stderr := scrim(t, "config", "check", path)
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, "warning: rtsp_server.tls: open none.crt: no such file or directory; a gateway will not start on this machine\n")
}

func TestLogCanBeJSON(t *testing.T) {
	var text bytes.Buffer
	newLogger(&text, 0, "json").Debug("not shown")
	newLogger(&text, 0, "json").Info("shown")
	require.Regexp(t, `^\{"time":.*"msg":"shown"\}\n$`, text.String())
}

func TestFlagsAndVariablesOverrideTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cameras.yaml")
	require.NoError(t, os.WriteFile(path, []byte("site: a\ncameras:\n  - name: hall\n    url: rtsp://192.0.2.1/\n"), 0o600))
	t.Setenv("SCRIM_CAMERAS_HALL_URL", "rtsp://192.0.2.2/")
	t.Setenv("SCRIM_CAMERAS_HALL_TRANSPORT", "udp")
	status, stdout, stderr := scrim(t, "config", "check", path, "--set", "cameras.hall.transport=tcp", "--set", "defaults.obscure={style: mosaic, cells: 4}")
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, "camera hall: rtsp://192.0.2.2/ over tcp, cover faces, mosaic\n")

	t.Setenv("SCRIM_CAMERAS_HALL_URRL", "rtsp://u:hunter2@192.0.2.2/")
	for _, command := range [][]string{{"config", "check", path}, {"config", "env", path}, {"serve", path}, {"worker", path}, {"gateway", path}, {"audit", path}} {
		status, _, stderr = scrim(t, command...)
		require.Equal(t, 1, status)
		require.Equal(t, "scrim: SCRIM_CAMERAS_HALL_URRL: unknown variable; did you mean SCRIM_CAMERAS_HALL_URL?\n", stderr, "%q", command)
	}
}

func TestGatewayNeedsTheServerOfItsWorkers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte("nats: {listen: '127.0.0.1:0'}\nhttp: {listen: '127.0.0.1:0'}\n"), 0o600))
	status, _, stderr := scrim(t, "gateway", path)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "a gateway needs `nats.url`, the NATS server shared with the workers")
}

func TestVariablesOfAFileAreListed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cameras.yaml")
	require.NoError(t, os.WriteFile(path, []byte("cameras: [{name: back-door, url: 'rtsp://192.0.2.1/'}]\n"), 0o600))
	status, stdout, _ := scrim(t, "config", "env", path)
	require.Equal(t, 0, status)
	require.Regexp(t, `(?m)^SCRIM_CAMERAS_BACK_DOOR_URL +cameras\[0\]\.url$`, stdout)
	require.Regexp(t, `(?m)^SCRIM_NATS_URL +nats\.url$`, stdout)
}

func TestConfigSchemaIsJSON(t *testing.T) {
	status, stdout, stderr := scrim(t, "config", "schema")
	require.Equal(t, 0, status, stderr)
	require.True(t, json.Valid([]byte(stdout)))
	require.Contains(t, stdout, `"$schema": "http://json-schema.org/draft-07/schema#"`)
}

// run executes the program and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Status(ctx, "scrim", execute(ctx, args, stdout, stderr), stderr)
}
