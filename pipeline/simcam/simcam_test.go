package simcam

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/pipeline/scene"
	"scrim/transport"
	"scrim/transport/rtsp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// waiting bounds every wait; it is no measurement.
	waiting = 30 * time.Second
	// clockError is how far the time of capture by sender reports may be from
	// the one in the stamp: a tick of 90 kHz and the arithmetic on the way. A
	// fraction of a second that is read as nanoseconds is up to 750 ms off.
	clockError = 20 * time.Millisecond
)

var small = scene.Options{Width: 320, Height: 180, FPS: 20, Seed: 5, People: 2}

func startCamera(t *testing.T, o Options) *Camera {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Scene.Width == 0 {
		o.Scene = small
	}
	o.Log = slog.New(slog.DiscardHandler)
	c, err := Start(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestStreamDecodesAndItsStampsAndClockAdvance(t *testing.T) {
	c := startCamera(t, Options{})
	require.Regexp(t, `^rtsp://127\.0\.0\.1:\d+/camera$`, c.URL())
	w := watchCamera(t, c.URL(), nil)
	var last shot
	reported := 0
	for i := range 30 {
		s := w.next()
		require.Equal(t, [2]int{320, 180}, [2]int{s.im.Width, s.im.Height})
		require.NotZero(t, s.stamp.Captured.UnixNano(), "picture %d has no stamp", i)
		if i > 0 {
			require.Empty(t, s.unit.Gap.Kind)
			require.Greater(t, s.stamp.Number, last.stamp.Number)
			require.True(t, s.stamp.Captured.After(last.stamp.Captured))
			require.InDelta(t, s.stamp.Captured.Sub(last.stamp.Captured).Seconds(),
				float64(s.unit.PTS-last.unit.PTS)/transport.ClockRate, clockError.Seconds(), "the PTS is the time of capture")
		}
		if !s.unit.Captured.Equal(s.unit.Arrived) { // a sender report has come
			reported++
			require.WithinDuration(t, s.stamp.Captured, s.unit.Captured, clockError)
		}
		last = s
	}
	require.Greater(t, reported, 15, "sender reports do not come, or say what cannot be")
	require.GreaterOrEqual(t, c.Frames(), uint64(30))
}

// What is measured of a live run rests on this.
func TestTruthIsKnownBeforeItsPictureComesAndByItsTimeOfCapture(t *testing.T) {
	var mu sync.Mutex
	drawn := map[uint32]Recorded{}
	c := startCamera(t, Options{Drawn: func(r Recorded) error {
		mu.Lock()
		defer mu.Unlock()
		drawn[r.Truth.Frame] = r
		return nil
	}})
	same, err := scene.New(small)
	require.NoError(t, err)
	w := watchCamera(t, c.URL(), nil)
	var first shot
	reported := 0
	for i := range 20 {
		s := w.next()
		if i == 0 {
			first = s
		}
		mu.Lock()
		r, ok := drawn[s.stamp.Number]
		r0 := drawn[first.stamp.Number]
		mu.Unlock()
		require.True(t, ok, "picture %d came before its truth", s.stamp.Number)
		require.True(t, r.Captured.Equal(s.stamp.Captured))
		require.Equal(t, [2]int{320, 180}, [2]int{r.Width, r.Height})
		require.Equal(t, same.Truth(s.stamp.Number), r.Truth)
		require.Equal(t, s.unit.PTS-first.unit.PTS, r.PTS-r0.PTS)
		if !s.unit.Captured.Equal(s.unit.Arrived) { // a sender report has come
			reported++
			require.WithinDuration(t, r.Captured, s.unit.Captured, 50*time.Microsecond, "some ticks of 90 kHz")
		}
	}
	require.Greater(t, reported, 10)
}

func TestCameraWhoseTruthIsNotTakenEnds(t *testing.T) {
	full := errors.New("the disk is full")
	var n int
	c := startCamera(t, Options{Drawn: func(Recorded) error {
		if n++; n == 3 {
			return full
		}
		return nil
	}})
	require.ErrorIs(t, c.Err(), full)
}

func TestEveryViewerGetsAKeyFrameAndAReportAtOnce(t *testing.T) {
	c := startCamera(t, Options{GOP: time.Hour})
	for range 2 {
		w := watchCamera(t, c.URL(), nil)
		began := c.Frames()
		for s := w.next(); s.unit.Captured.Equal(s.unit.Arrived); s = w.next() { //nolint:revive // until a report has come
		}
		require.Less(t, c.Frames()-began, uint64(small.FPS*60), "long before the next key frame by itself")
		w.cancel()
	}
}

func TestStreamOverUDP(t *testing.T) {
	c := startCamera(t, Options{UDPPort: freeUDPPair(t)})
	w := watchCamera(t, c.URL(), func(o *rtsp.Config) { o.Transport = rtsp.TransportUDP })
	first := w.next()
	require.Greater(t, w.next().stamp.Number, first.stamp.Number)
}

// freeUDPPair returns an even port that is free together with the next.
func freeUDPPair(t *testing.T) int {
	t.Helper()
	for range 100 {
		a, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		port := a.LocalAddr().(*net.UDPAddr).Port
		b, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port^1))
		_ = a.Close()
		if err != nil {
			continue
		}
		_ = b.Close()
		return port &^ 1
	}
	t.Fatal("no two UDP ports are free")
	return 0
}

func TestDroppedPacketsAreAGap(t *testing.T) {
	c := startCamera(t, Options{})
	w := watchCamera(t, c.URL(), nil)
	require.Equal(t, "connected", w.nextUnit().Gap.Text)
	first := w.next()
	c.Drop(1)
	for u := w.nextUnit(); u.Gap.Kind == transport.GapNone; u = w.nextUnit() { //nolint:revive // until the loss shows
	}
	require.Contains(t, w.unit.Gap.Text, "packet loss")
	// What comes after a loss is good again from the next key frame on.
	w.whole = false
	c.Keyframe()
	require.Greater(t, w.next().stamp.Number, first.stamp.Number)
}

func TestSilenceKeepsTheConnection(t *testing.T) {
	c := startCamera(t, Options{})
	w := watchCamera(t, c.URL(), nil)
	w.next()
	c.Silence(true)
	const unsent = 6
	afterPictures(t, c, unsent)
	c.Silence(false)
	before := w.unit
	for u := w.nextUnit(); u.Gap.Kind == transport.GapNone; u = w.nextUnit() {
		before = u
	}
	require.Contains(t, w.unit.Gap.Text, "packet loss", "what was not sent is missing")
	require.GreaterOrEqual(t, w.unit.PTS-before.PTS, int64(unsent*transport.ClockRate/small.FPS), "nothing was sent meanwhile")
	c.Keyframe()
	w.whole = false
	require.NotNil(t, w.next().im, "the connection stays")
}

func TestSilenceIsFoundByTheClient(t *testing.T) {
	c := startCamera(t, Options{})
	w := watchCamera(t, c.URL(), func(o *rtsp.Config) { o.StallTimeout = 500 * time.Millisecond })
	w.next()
	c.Silence(true)
	for {
		select {
		case <-w.units:
			continue
		case err := <-w.failed:
			require.ErrorIs(t, err, rtsp.ErrStalled)
			return
		case <-w.ctx.Done():
			t.Fatal("nobody notices")
		}
	}
}

func TestReconfigureChangesTheSizeInMidstream(t *testing.T) {
	c := startCamera(t, Options{})
	w := watchCamera(t, c.URL(), nil)
	before := w.next()
	c.Reconfigure(scene.Options{Width: 480, Height: 270, FPS: 10, Seed: 5, People: 1})
	s := w.next()
	for ; s.im.Width == 320; s = w.next() {
		require.Equal(t, 180, s.im.Height)
	}
	require.Equal(t, [2]int{480, 270}, [2]int{s.im.Width, s.im.Height})
	require.Greater(t, s.stamp.Number, before.stamp.Number)
	require.Greater(t, s.unit.PTS, before.unit.PTS)

	// A scene that cannot be drawn leaves the old one.
	c.Reconfigure(scene.Options{Width: -2, Height: 3})
	number := c.Frames() + 3
	for s = w.next(); uint64(s.stamp.Number) < number; s = w.next() {
		require.Equal(t, 480, s.im.Width)
	}
	select {
	case <-c.Done():
		t.Fatal(c.Err())
	default:
	}
}

func TestCredentialsAreAskedForAndAccepted(t *testing.T) {
	c := startCamera(t, Options{User: "viewer", Password: "s3same op&n"})
	require.NotContains(t, c.URL(), "viewer")
	w := watchCamera(t, strings.Replace(c.URL(), "rtsp://", "rtsp://viewer:s3same%20op&n@", 1), nil)
	require.NotNil(t, w.next().im)
	for _, login := range []string{"", "viewer:wrong@", "other:s3same%20op&n@"} {
		w := watchCamera(t, strings.Replace(c.URL(), "rtsp://", "rtsp://"+login, 1), nil)
		select {
		case err := <-w.failed:
			require.ErrorIs(t, err, rtsp.ErrCredentials, "%q", login)
		case <-w.units:
			t.Fatalf("%q gets pictures", login)
		case <-w.ctx.Done():
			t.Fatalf("%q gets no answer", login)
		}
	}
}

func TestAnotherPathIsNotFound(t *testing.T) {
	c := startCamera(t, Options{Path: "yard"})
	w := watchCamera(t, strings.Replace(c.URL(), "/yard", "/camera", 1), nil)
	select {
	case err := <-w.failed:
		require.ErrorIs(t, err, rtsp.ErrNotFound)
	case <-w.units:
		t.Fatal("there is a stream")
	}
}

func TestBadOptionsAreOneLine(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "junk.mp4")
	require.NoError(t, os.WriteFile(junk, []byte(strings.Repeat("no video ", 1000)), 0o600))
	missing := filepath.Join(t.TempDir(), "missing.mp4")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer udp.Close()
	for name, c := range map[string]struct {
		change func(*Options)
		says   string
	}{
		"path of two words": {func(o *Options) { o.Path = "a b" }, `"a b"`},
		"path of two parts": {func(o *Options) { o.Path = "a/b" }, `"a/b"`},
		"odd UDP port":      {func(o *Options) { o.UDPPort = 5001 }, "5001"},
		"UDP port too high": {func(o *Options) { o.UDPPort = 70000 }, "70000"},
		"negative UDP port": {func(o *Options) { o.UDPPort = -2 }, "-2"},
		"UDP port in use":   {func(o *Options) { o.UDPPort = udp.LocalAddr().(*net.UDPAddr).Port &^ 1 }, "in use"},
		"no address":        {func(o *Options) { o.Listen = "nonsense" }, "nonsense"},
		"port in use":       {func(o *Options) { o.Listen = taken.Addr().String() }, "--listen"},
		"no size":           {func(o *Options) { o.Scene = scene.Options{} }, "0"},
		"odd size":          {func(o *Options) { o.Scene.Width = 321 }, "321"},
		"huge":              {func(o *Options) { o.Scene.Width = 1 << 20 }, "1048576"},
		"rate below 0":      {func(o *Options) { o.Scene.FPS = -1 }, "-1"},
		"negative bitrate":  {func(o *Options) { o.Bitrate = -1 }, "-1"},
		"unknown preset":    {func(o *Options) { o.Preset = "warp" }, "warp"},
		"missing file":      {func(o *Options) { o.File = missing }, missing},
		"folder":            {func(o *Options) { o.File = filepath.Dir(missing) }, filepath.Dir(missing)},
		"junk":              {func(o *Options) { o.File = junk }, junk},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Listen: "127.0.0.1:0", Scene: small, Log: slog.New(slog.DiscardHandler)}
			c.change(&o)
			cam, err := Start(o)
			if err == nil {
				cam.Close()
			}
			require.ErrorContains(t, err, "simulated camera: ")
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
			t.Log(err)
			if name == "port in use" {
				require.True(t, errors.Is(err, syscall.EADDRINUSE))
			}
		})
	}
}

func TestCloseEndsEverythingAndFreesThePort(t *testing.T) {
	before := goleak.IgnoreCurrent()
	o := Options{Listen: "127.0.0.1:0", Scene: small, Log: slog.New(slog.DiscardHandler)}
	for range 3 {
		c, err := Start(o)
		require.NoError(t, err)
		o.Listen = c.addr.String() // the same from now on
		w := watchCamera(t, c.URL(), nil)
		w.next()
		_, err = Start(o)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		c.Close()
		require.NoError(t, c.Err())
		for open := true; open; {
			select {
			case <-w.units:
			case err := <-w.failed:
				require.ErrorIs(t, err, rtsp.ErrUnreachable)
				open = false
			case <-w.ctx.Done():
				t.Fatal("the connection outlives the camera")
			}
		}
		w.cancel()
		c.Close() // again does nothing
	}
	goleak.VerifyNone(t, before)
}
