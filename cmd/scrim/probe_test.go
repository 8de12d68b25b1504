package main

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/audit"
	"scrim/models/testenv"
	"scrim/pipeline/probe"
	"scrim/transport/onvif/discovery"
)

// closedPort is an address at which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return ln.Addr().String()
}

func TestProbeOfAnUnreachableCameraIsOneLineAndStatusOne(t *testing.T) {
	address := closedPort(t)
	t.Setenv("PROBE_PASSWORD", "hunter2")
	for _, args := range [][]string{
		{"probe", "rtsp://u:hunter2@" + address + "/x", "--onvif", "none"},
		{"probe", address, "--onvif", "none"},
		{"probe", address, "--user", "u", "--password", "env:PROBE_PASSWORD"},
		{"probe", address, "--user", "u"},
		{"probe", address, "--user", "u", "--password", "env:PROBE_NOT_SET"},
		{"probe", "http://" + address},
		{"probe"},
		{"discover"},
		{"discover", "--interface", "no-such"},
		{"discover", "--interface", "lo", "--timeout", "1h"},
		{"audit", filepath.Join(t.TempDir(), "missing.yaml")},
	} {
		status, stdout, stderr := scrim(t, args...)
		require.Equal(t, 1, status, "%q", args)
		require.Empty(t, stdout, "%q", args)
		require.Regexp(t, `^scrim: [^\n]+\n$`, stderr, "%q", args)
		require.NotContains(t, stderr, "hunter2")
	}
}

func TestProbeWithAFatalProblemPrintsItsReportAndFails(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	web.Start()
	defer web.Close()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	for name, args := range map[string][]string{
		"no RTSP":              {"rtsp://" + web.Listener.Addr().String() + "/x"},
		"no RTSP, host alone":  {web.Listener.Addr().String()},
		"certificate mismatch": {"rtsps://" + secure.Listener.Addr().String() + "/x", "--fingerprint", strings.Repeat("0a", 32)},
	} {
		args = append([]string{"probe", "--onvif", "none"}, args...)
		status, stdout, stderr := scrim(t, args...)
		require.Equal(t, 1, status, name)
		require.Contains(t, stdout, "\nfatal: ", name)
		require.Contains(t, stdout, "\n\nno configuration for scrim.yaml, because", name)
		require.NotContains(t, stdout, "cameras:", name)
		require.Empty(t, stderr, "%s: the report has said it", name)
		status, stdout, stderr = scrim(t, append(args, "--json")...)
		require.Equal(t, 1, status, name)
		var r probe.Report
		require.NoError(t, json.Unmarshal([]byte(stdout), &r), name)
		require.Empty(t, r.YAML, name)
		require.NotEmpty(t, r.NoYAML, name)
		require.Empty(t, stderr, name)
	}
	status, _, stderr := scrim(t, "probe", "rtsps://127.0.0.1:1/", "--ca", filepath.Join(t.TempDir(), "missing"))
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "scrim: --ca: ")
}

func TestDiscoveryWithoutAnswersIsNotAnError(t *testing.T) {
	testenv.Need(t, testenv.Multicast)
	status, stdout, stderr := scrim(t, "discover", "--interface", "lo", "--timeout", "10ms", "--json")
	require.Zero(t, status, stderr)
	var found []discovery.Device
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
}

func TestAuditListsCamerasOfAFileInEveryFormat(t *testing.T) {
	address := closedPort(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "scrim.yaml")
	require.NoError(t, os.WriteFile(file, []byte("site: a\naudit:\n  flag_vendors: [acme]\ncameras:\n  - name: hall\n    url: rtsp://"+address+
		"/\n    user: u\n    password: env:AUDIT_NOT_SET\n"), 0o600))
	list := filepath.Join(dir, "vendors")
	require.NoError(t, os.WriteFile(list, []byte("dahua\n"), 0o600))

	status, stdout, stderr := scrim(t, "audit", file, "--format", "json", "--onvif-port", "1")
	require.Equal(t, 0, status, stderr)
	var r audit.Result
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Len(t, r.Cameras, 1)
	require.Equal(t, "hall", r.Cameras[0].Name)
	require.Contains(t, stdout, "AUDIT_NOT_SET is not set; querying the camera without a password")

	status, stdout, _ = scrim(t, "audit", file, "--quiet", "--flag-vendors", list)
	require.Equal(t, 0, status)
	require.Contains(t, stdout, "0 of 1 cameras are of flagged vendors")
	status, stdout, _ = scrim(t, "audit", file, "--quiet", "--format", "csv", "--isolate", "all")
	require.Equal(t, 0, status)
	require.Contains(t, stdout, "hall,rtsp://"+address+"/,127.0.0.1,")

	require.NoError(t, os.WriteFile(list, []byte("\x00\n"), 0o600))
	status, _, stderr = scrim(t, "audit", file, "--quiet", "--flag-vendors", list)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "line 1: invalid vendor name")
}
