package pipeline

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/redact/yuv"
	"scrim/transport"
)

// newInput returns a decode stage of a pipeline that does not run, with one unit
// under way.
func newInput(t *testing.T) (*input, *yuv.Image) {
	t.Helper()
	obscurer, detector := newParts(t)
	p, err := New(Options{Camera: "door", Detector: detector, Tracker: newTracker(0), Obscurer: obscurer, Sink: noSink, Log: noLog})
	require.NoError(t, err)
	im, err := yuv.New(width, height)
	require.NoError(t, err)
	chain := p.gate.Chain()
	return &input{p: p, chain: chain, whole: true, pending: map[int64]*unit{1: {chain: chain}}}, im
}

func TestOnlyWholePicturesOfTheChainReachTheRedactor(t *testing.T) {
	for name, c := range map[string]struct {
		id     int64
		change func(*input, *decode.Picture)
		passes bool
		shuts  bool
	}{
		"good":                    {1, func(*input, *decode.Picture) {}, true, false},
		"decoder knows of damage": {1, func(_ *input, p *decode.Picture) { p.Corrupt = true }, false, true},
		"of no unit":              {2, func(*input, *decode.Picture) {}, false, true},
		"of an older chain":       {1, func(in *input, _ *decode.Picture) { in.breakChain(transport.FaultLoss, "packet loss") }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			in, im := newInput(t)
			pic := decode.Picture{ID: c.id, Image: im}
			c.change(in, &pic)
			chain := in.p.gate.Chain()
			require.NoError(t, in.picture(pic))
			d, ok, _ := in.p.pictures.try()
			require.Equal(t, c.passes, ok)
			if ok {
				require.True(t, d.pic.Complete)
				return
			}
			require.Equal(t, uint64(1), in.p.counts.picturesWithheld.Load())
			require.Equal(t, c.shuts, in.p.gate.Chain() != chain)
			back, err := in.p.pool.Get(width, height)
			require.NoError(t, err)
			require.Same(t, im, back, "the picture is lost to the pool")
		})
	}
}

// sliced codes pictures of c with four slices each, by the ffmpeg program.
func sliced(t *testing.T, c *camera, n int) []transport.CameraUnit {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("the ffmpeg program is not installed; `make deps` installs it")
	}
	var raw, out, errs bytes.Buffer
	units := make([]transport.CameraUnit, n)
	for i := range units {
		im, now := c.draw()
		for _, plane := range []struct {
			b            []byte
			stride, w, h int
		}{{im.Y, im.YStride, im.Width, im.Height}, {im.U, im.CStride, im.Width / 2, im.Height / 2}, {im.V, im.CStride, im.Width / 2, im.Height / 2}} {
			for y := range plane.h {
				raw.Write(plane.b[y*plane.stride:][:plane.w])
			}
		}
		units[i] = transport.CameraUnit{Codec: transport.H264, PTS: c.pts, Captured: now, Arrived: now}
	}
	cmd := exec.Command(ffmpeg, "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", c.w, c.h), "-r", "25", "-i", "-",
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params", "slices=4:sliced-threads=0:keyint=infinite:scenecut=0",
		"-bsf:v", "h264_metadata=aud=insert,filter_units=remove_types=6", "-f", "h264", "-")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &raw, &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	parts := bytes.Split(out.Bytes(), []byte{0, 0, 0, 1, 9})[1:]
	require.Len(t, parts, n)
	for i, p := range parts {
		units[i].Data = append([]byte{0, 0, 0, 1, 9}, p...)
	}
	return units
}

func TestPictureThatLacksASliceIsNotShown(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	units := sliced(t, c, 6)
	for i, u := range units[:3] {
		r.send(u)
		r.untilLive(uint32(i + 1)) //nolint:gosec // small
	}
	var nalus h264.AnnexB
	require.NoError(t, nalus.Unmarshal(units[3].Data))
	slices := 0
	for i, n := range nalus {
		if n[0]&0x1f == byte(h264.NALUTypeNonIDR) {
			if slices++; slices == 3 {
				nalus = append(nalus[:i:i], nalus[i+1:]...)
				break
			}
		}
	}
	require.Equal(t, 3, slices)
	var err error
	units[3].Data, err = nalus.Marshal()
	require.NoError(t, err)
	for _, u := range units[3:] {
		r.send(u)
	}
	o, _ := r.next()
	require.Equal(t, transport.StateObscured, o.State)
	r.slate(o.Reason)
	r.live(c, 2, true)
}

// Until an IDR comes nothing can be shown, so nothing is decoded and inspected,
// whoever shut the gate.
func TestUnitsAreSkippedUntilAnIDRAfterAnotherStageShutTheGate(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.live(c, 2, true)
	calls := r.detector.calls.Load()
	r.p.Input("camera unreachable")
	for range 3 {
		r.send(c.unit(false))
	}
	last := r.live(c, 1, true)
	require.Equal(t, calls+1, r.detector.calls.Load(), "pictures that cannot be shown were inspected")
	require.Equal(t, uint64(3), last.Record.Picture)
	require.Equal(t, uint64(3), last.Counts.PicturesWithheld)
}

// A new SPS ends the chain: what follows refers to pictures that the new decoder
// has not got.
func TestNewFormatShutsTheGateUntilAnIDR(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.live(c, 2, true)
	chain := r.p.gate.Chain()
	other := newCamera(t, 400, 300)
	other.pts, other.n = c.pts, 100
	var first, second h264.AnnexB
	require.NoError(t, first.Unmarshal(other.unit(true).Data))
	u := other.unit(false)
	require.NoError(t, second.Unmarshal(u.Data))
	calls := r.detector.calls.Load()
	var err error
	u.Data, err = append(h264.AnnexB{first[0], first[1]}, second...).Marshal() // SPS, PPS, P slice
	require.NoError(t, err)
	r.send(u)
	o, _ := r.next()
	require.Equal(t, transport.StateObscured, o.State)
	require.Equal(t, "the camera's picture format has changed", o.Reason)
	require.Equal(t, chain+1, r.p.gate.Chain())
	require.Equal(t, calls, r.detector.calls.Load())
	o = r.live(other, 1, true)
	require.Equal(t, 400, o.Width)

	chain = r.p.gate.Chain()
	c.pts = other.pts
	r.live(c, 1, true) // an IDR of the other size: at once, and in another chain
	require.Equal(t, chain+1, r.p.gate.Chain())
}
