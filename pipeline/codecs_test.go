package pipeline

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/bitstream"
	"scrim/pipeline/ipc"
	"scrim/redact/yuv"
	"scrim/transport"
)

// coded codes the next n pictures of c with the ffmpeg program.
func coded(t *testing.T, c *testCamera, n int, codec transport.Codec, args ...string) []transport.CameraUnit {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	var raw, out, errs bytes.Buffer
	units := make([]transport.CameraUnit, n)
	for i := range units {
		im, now := c.draw()
		rawPicture(&raw, im)
		units[i] = transport.CameraUnit{Codec: codec, PTS: c.pts, Captured: now, Arrived: now}
	}
	cmd := exec.Command(ffmpeg, append(append([]string{
		"-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", c.w, c.h), "-r", "25", "-i", "-",
	}, args...), "-")...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &raw, &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	first := map[transport.Codec][]byte{transport.H264: {0, 0, 0, 1, 9}, transport.H265: {0, 0, 0, 1, 0x46, 1}, transport.MJPEG: {0xff, 0xd8}}[codec]
	parts := bytes.Split(out.Bytes(), first)[1:]
	require.Len(t, parts, n)
	for i, p := range parts {
		if units[i].Data = append(bytes.Clone(first), p...); codec == transport.MJPEG {
			units[i].Data = withoutHuffman(units[i].Data)
		}
	}
	return units
}

func rawPicture(raw *bytes.Buffer, im *yuv.Image) {
	for _, plane := range []struct {
		b            []byte
		stride, w, h int
	}{{im.Y, im.YStride, im.Width, im.Height}, {im.U, im.CStride, im.Width / 2, im.Height / 2}, {im.V, im.CStride, im.Width / 2, im.Height / 2}} {
		for y := range plane.h {
			raw.Write(plane.b[y*plane.stride:][:plane.w])
		}
	}
}

// withoutHuffman removes the tables that RTP does not carry.
func withoutHuffman(im []byte) []byte {
	for i := bytes.Index(im, []byte{0xff, 0xc4}); i >= 0; i = bytes.Index(im, []byte{0xff, 0xc4}) {
		im = append(im[:i:i], im[i+2+int(im[i+2])<<8+int(im[i+3]):]...)
	}
	return im
}

func hevcUnits(t *testing.T, c *testCamera, n int, params string) []transport.CameraUnit {
	t.Helper()
	return coded(t, c, n, transport.H265, "-c:v", "libx265", "-preset", "ultrafast", "-crf", "15", "-x265-params",
		"log-level=none:aud=1:repeat-headers=1:pools=1:frame-threads=1:scenecut=0:"+params, "-f", "hevc")
}

func mjpegUnits(t *testing.T, c *testCamera, n int) []transport.CameraUnit {
	t.Helper()
	return coded(t, c, n, transport.MJPEG, "-c:v", "mjpeg", "-huffman", "default", "-pix_fmt", "yuvj420p", "-q:v", "3", "-f", "mjpeg")
}

// A camera may begin to send anything at any time.
func TestChangeOfCodecIsAChangeOfFormatAndGoesOnRedacted(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.live(c, 2, true)
	epoch := r.epoch
	for _, codec := range []transport.Codec{transport.H265, transport.MJPEG, transport.H265, transport.H264} {
		from := c.n
		var units []transport.CameraUnit
		switch codec {
		case transport.H265:
			units = hevcUnits(t, c, 4, "keyint=4:bframes=0")
		case transport.MJPEG:
			units = mjpegUnits(t, c, 4)
		default:
			units = []transport.CameraUnit{c.unit(true), c.unit(false), c.unit(false), c.unit(false)}
		}
		r.send(units[0])
		r.slate(causeFormat.Text)
		r.untilLive(from + 1)
		require.Greater(t, r.epoch, epoch)
		epoch = r.epoch
		for i, u := range units[1:] {
			r.send(u)
			o, _ := r.next()
			require.Equal(t, transport.StateLive, o.State, "%s picture %d: %s", codec, i, o.Reason)
		}
	}
}

// A unit that cannot be distinguished from a picture of the other codec shows nothing,
// and neither do those that follow.
func TestUnitOfAnotherCodecWithoutParameterSetsEndsTheChain(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	other := newCamera(t, width, height)
	foreign := hevcUnits(t, other, 3, "keyint=10:bframes=0")[2]
	r.live(c, 2, true)
	r.send(foreign)
	r.slate(causeFormat.Text)
	r.send(c.unit(false))
	r.send(transport.CameraUnit{Codec: "av1", Data: []byte{0, 0, 1, 9}})
	r.slate("unsupported or damaged video: video is not supported: codec \"av1\"")
	r.live(c, 2, true)
}

// Decoding starts at the CRA picture of an open GOP. Its RASL pictures, which refer to
// earlier ones, are left out; all others are shown, in display order.
func TestH265BeginsAtACRAPictureWithoutItsRASLPictures(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	units := hevcUnits(t, c, 40, "keyint=12:min-keyint=12:bframes=3:b-adapt=0:open-gop=1:ref=3")
	join, rasl, keys := -1, 0, 0
	for i, u := range units {
		info, err := bitstream.Inspect(transport.H265, u.Data)
		require.NoError(t, err)
		if info.Key {
			keys++
		}
		if keys == 2 && join < 0 {
			join = i
		}
		if keys == 2 && info.RASL {
			rasl++
		}
	}
	require.Positive(t, rasl)
	for i, u := range units[join-2:] { // two that cannot be decoded come first
		if i == 0 {
			u.Gap = transport.Gap{Kind: transport.GapConnected, Text: "connected"}
		}
		r.send(u)
		r.send(transport.CameraUnit{Codec: u.Codec, PTS: u.PTS, Data: []byte{0, 0, 0, 1, 0x46, 1, 0x50}}) // taken when u is done with
		require.Eventually(t, r.p.rests, testTimeout, time.Millisecond)
	}
	r.end()
	live := 0
	for len(r.out) > 0 {
		if o, _ := r.next(); o.State == transport.StateLive {
			live++
		}
	}
	require.Equal(t, len(units)-join-rasl, live)
	require.EqualValues(t, 2+rasl, r.p.counts.picturesWithheld.Load())
}

// A slice that is missing or ends early is detected, although FFmpeg detects neither.
func TestH265PictureThatLacksPartsIsNotShown(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	from := c.n
	units := hevcUnits(t, c, 12, "keyint=4:min-keyint=4:bframes=0:open-gop=0:slices=3:ctu=16")
	parts := func(u transport.CameraUnit) (out [][]byte) {
		for _, p := range bytes.Split(u.Data, []byte{0, 0, 1})[1:] {
			out = append(out, bytes.TrimRight(p, "\x00"))
		}
		return out
	}
	join := func(parts [][]byte) (out []byte) {
		for _, p := range parts {
			out = append(append(out, 0, 0, 0, 1), p...)
		}
		return out
	}
	for _, group := range []struct {
		at     int
		change func(p [][]byte) [][]byte
	}{
		{1, func(p [][]byte) [][]byte { return append(p[:len(p)-2:len(p)-2], p[len(p)-1]) }}, // the midst one of three slices
		{5, func(p [][]byte) [][]byte { return p[:len(p)-1] }},
		{9, func(p [][]byte) [][]byte { last := p[len(p)-1]; p[len(p)-1] = last[:len(last)/2]; return p }},
	} {
		key := group.at - 1
		r.send(units[key])
		r.untilLive(from + uint32(key) + 1) //nolint:gosec // small
		u := units[group.at]
		u.Data = join(group.change(parts(u)))
		r.send(u)
		o, _ := r.next()
		require.Equal(t, transport.StateObscured, o.State, "unit %d", group.at)
		require.Contains(t, o.Reason, "parts of the picture are missing")
		r.send(units[group.at+1])
	}
	r.live(c, 1, true)
}

// A redactor that is confined as far as this kernel allows decodes every codec of
// cameras.
func TestConfinedRedactorDecodesEveryCodec(t *testing.T) {
	p := watch(t, func(*ipc.Config) {})
	p.until(transport.StateLive)
	status := p.camera.Status()
	t.Logf("holds: %v, missing: %v", status.Sandbox, status.SandboxMissing)
	c := newCamera(t, width, height)
	for _, units := range [][]transport.CameraUnit{
		hevcUnits(t, c, 6, "keyint=6:bframes=0:slices=2:ctu=16"), mjpegUnits(t, c, 6), hevcUnits(t, c, 12, "keyint=12:bframes=2:b-adapt=0:open-gop=1"),
	} {
		epoch := p.last.Epoch
		p.next.Store(&units)
		for p.last.Epoch == epoch {
			p.until(transport.StateLive)
		}
		for range 3 {
			p.until(transport.StateLive)
		}
	}
	require.Zero(t, p.camera.Status().Counters.Restarts, "the redactor was ended")
}
