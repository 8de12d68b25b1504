package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/pipeline/decode"
	"scrim/pipeline/internal/x264"
	"scrim/pipeline/ipc"
	"scrim/pipeline/scene/stamp"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/track"
	"scrim/redact/yuv"
	"scrim/transport"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if builtRedactors.dir != "" {
			_ = os.RemoveAll(builtRedactors.dir)
		}
		os.Exit(status)
	}))
}

const (
	testTimeout   = 20 * time.Second
	width, height = 320, 240
	// secret is the luma of the area secretBox, which must never be visible.
	secret = 235
)

var secretBox = geom.Box{X: 120, Y: 120, W: 48, H: 60}

// scripted is a detector that finds the secret, and whose faults a test chooses.
type scripted struct {
	err   atomic.Pointer[error]
	hang  atomic.Bool
	freed chan struct{} // closed to end a hang
	calls atomic.Int64
}

func (s *scripted) Detect(*yuv.Image) ([]face.Face, error) {
	s.calls.Add(1)
	if s.hang.Load() {
		<-s.freed
	}
	if err := s.err.Load(); err != nil {
		return nil, *err
	}
	return []face.Face{{Box: secretBox, Score: 0.9}}, nil
}
func (s *scripted) Info() redact.DetectorInfo { return redact.DetectorInfo{Name: "scripted"} }
func (s *scripted) Close() error              { return nil }

// testCamera makes the coded units of a camera.
type testCamera struct {
	room bool // it shows a room, not an even ground
	t    *testing.T
	enc  *x264.Encoder
	w, h int
	n    uint32
	pts  int64
}

func newCamera(t *testing.T, w, h int) *testCamera {
	enc, err := x264.New(x264.Options{Width: w, Height: h, KeyframeInterval: time.Hour, Bitrate: legible})
	require.NoError(t, err)
	t.Cleanup(enc.Close)
	return &testCamera{t: t, enc: enc, w: w, h: h}
}

// draw returns the next picture: a dark one with a number and a bright secret.
func (c *testCamera) draw() (*yuv.Image, time.Time) {
	im, err := yuv.New(c.w, c.h)
	require.NoError(c.t, err)
	im.Fill(60, 128, 128)
	if c.room {
		drawRoom(im)
	}
	for y := int(secretBox.Y); y < int(secretBox.Y+secretBox.H); y++ {
		for x := int(secretBox.X); x < int(secretBox.X+secretBox.W); x++ {
			im.Y[y*im.YStride+x] = secret
		}
	}
	c.n++
	c.pts += transport.ClockRate / 25
	now := time.Now()
	stamp.Draw(im, c.n, now)
	return im, now
}

// drawRoom draws a floor, a wall with light from one side, and things with edges, as a
// camera sees them: in an even picture it is not proved that a detector sees anything.
func drawRoom(im *yuv.Image) {
	for y := range im.Height {
		for x := range im.Width {
			v := 70 + 60*x/im.Width
			if y > im.Height*2/3 {
				v -= 35
			}
			if (x/40+y/30)%5 == 0 {
				v += 25
			}
			im.Y[y*im.YStride+x] = byte(v)
		}
	}
}

// unit returns the next unit.
func (c *testCamera) unit(key bool) transport.CameraUnit {
	im, now := c.draw()
	p, err := c.enc.Encode(im, c.pts, key)
	require.NoError(c.t, err)
	return transport.CameraUnit{Codec: transport.H264, PTS: c.pts, Captured: now, Arrived: now, Data: p.Data}
}

// seen is what came out of the pipeline.
type seen struct {
	ipc.Output
	data []byte
}

// rig is a pipeline that runs.
type rig struct {
	t        *testing.T
	p        *Pipeline
	detector *scripted
	out      chan seen
	done     chan error
	dec      *decode.Decoder
	epoch    uint64
	sink     atomic.Pointer[func()] // called once, with the next output in the sink
}

func start(t *testing.T) *rig { return startWith(t, 0, func(*Pipeline) {}) }

// startWith starts a pipeline with look-ahead; prepare may change it before.
func startWith(t *testing.T, lookahead int, prepare func(*Pipeline)) *rig {
	obscurer, err := obscure.New(obscure.Options{Style: obscure.Veil})
	require.NoError(t, err)
	r := &rig{t: t, detector: &scripted{freed: make(chan struct{})}, out: make(chan seen, 10000), done: make(chan error, 1)}
	r.p, err = New(Options{
		Camera: "door", Epoch: 7, Encode: ipc.EncodeConfig{Bitrate: legible},
		Detector: r.detector, Tracker: track.NewWindow(track.Options{}, lookahead), Obscurer: obscurer,
		Sink: func(head ipc.Output, data []byte) error {
			if f := r.sink.Swap(nil); f != nil {
				(*f)()
			}
			r.out <- seen{head, data}
			return nil
		},
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	prepare(r.p)
	go func() { r.done <- r.p.Run(context.Background()) }()
	t.Cleanup(func() {
		if r.dec != nil {
			r.dec.Close()
		}
	})
	return r
}

func (r *rig) end() {
	r.p.Close()
	require.NoError(r.t, <-r.done)
}

func (r *rig) send(u transport.CameraUnit) {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	require.NoError(r.t, r.p.Unit(ctx, u))
}

// next returns the next output, after checking it as a viewer sees it.
func (r *rig) next() (seen, *yuv.Image) {
	select {
	case o := <-r.out:
		if r.dec == nil || o.Epoch != r.epoch {
			require.True(r.t, o.Key, "an epoch begins with a key frame")
			require.Equal(r.t, uint64(1), o.Seq)
			if r.dec != nil {
				r.dec.Close()
			}
			var err error
			r.dec, err = decode.New(decode.Options{})
			require.NoError(r.t, err)
			r.epoch = o.Epoch
		}
		var im *yuv.Image
		require.NoError(r.t, r.dec.Decode(o.data, int64(o.Seq), func(p decode.Picture) error {
			im = p.Image
			return nil
		}))
		require.NotNil(r.t, im)
		require.Equal(r.t, [2]int{o.Width, o.Height}, [2]int{im.Width, im.Height})
		r.inspect(o, im)
		return o, im
	case <-time.After(testTimeout):
		r.t.Fatal("nothing comes out")
		return seen{}, nil
	}
}

// legible is a bit rate at which the stamp is legible in every picture. With the default
// for such small pictures it was smeared in some.
const legible = 8_000_000

// inspect fails the test if the secret is visible, or a slate shows more than text.
func (r *rig) inspect(o seen, im *yuv.Image) {
	_, err := stamptest.Read(im)
	if o.State == transport.StateObscured {
		require.Error(r.t, err, "a slate shows the camera's picture")
		return
	}
	require.NoError(r.t, err)
	b := secretBox.Rect().Inset(4)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			require.Less(r.t, im.Y[y*im.YStride+x], byte(140), "the secret is visible at %d, %d of picture %d", x, y, o.Seq)
		}
	}
}

// live sends units and waits for each, which must be shown.
func (r *rig) live(c *testCamera, n int, key bool) seen {
	var o seen
	for i := range n {
		r.send(c.unit(key && i == 0))
		o = r.untilLive(c.n)
	}
	return o
}

// untilLive skips slates up to the picture with the number.
func (r *rig) untilLive(number uint32) seen {
	for {
		o, im := r.next()
		if o.State == transport.StateLive {
			s, err := stamptest.Read(im)
			require.NoError(r.t, err)
			require.Equal(r.t, number, s.Number, "a frozen or late picture")
			return o
		}
	}
}

// slate waits for a slate with the reason; no picture may come before.
func (r *rig) slate(reason string) {
	last := ""
	for deadline := time.Now().Add(testTimeout); time.Now().Before(deadline); {
		o, _ := r.next()
		require.Equal(r.t, transport.StateObscured, o.State)
		if last = o.Reason; last == reason {
			return
		}
	}
	r.t.Fatalf("no slate says %q, but %q", reason, last)
}

func TestPicturesComeOutRedactedAndInOrder(t *testing.T) {
	r, c := start(t), newCamera(t, width, height)
	first := r.live(c, 1, true)
	require.GreaterOrEqual(t, first.Epoch, uint64(7))
	last := r.live(c, 20, false)
	require.Equal(t, first.Epoch, last.Epoch)
	require.NotEmpty(t, last.Record.Regions)
	require.True(t, secretBox.Rect().In(last.Record.Regions[0].Rect()))
	require.Positive(t, last.Record.Stages.Decode)
	require.Positive(t, last.Record.Stages.Encode)
	require.Positive(t, last.Record.Stages.CPU)
	r.p.Keyframe()
	require.True(t, r.live(c, 1, false).Key)
	require.False(t, r.live(c, 1, false).Key)
	r.end()
}

// For every fault of the input viewers see a slate with the reason, until a complete key
// frame has been inspected. Then pictures return.
func TestFaultsEndInTheSlateAndRecoverAtAKeyFrame(t *testing.T) {
	faults := map[string]struct {
		fault  func(r *rig, c *testCamera)
		reason string
	}{
		"lost unit": {func(r *rig, c *testCamera) {
			c.unit(false)
			u := c.unit(false)
			u.Gap = transport.Gap{Kind: transport.GapLoss, Text: "packet loss", Intact: true}
			r.send(u)
		}, "packet loss"},
		"picture dropped before RTP": {func(r *rig, c *testCamera) {
			c.unit(false)
			r.send(c.unit(false))
		}, "pictures are missing"},
		"key frame that is not whole": {func(r *rig, c *testCamera) {
			u := c.unit(true)
			u.Gap = transport.Gap{Kind: transport.GapLoss, Text: "packet loss"}
			r.send(u)
		}, "packet loss"},
		"timestamps jump": {func(r *rig, c *testCamera) {
			c.pts += 10 * transport.ClockRate
			r.send(c.unit(false))
		}, "the camera's timestamps jumped"},
		"timestamps jump back": {func(r *rig, c *testCamera) {
			u := c.unit(false)
			u.PTS -= 10 * transport.ClockRate
			r.send(u)
		}, "the camera's timestamps jumped"},
		"garbage": {func(r *rig, c *testCamera) {
			u := c.unit(false)
			u.Data = []byte{0, 0, 0, 1, 0x67, 1, 2, 3}
			r.send(u)
		}, ""},
		"empty unit": {func(r *rig, c *testCamera) {
			u := c.unit(false)
			u.Data = nil
			r.send(u)
		}, ""},
		"detector fails": {func(r *rig, c *testCamera) {
			err := errors.New("NaN")
			r.detector.err.Store(&err)
			r.send(c.unit(false))
			r.slate("face detection failed")
			r.detector.err.Store(nil)
			r.send(c.unit(false))
		}, "face detection failed"},
		"worker says why nothing comes": {func(r *rig, _ *testCamera) {
			r.p.Input("camera unreachable")
		}, "camera unreachable"},
		"silence": {func(*rig, *testCamera) {}, causeStalled.Text},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, c := start(t), newCamera(t, width, height)
			defer r.end()
			r.live(c, 5, true)
			f.fault(r, c)
			if f.reason != "" {
				r.slate(f.reason)
			} else {
				o, _ := r.next()
				require.Equal(t, transport.StateObscured, o.State)
				require.NotEmpty(t, o.Reason)
			}
			if name == "silence" {
				r.live(c, 3, false) // nothing is missing: goes on at once
				return
			}
			for range 3 { // without a key frame nothing is shown
				r.send(c.unit(false))
				o, _ := r.next()
				require.Equal(t, transport.StateObscured, o.State)
			}
			r.live(c, 3, true)
		})
	}
}

func TestGateIsShutUntilTheFirstKeyFrame(t *testing.T) {
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	c.unit(true)
	u := c.unit(false) // joined in the middle of a group of pictures
	u.Gap = transport.Gap{Kind: transport.GapConnected, Text: "connected", Intact: true}
	r.send(u)
	r.slate(causeWaiting.Text)
	o := r.live(c, 2, true)
	require.Equal(t, width, o.Width)
}

func TestNewSizeInTheMidstBeginsANewEpoch(t *testing.T) {
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	before := r.live(c, 3, true)
	other := newCamera(t, 400, 300)
	other.pts, other.n = c.pts, 100
	after := r.live(other, 3, true)
	require.Greater(t, after.Epoch, before.Epoch)
	require.Equal(t, [2]int{400, 300}, [2]int{after.Width, after.Height})
	require.Greater(t, after.PTS, before.PTS)
}

func TestUnitsOfAnotherSizeInsideAGenerationAreNotShown(t *testing.T) {
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.live(c, 3, true)
	other := newCamera(t, 400, 300)
	other.pts = c.pts
	other.unit(true)
	for range 3 { // P slices of a stream whose parameter sets were lost
		u := other.unit(false)
		u.Gap = transport.Gap{Kind: transport.GapLoss, Text: "packet loss"}
		r.send(u)
	}
	r.slate("packet loss")
	c.pts = other.pts
	r.live(c, 2, true)
}

func TestHungStageEndsTheProcess(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	r.live(c, 2, true)
	r.detector.hang.Store(true)
	r.send(c.unit(false))
	select {
	case err := <-r.done:
		require.ErrorIs(t, err, ErrHung)
		require.ErrorContains(t, err, "camera door: redact")
	case <-time.After(testTimeout):
		t.Fatal("a hang is not noticed")
	}
	close(r.detector.freed)
	r.p.Close()
}

func TestPipelineNeedsItsParts(t *testing.T) {
	_, err := New(Options{})
	require.Error(t, err)
}
