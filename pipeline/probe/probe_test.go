package probe

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/goccy/go-yaml"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/transport/onvif/onviftest"
	"scrim/transport/rtsp"
	"scrim/transport/tlstrust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "viewer"
	password = "hunter2:/@"
)

func camera(t *testing.T, o simcam.Options) *simcam.Camera {
	t.Helper()
	o.Listen, o.Scene, o.Log = "127.0.0.1:0", scene.Options{Width: 320, Height: 180, FPS: 20, Seed: 5, People: 1}, slog.New(slog.DiscardHandler)
	if o.GOP == 0 {
		o.GOP = 500 * time.Millisecond
	}
	c, err := simcam.Start(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func hostOf(t *testing.T, u string) string {
	t.Helper()
	p, err := url.Parse(u)
	require.NoError(t, err)
	return p.Host
}

// run probes a camera, and checks what must hold for every report.
func run(t *testing.T, o Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, r.WriteText(&text))
	data, err := json.Marshal(r)
	require.NoError(t, err)
	for _, out := range []string{text.String(), string(data)} {
		require.NotContains(t, out, password)
		require.NotContains(t, out, "hunter2")
	}
	require.Equal(t, r.weighs(Fatal), r.Failed())
	if r.Failed() {
		require.Empty(t, r.YAML, "the camera would not work")
		require.Regexp(t, `^no configuration for scrim.yaml, because the camera would not work: [^\n]+$`, r.NoYAML)
		require.Contains(t, text.String(), "\n\n"+r.NoYAML+"\n")
		require.NotContains(t, text.String(), "cameras:")
	} else {
		require.Empty(t, r.NoYAML)
		var pasted struct{ Cameras []map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(r.YAML), &pasted), r.YAML)
		require.Len(t, pasted.Cameras, 1)
	}
	for _, p := range r.Problems {
		require.NotEmpty(t, p.Do, p.What)
		require.NotContains(t, p.What+p.Do, "\n")
	}
	t.Log("\n" + text.String())
	return r
}

func (r *Report) has(text string) bool {
	return slices.ContainsFunc(r.Problems, func(p Problem) bool { return strings.Contains(p.What, text) })
}

func (r *Report) weighs(w Weight) bool {
	return slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Weight == w })
}

func TestCameraWithAPasswordIsDescribedInFull(t *testing.T) {
	cam := camera(t, simcam.Options{User: user, Password: password})
	d := &onviftest.Device{
		Manufacturer: "Acme", Model: "A1", Firmware: "1.2", Serial: "42", User: user, Password: password, Stream: cam.URL(), Skew: time.Hour,
	}
	r := run(t, Options{Target: cam.URL(), User: user, Password: password, For: 2 * time.Second, ONVIF: d.Start(t), Name: "hall"})
	require.Equal(t, loginAccepted, r.Login)
	require.False(t, r.Open)
	require.NotEmpty(t, r.Logins)
	require.NotNil(t, r.Stream)
	require.Equal(t, [2]int{320, 180}, [2]int{r.Stream.Width, r.Stream.Height})
	require.Equal(t, "Constrained Baseline", r.Stream.Profile)
	require.Positive(t, r.Stream.FPS)
	require.Zero(t, r.Stream.Lost)
	require.Positive(t, r.Stream.Bitrate)
	require.Positive(t, r.Stream.KeyFrames)
	require.True(t, r.Stream.ClockSet)
	require.InDelta(t, 0, r.Stream.ClockAhead, 5)
	require.True(t, r.SetsInDescription)
	require.False(t, r.weighs(Fatal), "%v", r.Problems)
	require.Equal(t, "A1", r.Device.Model)
	require.InDelta(t, 3600, r.Device.ClockAhead, 60)
	require.Contains(t, r.YAML, "  - name: hall\n    url: "+cam.URL()+"\n    user: viewer\n    password: env:HALL_PASSWORD\n")
}

func TestHostAloneIsEnoughIfONVIFKnowsThePath(t *testing.T) {
	cam := camera(t, simcam.Options{User: user, Password: password, Path: "secret-path"})
	d := &onviftest.Device{User: user, Password: password, Stream: cam.URL()}
	r := run(t, Options{Target: hostOf(t, cam.URL()), User: user, Password: password, For: time.Second, ONVIF: d.Start(t)})
	require.Equal(t, cam.URL(), r.URL)
	require.NotNil(t, r.Stream)
}

func TestHostAloneIsEnoughAtACommonPath(t *testing.T) {
	for _, o := range []simcam.Options{{}, {User: user, Password: password}, {Path: "h264"}} {
		cam := camera(t, o)
		r := run(t, Options{Target: hostOf(t, cam.URL()), User: o.User, Password: o.Password, For: time.Second, ONVIF: NoONVIF})
		require.Equal(t, cam.URL(), r.URL)
		require.NotNil(t, r.Stream)
		require.Equal(t, o.User == "", r.has("anyone on its network can watch"))
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	for _, host := range []bool{false, true} {
		logins := 0
		s := serveOdd(t, func(req *base.Request) *base.Response {
			if len(req.Header["Authorization"]) > 0 {
				logins++
			}
			return &base.Response{StatusCode: base.StatusUnauthorized, Header: base.Header{
				"WWW-Authenticate": {`Digest realm="Login to 42", nonce="abc", algorithm="MD5"`},
			}}
		})
		d := &onviftest.Device{User: user, Password: "another"}
		o := Options{Target: s + "/stream", User: user, Password: password, For: time.Second, ONVIF: d.Start(t)}
		if host {
			o.Target = hostOf(t, s)
		}
		r := run(t, o)
		_, devices := d.Asked()
		require.Equal(t, 1, logins+devices, "host alone: %v", host)
		require.True(t, r.weighs(Fatal))
		require.Nil(t, r.Stream)
		require.Equal(t, []rtsp.Login{{Scheme: "Digest MD5", Realm: "Login to 42"}}, r.Logins)
	}
}

func TestBasicAloneIsAProblemAndSendsNothing(t *testing.T) {
	logins := 0
	s := serveOdd(t, func(req *base.Request) *base.Response {
		logins += len(req.Header["Authorization"])
		return &base.Response{StatusCode: base.StatusUnauthorized, Header: base.Header{"WWW-Authenticate": {`Basic realm="x"`}}}
	})
	r := run(t, Options{Target: s + "/", User: user, Password: password, ONVIF: NoONVIF})
	require.Zero(t, logins)
	require.True(t, r.has("only Basic"))
	require.Equal(t, loginNotTried, r.Login)
}

func TestH265WithoutParameterSetsIsMeasured(t *testing.T) {
	s := newServer(t, &format.H265{PayloadTyp: 96})
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := uint32(0); ; n++ {
			select {
			case <-done:
				return
			case <-tick.C:
				s.send(n)
			}
		}
	}()
	t.Cleanup(func() { close(done); <-ended })
	r := run(t, Options{Target: s.url + "/stream", For: time.Second, ONVIF: NoONVIF})
	require.Equal(t, "H265", r.Stream.Codec)
	require.Equal(t, 5, r.Stream.GOP)
	require.True(t, r.has("no sequence parameter set"))
	require.True(t, r.has("the video is H.265"))
}

func TestH265AndMJPEGAreAcceptedWithANoteOnTheirCost(t *testing.T) {
	t.Parallel()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	for name, c := range map[string]struct {
		codec, cost string
		args        []string
	}{
		"h265.mp4": {
			"H265", "a quarter more CPU time",
			[]string{"-pix_fmt", "yuv420p", "-c:v", "libx265", "-x265-params", "log-level=none:bframes=0:keyint=10"},
		},
		"mjpeg.mkv": {"JPEG", "several times the bit rate", []string{"-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-huffman", "default"}},
	} {
		path := filepath.Join(t.TempDir(), name)
		args := append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x176:rate=20:duration=1"}, append(c.args, path)...)
		out, err := exec.CommandContext(t.Context(), ffmpeg, args...).CombinedOutput()
		require.NoError(t, err, string(out))
		cam := camera(t, simcam.Options{Replay: path})
		r := run(t, Options{Target: cam.URL(), For: time.Second, ONVIF: NoONVIF})
		require.Equal(t, c.codec, r.Stream.Codec)
		require.Equal(t, [2]int{320, 176}, [2]int{r.Stream.Width, r.Stream.Height})
		require.Positive(t, r.Stream.KeyFrames)
		require.False(t, r.weighs(Fatal), "%v", r.Problems)
		require.True(t, r.has(c.cost), "%v", r.Problems)
		require.Equal(t, c.codec == "H265", r.SetsInDescription)
	}
}

// The camera starts with key frames, and then sends none.
func TestKeyFramesAtTheStartDoNotHideALongInterval(t *testing.T) {
	t.Parallel()
	cam := camera(t, simcam.Options{GOP: 10 * time.Minute})
	r := run(t, Options{Target: cam.URL(), For: 7 * time.Second, ONVIF: NoONVIF})
	require.Greater(t, r.Stream.GOPSeconds, 4.0)
	require.True(t, r.Stream.GOPAtLeast)
	require.True(t, r.has("key frames are at least"), "%v", r.Problems)
}

func TestUnreachableCameraIsAnErrorOfOneLine(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := ln.Addr().String()
	require.NoError(t, ln.Close())
	for _, target := range []string{"rtsp://u:hunter2@" + address + "/", address, "no such host", "http://127.0.0.1/", "rtsp://", "rtsp://a/hunter2@b"} {
		_, err := Run(t.Context(), Options{Target: target, ONVIF: NoONVIF})
		require.Error(t, err, target)
		require.NotContains(t, err.Error(), "hunter2")
		require.NotContains(t, err.Error(), "\n")
	}
}

// A host is tried with and without TLS; the pin applies only with TLS.
func TestFingerprintIsForTLSOnly(t *testing.T) {
	pin := strings.Repeat("0a", 32)
	o := Options{Target: "192.0.2.1", Trust: tlstrust.Trust{Fingerprint: pin}}
	_, err := o.prepare()
	require.NoError(t, err)
	for u, want := range map[string]string{"rtsp://192.0.2.1:554/": "", "rtsps://192.0.2.1:322/": pin} {
		for _, login := range []bool{false, true} {
			c := o.config(u, login)
			require.NoError(t, c.Check(), u)
			require.Equal(t, want, c.Trust.Fingerprint, u)
		}
	}
	for _, o := range []Options{{Target: "rtsps://192.0.2.1/"}, {Target: "rtsp://192.0.2.1/", ONVIF: "https://192.0.2.1/onvif/device_service"}} {
		o.Trust.Fingerprint = pin
		_, err = o.prepare()
		require.NoError(t, err)
	}
	_, err = Run(t.Context(), Options{Target: "rtsp://192.0.2.1/", Trust: o.Trust, ONVIF: NoONVIF})
	require.EqualError(t, err, "--fingerprint and --ca need TLS: use an rtsps:// URL or --onvif https://, or remove them")
}

func TestEveryErrorIsAFatalProblem(t *testing.T) {
	p := &prober{r: &Report{}, t: target{host: "a"}}
	p.judge(errors.New("something"))
	require.Equal(t, Fatal, p.r.Problems[0].Weight)
	require.Equal(t, "1h0m0s behind this machine's", ahead(-3600))
	require.Equal(t, "12ms ahead of this machine's", ahead(0.012))
	require.Equal(t, "camera-192-0-2-1", nameOf("192.0.2.1"))
	require.Equal(t, "gate-example-org", nameOf("gate.example.org"))
	require.Equal(t, `"yes"`, scalar("yes"))
}

// odd is an RTSP server that answers DESCRIBE with a function.
type odd struct {
	answer func(*base.Request) *base.Response
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (o odd) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return o.answer(ctx.Request), nil, nil
}

func serveOdd(t *testing.T, answer func(*base.Request) *base.Response) (u string) {
	t.Helper()
	return listen(t, &gortsplib.Server{Handler: odd{answer}})
}

func listen(t *testing.T, s *gortsplib.Server) (u string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.RTSPAddress = ln.Addr().String()
	s.Listen = func(string, string) (net.Listener, error) { return ln, nil }
	require.NoError(t, s.Start())
	t.Cleanup(s.Close)
	return "rtsp://" + s.RTSPAddress
}

// server serves one stream of any format.
type server struct {
	url    string
	media  *description.Media
	stream *gortsplib.ServerStream
}

func newServer(t *testing.T, f format.Format) *server {
	t.Helper()
	s := &server{media: &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}}
	rs := &gortsplib.Server{Handler: s}
	s.url = listen(t, rs)
	s.stream = &gortsplib.ServerStream{Server: rs, Desc: &description.Session{Medias: []*description.Media{s.media}}}
	require.NoError(t, s.stream.Initialize())
	t.Cleanup(s.stream.Close)
	return s
}

// send sends a picture of one packet; every fifth is a key frame.
func (s *server) send(n uint32) {
	typ := byte(1)
	if n%5 == 0 {
		typ = 19
	}
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: uint16(n), Timestamp: n * 1800, Marker: true}, //nolint:gosec // wraps by design
		Payload: []byte{typ << 1, 1, 0x80, 0, 0},
	}
	_ = s.stream.WritePacketRTP(s.media, p)
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (s *server) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

// OnSetup implements gortsplib.ServerHandlerOnSetup.
func (s *server) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

// OnPlay implements gortsplib.ServerHandlerOnPlay.
func (s *server) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}
