package probe

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/simcam"
	"scrim/transport/onvif"
)

// freePort returns a port without a listener.
func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// TestPeerIsFoundByItsONVIF probes go2rtc, a foreign implementation of RTSP and ONVIF.
func TestPeerIsFoundByItsONVIF(t *testing.T) {
	program := testenv.Path(t, testenv.Go2RTC)
	cam := camera(t, simcam.Options{})
	api, rtsp := freePort(t), freePort(t)
	file := filepath.Join(t.TempDir(), "go2rtc.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "api:\n  listen: 127.0.0.1:%d\nwebrtc:\n  listen: \"\"\nrtsp:\n  listen: 127.0.0.1:%d\n"+
		"streams:\n  peer: %s\n", api, rtsp, cam.URL()), 0o600))
	cmd := exec.Command(program, "-config", file)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	address := fmt.Sprintf("127.0.0.1:%d", rtsp)
	service := fmt.Sprintf("http://127.0.0.1:%d/onvif/device_service", api)
	client, err := onvif.New(onvif.Config{Address: service})
	require.NoError(t, err)
	defer client.Close()
	// It listens before ONVIF works.
	for ready := false; !ready; {
		require.NoError(t, ctx.Err(), "go2rtc is not ready")
		var d net.Dialer
		if conn, err := d.DialContext(ctx, "tcp", address); err == nil {
			_ = conn.Close()
			_, err = client.Profiles(ctx)
			ready = err == nil
		}
	}
	r := run(t, Options{Target: address, For: 2 * time.Second, ONVIF: service})
	require.NotNil(t, r.Device)
	require.Equal(t, "go2rtc", r.Device.Model)
	require.NotEmpty(t, r.Device.Profiles)
	require.NotNil(t, r.Stream, "%v", r.Problems)
	require.Equal(t, [2]int{320, 180}, [2]int{r.Stream.Width, r.Stream.Height})
	require.False(t, r.weighs(Fatal), "%v", r.Problems)
}
