package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/simcam"
	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/yuv"
	"scrim/transport"
	"scrim/transport/onvif/soap"
)

// serveRTSP starts Scrim with a drawn camera and an RTSP server for the user nvr.
func serveRTSP(t *testing.T) (s *server, rtsp, onvif string) {
	t.Helper()
	cam, err := simcam.Start(simcam.Options{Listen: "127.0.0.1:0", Scene: drawnScene, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(cam.Close)
	return serveRTSPOf(t, cam)
}

func serveRTSPOf(t *testing.T, cam *simcam.Camera) (s *server, rtsp, onvif string) {
	t.Helper()
	file := writeFile(t, "scrim.yaml", fmt.Sprintf(`
site: test
http: {listen: '127.0.0.1:0'}
rtsp_server:
  listen: 127.0.0.1:0
  onvif: 127.0.0.1:0
  users: [{name: nvr, password: 'env:NVR_PASSWORD', cameras: [door]}]
cameras:
  - name: door
    url: %s
`, cam.URL()))
	p := startAt(t, "/usr/bin/env", "NVR_PASSWORD=s3cret", scrimPath(t), "serve", file)
	s = &server{program: p, base: p.expect(`msg=page url=(http://\S+)`)}
	ctx := deadline(t, waiting)
	rtsp = strings.TrimSuffix(lastField(s.awaitLine(ctx, "RTSP server listening"), "url="), "/CAMERA")
	onvif = "http://" + lastField(s.awaitLine(ctx, "ONVIF device listening"), "address=")
	return s, rtsp, onvif
}

func lastField(line, key string) string {
	_, value, _ := strings.Cut(line, key)
	value, _, _ = strings.Cut(value, " ")
	return value
}

// getPicture returns the JPEG at a URL.
func getPicture(ctx context.Context, t *testing.T, url string) *image.YCbCr {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(body))
	require.Equal(t, "image/jpeg", res.Header.Get("Content-Type"))
	im, err := jpeg.Decode(bytes.NewReader(body))
	require.NoError(t, err)
	return im.(*image.YCbCr)
}

// planar converts a JPEG for detectors.
func planar(t *testing.T, im *image.YCbCr) *yuv.Image {
	t.Helper()
	out, err := yuv.New(im.Rect.Dx(), im.Rect.Dy())
	require.NoError(t, err)
	out.FullRange = true
	for y := range out.Height {
		copy(out.Y[y*out.YStride:][:out.Width], im.Y[y*im.YStride:])
	}
	for y := range out.ChromaHeight() {
		copy(out.U[y*out.CStride:][:out.ChromaWidth()], im.Cb[y*im.CStride:])
		copy(out.V[y*out.CStride:][:out.ChromaWidth()], im.Cr[y*im.CStride:])
	}
	return out
}

// faces returns the detections above the threshold. Weak ones, which only continue
// existing tracks, are left out.
func faces(t *testing.T, d redact.Detector, im *yuv.Image) []face.Face {
	t.Helper()
	found, err := d.Detect(im)
	require.NoError(t, err)
	return slices.DeleteFunc(found, func(f face.Face) bool { return f.Weak })
}

// ffmpeg runs FFmpeg and returns its output.
func ffmpeg(ctx context.Context, t *testing.T, args ...string) []byte {
	t.Helper()
	path := testenv.Path(t, testenv.FFmpeg)
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, path, append([]string{"-v", "error"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(t, cmd.Run(), log.String())
	return out.Bytes()
}

// requireHidden fails if the detector finds a face in a redacted picture that must be
// obscured in every picture. It also requires that the detector finds faces in the same
// picture of the camera, if there are any. It returns false without a check if a cover
// hides the picture's stamp. Profiles and faces that are mostly hidden are not counted
// here; docs/redaction.md has how many are missed.
func requireHidden(t *testing.T, d redact.Detector, truth *scene.Scene, im *yuv.Image) bool {
	t.Helper()
	s, err := stamptest.Read(im)
	if err != nil {
		return false
	}
	bare, err := yuv.New(im.Width, im.Height)
	require.NoError(t, err)
	facts, err := truth.Draw(bare, s.Number, s.Captured)
	require.NoError(t, err)
	watched := slices.DeleteFunc(slices.Clone(facts.Faces), func(f scene.TrueFace) bool { return !mustBeHidden(f) })
	if len(watched) > 0 {
		require.NotEmpty(t, faces(t, d, bare), "no face is found in the camera's picture %d", s.Number)
	}
	for _, found := range faces(t, d, im) {
		for _, w := range watched {
			require.Less(t, found.Box.IoU(w.Box), foundAgain, "picture %d: the face of person %d is found", s.Number, w.Person)
		}
	}
	return true
}

// A recorder that uses Scrim's URL gets the camera without faces, as does a client that
// requests a snapshot.
func TestARecorderGetsTheRedactedCamera(t *testing.T) {
	s, rtsp, onvif := serveRTSP(t)
	ctx := deadline(t, 2*time.Minute)
	s.awaitLive(ctx, "door")
	detector := openDetector(t)
	url := strings.Replace(rtsp, "rtsp://", "rtsp://nvr:s3cret@", 1) + "/door"
	raw := ffmpeg(ctx, t, "-rtsp_transport", "tcp", "-i", url, "-frames:v", "20", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
	o := drawnScene
	frame := o.Width * o.Height * 3 / 2
	require.Len(t, raw, 20*frame)
	truth, err := scene.New(o)
	require.NoError(t, err)
	compared := 0
	for i := range 20 {
		if requireHidden(t, detector, truth, fromI420(t, raw[i*frame:(i+1)*frame], o.Width, o.Height)) {
			compared++
		}
	}
	require.Greater(t, compared, 5, "pictures of the recorder with a readable stamp")

	still := getPicture(ctx, t, s.base+"/api/cameras/door/snapshot.jpg")
	require.Equal(t, image.Rect(0, 0, o.Width, o.Height), still.Rect)
	requireHidden(t, detector, truth, planar(t, still))

	// The management system finds the camera.
	answer := callONVIF(ctx, t, onvif, `<GetStreamUri xmlns="http://www.onvif.org/ver10/media/wsdl"><ProfileToken>door</ProfileToken></GetStreamUri>`)
	require.Contains(t, answer, rtsp+"/door")
	require.NotContains(t, s.output(), "s3cret")
}

func fromI420(t *testing.T, b []byte, width, height int) *yuv.Image {
	t.Helper()
	im, err := yuv.New(width, height)
	require.NoError(t, err)
	for y := range height {
		copy(im.Y[y*im.YStride:][:width], b[y*width:])
	}
	u, v := b[width*height:], b[width*height*5/4:]
	for y := range height / 2 {
		copy(im.U[y*im.CStride:][:width/2], u[y*width/2:])
		copy(im.V[y*im.CStride:][:width/2], v[y*width/2:])
	}
	return im
}

func callONVIF(ctx context.Context, t *testing.T, address, body string) string {
	t.Helper()
	envelope, err := soap.Envelope(soap.NewSecurity("nvr", "s3cret", time.Now()), nil)
	require.NoError(t, err)
	text := strings.Replace(string(envelope), "</s:Envelope>", "<s:Body>"+body+"</s:Body></s:Envelope>", 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/onvif/media_service", strings.NewReader(text))
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(answer))
	return string(answer)
}

// While the camera cannot be shown, the recorder keeps its session and gets the slate,
// as does a client that requests a snapshot.
func TestARecorderKeepsItsSessionDuringTheSlate(t *testing.T) {
	cam := smallCamera(t, simcam.Options{})
	s, rtsp, _ := serveRTSPOf(t, cam)
	ctx := deadline(t, 2*time.Minute)
	s.awaitLive(ctx, "door")
	u, err := base.ParseURL(strings.Replace(rtsp, "rtsp://", "rtsp://nvr:s3cret@", 1) + "/door")
	require.NoError(t, err)
	overTCP := gortsplib.TransportTCP
	recorder := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Transport: &overTCP}
	require.NoError(t, recorder.Start2())
	defer recorder.Close()
	desc, _, err := recorder.Describe(u)
	require.NoError(t, err)
	require.NoError(t, recorder.SetupAll(desc.BaseURL, desc.Medias))
	var packets atomic.Int64
	recorder.OnPacketRTPAny(func(*description.Media, format.Format, *rtp.Packet) { packets.Add(1) })
	_, err = recorder.Play(nil)
	require.NoError(t, err)
	more := func() {
		before := packets.Load()
		require.Eventually(t, func() bool { return packets.Load() > before+5 }, waiting, pollEvery)
	}
	more()
	light := meanLuma(getPicture(ctx, t, s.base+"/api/cameras/door/snapshot.jpg"))

	cam.Silence(true)
	s.await(ctx, "door", "obscured", func(c transport.Status) bool { return c.State == transport.StateObscured })
	more()
	slate := getPicture(ctx, t, s.base+"/api/cameras/door/snapshot.jpg")
	for meanLuma(slate) > 64 { // the last snapshot is cached for a second
		slate = getPicture(ctx, t, s.base+"/api/cameras/door/snapshot.jpg")
	}
	require.Equal(t, image.Rect(0, 0, smallScene.Width, smallScene.Height), slate.Rect)
	require.Greater(t, light, 64)

	cam.Silence(false)
	s.awaitLive(ctx, "door")
	more() // in the same session
}

func meanLuma(im *image.YCbCr) int {
	sum := 0
	for y := range im.Rect.Dy() {
		for _, v := range im.Y[y*im.YStride:][:im.Rect.Dx()] {
			sum += int(v)
		}
	}
	return sum / (im.Rect.Dx() * im.Rect.Dy())
}
