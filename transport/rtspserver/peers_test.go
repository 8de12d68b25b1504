package rtspserver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/transport/transporttest"
)

// programs are those that nobody here wrote.
var programs = map[string]testenv.Condition{"ffmpeg": testenv.FFmpeg, "ffprobe": testenv.FFprobe, "gst-launch-1.0": testenv.GStreamer}

// tool is one of them.
func tool(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(ctx, testenv.Path(t, programs[name]), args...)
}

// run returns what the program says.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	require.NoError(t, err, out.String())
	return out.String()
}

// filmOf has FFmpeg draw a film of a size.
func filmOf(t *testing.T, width, height int) film {
	t.Helper()
	cmd := tool(transporttest.Context(t), t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=%dx%d:rate=25", width, height),
		"-frames:v", "25", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "5", "-x264-params", "aud=1:sliced-threads=0", "-f", "h264", "-")
	raw, err := cmd.Output()
	require.NoError(t, err)
	return film{units: split(raw), width: width, height: height}
}

// pulls are what other programs are told in order to watch; they end after some
// pictures.
func pulls(r *rig, pictures int) map[string][]string {
	url, n := r.url("rtsp", mine, camera), fmt.Sprint(pictures)
	plain := "location=rtsp://" + r.addr + "/" + camera
	gst := func(protocols string) []string {
		return []string{
			"gst-launch-1.0", "rtspsrc", plain, "user-id=" + user, "user-pw=" + password, "protocols=" + protocols, "latency=0", "!",
			"rtph264depay", "!", "h264parse", "!", "avdec_h264", "!", "fakesink", "num-buffers=" + n,
		}
	}
	return map[string][]string{
		"FFmpeg over TCP":    {"ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-frames:v", n, "-f", "null", "-"},
		"FFmpeg over UDP":    {"ffmpeg", "-v", "error", "-rtsp_transport", "udp", "-i", url, "-frames:v", n, "-f", "null", "-"},
		"GStreamer over TCP": gst("tcp"),
		"GStreamer over UDP": gst("udp"),
	}
}

func TestOtherProgramsPlay(t *testing.T) {
	r := start(t, Options{})
	r.show(t, filmOf(t, 320, 240))
	for name, args := range pulls(r, 15) {
		t.Run(name, func(t *testing.T) { run(t, tool(transporttest.Context(t), t, args[0], args[1:]...)) })
	}
	require.GreaterOrEqual(t, r.Counts().Played, uint64(1))
}

func TestOtherProgramsPlayOverTLS(t *testing.T) {
	r := start(t, Options{TLS: certificate(t)})
	r.show(t, filmOf(t, 320, 240))
	url := r.url("rtsps", mine, camera)
	t.Run("FFmpeg", func(t *testing.T) {
		run(t, tool(transporttest.Context(t), t, "ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-frames:v", "15", "-f", "null", "-"))
	})
	t.Run("GStreamer", func(t *testing.T) {
		run(t, tool(transporttest.Context(t), t, "gst-launch-1.0", "rtspsrc", "location=rtsps://"+r.addr+"/"+camera, "user-id="+user, "user-pw="+password,
			"protocols=tcp", "tls-validation-flags=0", "latency=0", "!", "rtph264depay", "!", "h264parse", "!", "avdec_h264", "!", "fakesink", "num-buffers=15"))
	})
}

func TestFFprobeFindsWhatRecordersNeed(t *testing.T) {
	r := start(t, Options{})
	r.show(t, filmOf(t, 320, 240))
	out := run(t, tool(transporttest.Context(t), t, "ffprobe", "-v", "error", "-rtsp_transport", "tcp",
		"-show_entries", "stream=codec_name,width,height,has_b_frames", "-of", "default=nokey=0:noprint_wrappers=1", r.url("rtsp", mine, camera)))
	for _, want := range []string{"codec_name=h264", "width=320", "height=240", "has_b_frames=0"} {
		require.Contains(t, out, want)
	}
}

func TestOtherProgramsAreRefusedWithAWrongPassword(t *testing.T) {
	r := start(t, Options{})
	r.show(t, filmOf(t, 320, 240))
	var out bytes.Buffer
	cmd := tool(transporttest.Context(t), t, "ffmpeg", "-v", "error", "-rtsp_transport", "tcp",
		"-i", r.url("rtsp", user+":wrong", camera), "-frames:v", "1", "-f", "null", "-")
	cmd.Stderr = &out
	require.Error(t, cmd.Run())
	require.Contains(t, out.String(), "401")
	require.Zero(t, r.Counts().Played)
}

// Both programs end when the size changes, as a recorder does that then connects
// again; a new client sees the new size.
func TestOtherProgramsEndWhenTheSizeChanges(t *testing.T) {
	r := start(t, Options{})
	stop := r.show(t, filmOf(t, 320, 240))
	type player struct {
		cmd *exec.Cmd
		out io.Reader
	}
	var playing []player
	ctx := transporttest.Context(t)
	for name, args := range pulls(r, 1_000_000) {
		if !testenv.Has(t, programs[args[0]]) || name == "FFmpeg over UDP" || name == "GStreamer over UDP" {
			continue // over UDP the end of the control connection is all that tells them
		}
		p := player{cmd: tool(ctx, t, args[0], args[1:]...)}
		var err error
		p.out, err = p.cmd.StderrPipe()
		require.NoError(t, err)
		p.cmd.Stdout = p.cmd.Stderr
		require.NoError(t, p.cmd.Start())
		playing = append(playing, p)
	}
	transporttest.Eventually(t, func() bool {
		return int(r.Counts().Played) == len(playing) && r.hubs.Viewers(camera) == len(playing) //nolint:gosec // few
	}, "all play")
	stop()
	r.show(t, filmOf(t, 480, 352))
	for _, p := range playing {
		// FFmpeg ends. GStreamer says that the connection was closed, and stays.
		for lines := bufio.NewScanner(p.out); lines.Scan(); {
			if strings.Contains(lines.Text(), "closed the connection") {
				_ = p.cmd.Process.Kill()
			}
		}
		_ = p.cmd.Wait()
	}
	require.NoError(t, ctx.Err(), "a program was not told that the session is over")
	out := run(t, tool(transporttest.Context(t), t, "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=width", "-of", "csv=p=0",
		r.url("rtsp", mine, camera)))
	require.Contains(t, out, "480")
}
