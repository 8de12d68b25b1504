package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/redact/yuv"
	"scrim/transport"
)

// newInput returns a decode stage of a pipeline that does not run, with one unit in
// the decoder.
func newInput(t *testing.T) (*input, *yuv.Image) {
	t.Helper()
	obscurer, detector := newParts(t)
	p, err := New(Options{Camera: "door", Detector: detector, Tracker: newTracker(0), Obscurer: obscurer, Sink: noSink, Log: noLog})
	require.NoError(t, err)
	im, err := yuv.New(width, height)
	require.NoError(t, err)
	generation := p.gate.Generation()
	return &input{p: p, open: decode.New, sequence: sequence{generation: generation, whole: true}, pending: map[int64]*job{1: {generation: generation}}}, im
}

func TestOnlyWholePicturesOfTheGenerationReachTheRedactor(t *testing.T) {
	for name, c := range map[string]struct {
		id     int64
		change func(*input, *decode.Picture)
		passes bool
		shuts  bool
	}{
		"good":                    {1, func(*input, *decode.Picture) {}, true, false},
		"decoder knows of damage": {1, func(_ *input, p *decode.Picture) { p.Corrupt = true }, false, true},
		"of no unit":              {2, func(*input, *decode.Picture) {}, false, true},
		"of an older generation":  {1, func(in *input, _ *decode.Picture) { in.endGeneration(cause(transport.FaultLoss, "packet loss")) }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			in, im := newInput(t)
			pic := decode.Picture{ID: c.id, Image: im}
			c.change(in, &pic)
			generation := in.p.gate.Generation()
			require.NoError(t, in.picture(pic))
			d, ok, _ := in.p.pictures.try()
			require.Equal(t, c.passes, ok)
			if ok {
				require.True(t, d.pic.Complete)
				return
			}
			require.Equal(t, uint64(1), in.p.counts.picturesWithheld.Load())
			require.Equal(t, c.shuts, in.p.gate.Generation() != generation)
			back, err := in.p.pool.Get(width, height)
			require.NoError(t, err)
			require.Same(t, im, back, "the picture is lost to the pool")
		})
	}
}

// sliced codes pictures of c with four slices each, with the ffmpeg program.
func sliced(t *testing.T, c *testCamera, n int) []transport.CameraUnit {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
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

// Until an IDR comes nothing can be shown, so nothing is decoded or inspected, no matter
// which stage shut the gate.
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

// A new SPS ends the generation: what follows refers to pictures that the new decoder
// does not have.
func TestNewFormatShutsTheGateUntilAnIDR(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.live(c, 2, true)
	generation := r.p.gate.Generation()
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
	require.Equal(t, causeFormat.Text, o.Reason)
	require.Equal(t, generation+1, r.p.gate.Generation())
	require.Equal(t, calls, r.detector.calls.Load())
	o = r.live(other, 1, true)
	require.Equal(t, 400, o.Width)

	generation = r.p.gate.Generation()
	c.pts = other.pts
	r.live(c, 1, true) // an IDR of the other size: at once, and in another generation
	require.Equal(t, generation+1, r.p.gate.Generation())
}

// stage is a new decode stage by itself, and its output.
type stage struct {
	*input
	t *testing.T
}

func newStage(t *testing.T) *stage {
	in, _ := newInput(t)
	in.whole = false
	clear(in.pending)
	return &stage{in, t}
}

// send decodes a unit and returns the pictures that may be shown, luma by the PTS.
func (s *stage) send(u transport.CameraUnit) map[int64][]byte {
	s.unit(u)
	shown := make(map[int64][]byte)
	for {
		d, ok, _ := s.p.pictures.try()
		if !ok {
			return shown
		}
		require.True(s.t, d.pic.Complete)
		var luma []byte
		for y := range d.pic.Image.Height {
			luma = append(luma, d.pic.Image.Y[y*d.pic.Image.YStride:][:d.pic.Image.Width]...)
		}
		shown[d.unit.PTS] = luma
		s.p.pool.Put(d.pic.Image)
	}
}

// Wherever a generation ends before a key frame of an open GOP, everything shown is
// as the camera coded it, and only the RASL pictures of the key frame are missing.
func TestH265ThatBeginsAnewAtEveryKeyFrameShowsWhatTheCameraCoded(t *testing.T) {
	t.Parallel()
	c := newCamera(t, width, height)
	units := hevcUnits(t, c, 90, "keyint=16:min-keyint=16:bframes=7:rc-lookahead=10:b-adapt=0:b-pyramid=1:ref=4:open-gop=1")
	whole := make(map[int64][]byte)
	s := newStage(t)
	for _, u := range units {
		maps.Copy(whole, s.send(u))
	}
	s.close()
	require.Greater(t, len(whole), len(units)-10)
	// A generation ends at every key frame, or at every second, so that the RASL
	// pictures of the others are decoded.
	for _, every := range []int{1, 2} {
		for _, before := range []int{0, 1, 5} { // units between the break and the key frame
			s := newStage(t)
			breaks := make(map[int]bool)
			keys := 0
			for i, u := range units {
				if info, err := bitstream.Inspect(transport.H265, u.Data); err != nil || !info.Key {
					require.NoError(t, err)
					continue
				}
				if keys++; keys > 1 && keys%every == 0 {
					breaks[i-before] = true
				}
			}
			require.Greater(t, keys, 4)
			shown := 0
			for i, u := range units {
				if breaks[i] {
					u.Gap = transport.Gap{Kind: transport.GapLoss, Text: "packet loss", Intact: true}
				}
				generation := s.generation
				out := s.send(u)
				for _, p := range s.pending {
					require.True(t, p.generation == s.generation || !s.whole, "a picture from before unit %d is under way", i)
				}
				for pts, luma := range out {
					require.Equal(t, whole[pts], luma, "%d before every %d: a wrong picture at unit %d", before, every, i)
					shown++
				}
				if breaks[i] {
					generation++
				}
				require.Equal(t, generation, s.generation, "%d before every %d: unit %d ends the generation", before, every, i)
			}
			withheld := int(s.p.counts.picturesWithheld.Load()) //nolint:gosec // small
			require.Len(t, units, shown+withheld+len(s.pending), "every picture is shown, withheld or under way")
			require.Greater(t, shown, 10)
			s.close()
		}
	}
}

// A key frame need not repeat parameter sets; those from a withheld unit count.
func TestH265ParameterSetsOfAWithheldUnitAreKept(t *testing.T) {
	t.Parallel()
	c := newCamera(t, width, height)
	units := hevcUnits(t, c, 9, "keyint=4:min-keyint=4:bframes=0:open-gop=0")
	s := newStage(t)
	defer s.close()
	first, err := bitstream.Inspect(transport.H265, units[0].Data)
	require.NoError(t, err)
	key, err := bitstream.Inspect(transport.H265, units[4].Data)
	require.NoError(t, err)
	sets := first.Sets()
	require.NotEmpty(t, sets)
	units[3].Data = append(bytes.Clone(sets), units[3].Data[bytes.LastIndex(units[3].Data, []byte{0, 0, 0, 1}):]...)
	require.True(t, bytes.HasPrefix(key.Data, sets))
	units[4].Data = key.Data[len(sets):]
	shown := 0
	for _, u := range units[3:8] {
		shown += len(s.send(u))
	}
	require.EqualValues(t, 1, s.p.counts.picturesWithheld.Load())
	require.GreaterOrEqual(t, shown, 3)
	require.True(t, s.whole)
	require.Empty(t, s.sets, "the key frame took them")
}

// If no decoder can be opened for a new format the camera recovers at the next SPS, even
// at that of the previous format.
func TestDecoderThatCannotBeMadeIsMadeForTheNextSPSWhicheverItIs(t *testing.T) {
	t.Parallel()
	c, other := newCamera(t, width, height), newCamera(t, 400, 300)
	s := newStage(t)
	defer s.close()
	require.Len(t, s.send(c.unit(true)), 1)
	s.open = func(decode.Options) (*decode.Decoder, error) { return nil, errors.New("out of memory") }
	for range 2 {
		other.pts = c.pts
		generation := s.generation
		require.Empty(t, s.send(other.unit(true)))
		require.Equal(t, generation+1, s.generation)
		_, _, why := s.p.gate.State()
		require.Equal(t, "decoder: out of memory", why.Text)
		c.pts = other.pts
		require.Empty(t, s.send(c.unit(false)), "without an SPS there is nothing to begin with")
	}
	s.open = decode.New
	epoch := s.epoch
	require.Len(t, s.send(c.unit(true)), 1)
	require.Equal(t, epoch+1, s.epoch)
	require.Len(t, s.send(c.unit(false)), 1)
	other.pts = c.pts
	require.Len(t, s.send(other.unit(true)), 1)
}
