package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/decode"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/simcam"
)

// go2rtc runs go2rtc with a stream and returns the stream's RTSP URL.
func go2rtc(t *testing.T, source string) string {
	t.Helper()
	path := testenv.Path(t, testenv.Go2RTC)
	port := freePort(t)
	file := writeFile(t, "go2rtc.yaml", fmt.Sprintf(`
api:
  listen: ""
webrtc:
  listen: ""
rtsp:
  listen: 127.0.0.1:%d
streams:
  peer: %s
`, port, source))
	startAt(t, path, "-config", file)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	ctx := deadline(t, limit)
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			return "rtsp://" + address + "/peer"
		}
		require.NoError(t, ctx.Err(), "go2rtc does not listen")
	}
}

// TestPeerPullsOurWHEP has go2rtc watch a camera as a viewer and serve the video again;
// ffprobe reads that.
func TestPeerPullsOurWHEP(t *testing.T) {
	s := newSite(t, simcam.Options{Scene: drawnScene}, "")
	ctx := deadline(t, 3*time.Minute)
	s.live(ctx, t)
	probePeer(ctx, t, go2rtc(t, "webrtc:"+s.base+"/whep/door"))
}

// TestPeerPullsTheRedactedCamera has go2rtc record a camera's redacted stream.
func TestPeerPullsTheRedactedCamera(t *testing.T) {
	s, rtsp, _ := serveRTSP(t)
	ctx := deadline(t, 3*time.Minute)
	s.awaitLive(ctx, "door")
	probePeer(ctx, t, go2rtc(t, strings.Replace(rtsp, "rtsp://", "rtsp://nvr:s3cret@", 1)+"/door"))
}

// probePeer has ffprobe read a redacted camera from go2rtc.
func probePeer(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	ffprobe := testenv.Path(t, testenv.FFprobe)
	cmd := exec.CommandContext(ctx, ffprobe, "-v", "error", "-rtsp_transport", "tcp", "-count_frames", "-read_intervals", "%+3",
		"-show_entries", "stream=codec_name,profile,width,height,nb_read_frames,has_b_frames", "-of", "json", url)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	var probed struct {
		Streams []struct {
			Codec   string `json:"codec_name"`
			Profile string `json:"profile"`
			Width   int    `json:"width"`
			Height  int    `json:"height"`
			B       int    `json:"has_b_frames"`
			Frames  string `json:"nb_read_frames"`
		} `json:"streams"`
	}
	start := 0
	for start < len(out) && out[start] != '{' { // after warnings of ffprobe
		start++
	}
	require.NoError(t, json.Unmarshal(out[start:], &probed), string(out))
	require.Len(t, probed.Streams, 1, "a redacted stream has video and nothing else: %s", out)
	v := probed.Streams[0]
	require.Equal(t, "h264", v.Codec)
	require.Equal(t, "Constrained Baseline", v.Profile)
	require.Equal(t, [2]int{drawnScene.Width, drawnScene.Height}, [2]int{v.Width, v.Height})
	require.Zero(t, v.B)
	var frames int
	_, err = fmt.Sscan(v.Frames, &frames)
	require.NoError(t, err)
	require.GreaterOrEqual(t, frames, 10)
}

// TestWorkerIngestsAPeersStream reads a camera's stream from go2rtc, a foreign RTSP
// server.
func TestWorkerIngestsAPeersStream(t *testing.T) {
	cam, err := simcam.Start(simcam.Options{Listen: "127.0.0.1:0", Scene: drawnScene})
	require.NoError(t, err)
	t.Cleanup(cam.Close)
	s := siteOf(t, go2rtc(t, cam.URL()), "", cam)
	ctx := deadline(t, 3*time.Minute)
	status := s.live(ctx, t)
	require.Equal(t, drawnScene.Width, status.Width)
	v := watch(ctx, t, s.base, "door")
	numbers := readNumbers(ctx, t, v, 30)
	for i, n := range numbers[1:] {
		require.Greater(t, n, numbers[i])
	}
}

// readNumbers decodes the viewer's video and returns the numbers of count pictures.
func readNumbers(ctx context.Context, t *testing.T, v *viewer, count int) []uint32 {
	t.Helper()
	dec, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer dec.Close()
	var numbers []uint32
	for id := int64(1); len(numbers) < count; id++ {
		sample, err := v.next(ctx)
		require.NoError(t, err)
		require.NoError(t, dec.Decode(sample.data, id, func(p decode.Picture) error {
			if s, err := stamptest.Read(p.Image); err == nil {
				numbers = append(numbers, s.Number)
			}
			return nil
		}))
	}
	return numbers
}
