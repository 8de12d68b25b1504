package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/simcam"
	"scrim/transport"
)

// The secrets of a site, each with a unique middle.
const (
	cameraSecret = "s1-hidden-camera"
	urlSecret    = "s2-hidden-url"
	viewerSecret = "s3-hidden-viewer"
	natsSecret   = "s4-hidden-nats"
	rtspSecret   = "s5-hidden-rtsp"
	flagSecret   = "s6-hidden-flag"
	wrongPlace   = "s7-hidden-plain"
	secretMark   = "-hidden-"
)

// TestSecretsAreNotDisclosed has a site with secrets of all kinds do everything that is
// logged or shown, at log level debug.
func TestSecretsAreNotDisclosed(t *testing.T) {
	cam := smallCamera(t, simcam.Options{User: "viewer", Password: cameraSecret})
	dir := t.TempDir()
	for name, text := range map[string]string{"camera": cameraSecret, "token": viewerSecret, "nats": natsSecret} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600))
	}
	text := fmt.Sprintf(`
site: test
nats: {listen: '127.0.0.1:0', user: plant, password: 'file:%[1]s/nats'}
http: {listen: '127.0.0.1:0', token: 'file:%[1]s/token'}
rtsp_server: {listen: '127.0.0.1:0', users: [{name: nvr, password: 'env:RTSP_SECRET'}]}
cameras:
  - {name: good, url: '%[2]s', user: viewer, password: 'file:%[1]s/camera'}
  - {name: inside, url: 'rtsp://viewer:%[3]s@127.0.0.1:1/live?token=%[3]s'}
  - {name: refused, url: '%[2]s'}
`, dir, cam.URL(), urlSecret)
	file := writeFile(t, "scrim.yaml", text)
	refusedURL := strings.Replace(cam.URL(), "rtsp://", "rtsp://viewer:"+flagSecret+"@", 1)
	env := []string{"RTSP_SECRET=" + rtspSecret, "SCRIM_CAMERAS_REFUSED_URL=" + refusedURL}
	p := startAt(t, "/usr/bin/env", append(env, scrimPath(t), "--log-level", "debug", "serve", file)...)
	s := &server{program: p, base: p.expect(`url=(http://\S+)`)}
	ctx := deadline(t, waiting)
	get := func(path string) string {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+viewerSecret)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		if strings.HasSuffix(path, "events") { // endless
			line, err := bufio.NewReader(res.Body).ReadString('}')
			require.NoError(t, err)
			return line
		}
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return string(body)
	}
	s.awaitLine(ctx, `camera=inside error=.*rtsp://127.0.0.1:1/live\?token=\*\*\*: connection refused`)
	s.awaitLine(ctx, `camera=refused error=.*refuses user or password`)
	s.awaitLine(ctx, `camera=good state=live`)

	// Mistakes in a file that is reloaded.
	for broken, line := range map[string]string{
		strings.Replace(text, "'file:"+dir+"/camera'", wrongPlace, 1):                               `rejected.*must be env:NAME or file:PATH`,
		strings.Replace(text, "rtsp://viewer:"+urlSecret+"@", "rtsp://viewer:"+wrongPlace+"/#@", 1): `rejected.*percent-encode`,
	} {
		require.NoError(t, os.WriteFile(file, []byte(broken), 0o600))
		s.awaitLine(ctx, line)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte("another"+secretMark+"one"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(text, "?token", "?again&token", 1)), 0o600))
	s.awaitLine(ctx, `msg="camera settings changed" camera=inside changed=url`)
	s.awaitLine(ctx, `settings=http.token`)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	s.awaitLine(ctx, `msg="configuration unchanged"`)

	shown := map[string]string{}
	for _, path := range []string{"/", "/api/cameras", "/api/events", "/metrics", "/healthz"} {
		shown[path] = get(path)
	}
	require.Contains(t, shown["/metrics"], `camera="inside"`)
	require.Contains(t, shown["/api/cameras"], string(transport.StateLive))
	for _, args := range [][]string{{"config", "check", file}, {"config", "env", file}, {"audit", "--quiet", file}} {
		cmd := exec.CommandContext(ctx, scrimPath(t), args...) //nolint:gosec // of the tests
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		shown[strings.Join(args, " ")] = string(out)
	}
	for _, pid := range redactors(t, p.cmd.Process.Pid) {
		for _, name := range []string{"cmdline", "environ"} {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if err == nil { // a redactor protects its own
				shown[fmt.Sprintf("redactor's %s", name)] += string(b)
			}
		}
	}
	p.end(syscall.SIGTERM)
	shown["log"] = p.output()
	for where, text := range shown {
		require.NotEmpty(t, text, where)
		require.NotContains(t, text, secretMark, where)
	}
}
