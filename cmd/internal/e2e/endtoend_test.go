package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/decode"
	"scrim/pipeline/scene"
	"scrim/pipeline/scene/stamp"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/simcam"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/transport"
	"scrim/transport/bus"
)

const (
	// watched is how many pictures are checked, after the first warmUp, in which the
	// programs are still starting.
	watched = 150
	warmUp  = 45
	// minFace is the height from which a face must be obscured, in pixels.
	minFace = 16
	// minVisible and maxYaw select the faces that must be found in every picture: mostly
	// visible, and not in profile. Others are only reported.
	minVisible = 0.6
	maxYaw     = 45 // degrees
	// minCovered is the share of a face that must be within regions.
	minCovered = 0.95
	// minPSNR is for the picture outside the regions, in dB.
	minPSNR = 30
)

// drawnScene is small enough for the detector to see it at full resolution.
var drawnScene = scene.Options{Width: 640, Height: 360, FPS: 15, Seed: 11, People: 5}

// site is a drawn camera, a worker, a NATS server and a gateway.
type site struct {
	camera *simcam.Camera
	conn   *bus.Conn
	nats   string // the NATS server's URL
	base   string // the gateway's
}

// newSite starts a site; worker and gateway are separate processes.
func newSite(t *testing.T, o simcam.Options, settings string) *site {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	o.Log = slog.New(slog.DiscardHandler)
	cam, err := simcam.Start(o)
	require.NoError(t, err)
	t.Cleanup(cam.Close)
	return siteOf(t, cam.URL(), settings, cam)
}

func siteOf(t *testing.T, url, settings string, cam *simcam.Camera) *site {
	t.Helper()
	server, err := bus.StartServer(bus.ServerConfig{Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := bus.Connect(t.Context(), bus.Config{Server: server, Name: "test"})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	file := writeFile(t, "scrim.yaml", fmt.Sprintf(`
site: test
nats:
  url: %s
http:
  listen: 127.0.0.1:0
cameras:
  - name: door
    url: %s
%s`, server.URL(), url, settings))
	start(t, "scrim", "worker", file)
	gateway := start(t, "scrim", "gateway", file)
	return &site{camera: cam, conn: conn, nats: server.URL(), base: gateway.expect(`url=(http://\S+)`)}
}

// live waits until the camera is live at the gateway.
func (s *site) live(ctx context.Context, t *testing.T) transport.Status {
	t.Helper()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/api/cameras", http.NoBody)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		var cameras []transport.Status
		err = json.NewDecoder(res.Body).Decode(&cameras)
		_ = res.Body.Close()
		require.NoError(t, err)
		if len(cameras) == 1 && cameras[0].State == transport.StateLive {
			return cameras[0]
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("camera is not live: %+v", cameras)
		}
	}
}

// TestFromCameraToViewer covers the whole path: a drawn camera over RTSP, worker,
// redactor, NATS, gateway, and a viewer over WHEP that decodes the video.
func TestFromCameraToViewer(t *testing.T) {
	s := newSite(t, simcam.Options{Scene: drawnScene}, "")
	ctx := deadline(t, 3*time.Minute)
	status := s.live(ctx, t)
	require.Equal(t, [2]int{640, 360}, [2]int{status.Width, status.Height})
	require.Empty(t, status.Counters.Faults, "a start without faults")
	regions, hiding := collectRegions(ctx, t, s.conn)
	v := watch(ctx, t, s.base, "door")
	j := newJudge(t)
	dec, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer dec.Close()
	for id := int64(1); j.pictures < watched+warmUp; id++ {
		sample, err := v.next(ctx)
		require.NoError(t, err)
		require.NoError(t, dec.Decode(sample.data, id, func(p decode.Picture) error {
			j.see(p.Image)
			return nil
		}))
	}
	j.judge(regions)
	require.LessOrEqual(t, j.covered, hiding(), "pictures without a stamp that no region hides")
}

// seenPicture is a picture that the viewer received.
type seenPicture struct {
	number   uint32
	captured time.Time
	im       *yuv.Image
}

// judge holds the pictures that the viewer saw.
type judge struct {
	t        *testing.T
	pictures int
	slates   int
	// covered counts pictures after the warm-up whose stamp is hidden by the region of
	// a nearby face.
	covered int
	seen    []seenPicture
}

func newJudge(t *testing.T) *judge { return &judge{t: t} }

func (j *judge) see(im *yuv.Image) {
	s, err := stamptest.Read(im)
	if err != nil && isSlate(im) {
		j.slates++
		return
	}
	j.pictures++
	if err != nil {
		if j.pictures > warmUp {
			j.covered++
		}
		return
	}
	if j.pictures > warmUp {
		j.seen = append(j.seen, seenPicture{s.Number, s.Captured, im.Clone()})
	}
}

// isSlate reports whether a picture is a slate, which is dark, unlike the drawn room.
func isSlate(im *yuv.Image) bool {
	sum := 0
	for y := range im.Height {
		for _, v := range im.Y[y*im.YStride : y*im.YStride+im.Width] {
			sum += int(v)
		}
	}
	return sum/(im.Width*im.Height) < 64
}

// judge compares the pictures with the drawn ones.
func (j *judge) judge(regions func(number uint32) ([]image.Rectangle, bool)) {
	t := j.t
	for i, p := range j.seen[1:] {
		require.Greater(t, p.number, j.seen[i].number, "a frozen picture, or one out of order")
	}
	drawn := int(j.seen[len(j.seen)-1].number-j.seen[0].number) + 1
	t.Logf("%d of %d pictures arrived, %d slates before", len(j.seen), drawn, j.slates)
	require.GreaterOrEqual(t, float64(len(j.seen)+j.covered), 0.95*float64(drawn), "share of the drawn pictures that arrived")

	truth, err := scene.New(drawnScene)
	require.NoError(t, err)
	reference, err := yuv.New(drawnScene.Width, drawnScene.Height)
	require.NoError(t, err)
	detector := openDetector(t)
	faces, hard, exposed, strays, worst, withBands := 0, 0, 0, 0, math.Inf(1), 0.0
	for _, p := range j.seen {
		covered, ok := regions(p.number)
		require.True(t, ok, "no unit on the bus was picture %d", p.number)
		facts, err := truth.Draw(reference, p.number, p.captured)
		require.NoError(t, err)
		withBands += psnrOutside(p.im, reference, covered, 0)
		psnr := psnrOutside(p.im, reference, covered, maxBand)
		worst = min(worst, psnr)
		require.GreaterOrEqual(t, psnr, float64(minPSNR), "picture %d outside its regions", p.number)
		for _, f := range facts.Faces {
			if f.Box.H < minFace {
				continue
			}
			share := coverage(f.Box, covered, reference.Bounds())
			if !mustBeHidden(f) {
				hard++
				if share < minCovered {
					exposed++
				}
				continue
			}
			faces++
			require.GreaterOrEqual(t, share, minCovered,
				"picture %d: face of person %d at %v, visible %.2f, yaw %.0f, is exposed; regions %v", p.number, f.Person, f.Box.Rect(), f.Visible, f.Yaw, covered)
		}
		if stray(t, detector, p.im, &facts, covered) {
			strays++
		}
	}
	require.LessOrEqual(t, 100*strays, maxStrays*len(j.seen), "pictures with a false detection")
	withBands /= float64(len(j.seen))
	require.GreaterOrEqual(t, withBands, float64(minPSNR), "mean outside the regions, including their faded edges")
	t.Logf("mean PSNR outside the regions %.1f dB", withBands)
	t.Logf("%d faces in profile or mostly hidden, %d of them exposed", hard, exposed)
	t.Logf("%d faces obscured, PSNR outside the regions at least %.1f dB", faces, worst)
	require.Greater(t, faces, watched, "too few faces")
}

const (
	// foundAgain is the minimum IoU of a detection with a true face to count as found.
	foundAgain = 0.5
	// mostlyPaint is the minimum share of a detection within regions to count as a veil.
	mostlyPaint = 0.5
	// maxStrays is the maximum percentage of redacted pictures in which something that is
	// no face is detected as one.
	maxStrays = 2
)

// mustBeHidden reports whether a face must be obscured in every picture: it is large
// enough, mostly visible, and not turned far away.
func mustBeHidden(f scene.TrueFace) bool {
	return f.Box.H >= minFace && f.Visible >= minVisible && math.Abs(f.Yaw) <= maxYaw
}

// stray detects faces in a redacted picture. It fails if a face that must be hidden is
// found, or a part of one that is not obscured. It reports whether something other than a
// face was taken for one: a veil, the back of a head, or furniture. Another face, such as
// a profile, is logged; docs/redaction.md has how many of these are missed.
func stray(t *testing.T, detector redact.Detector, im *yuv.Image, truth *scene.Truth, covered []image.Rectangle) bool {
	t.Helper()
	strays := 0
	for _, f := range faces(t, detector, im) {
		veiled, hard := coverage(f.Box, covered, im.Bounds()) >= mostlyPaint, false
		for _, there := range truth.Faces {
			switch {
			case !mustBeHidden(there):
				hard = hard || f.Box.Intersect(there.Box) > 0
			case f.Box.Intersect(there.Box) > 0:
				require.Less(t, f.Box.IoU(there.Box), foundAgain, "in redacted picture %d the face of person %d is found", truth.Frame, there.Person)
				require.True(t, veiled, "in redacted picture %d a part of the face of person %d is found at %v", truth.Frame, there.Person, f.Box.Rect())
			}
		}
		if hard && !veiled {
			t.Logf("in redacted picture %d a face in profile or mostly hidden is found at %v", truth.Frame, f.Box.Rect())
			continue
		}
		strays++
	}
	return strays > 0
}

// openDetector returns the detector for redacted pictures, at the usual threshold.
// YuNet-n is preferred if available, because another detector obscured the pictures.
func openDetector(t *testing.T) redact.Detector {
	t.Helper()
	c := detect.Config{Size: 640, Threshold: 0.5}
	if testenv.Has(t, testenv.YuNet) {
		c.Model = testenv.Path(t, testenv.YuNet)
	}
	d, err := detect.Open(c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// collectRegions subscribes to the camera. It returns the obscured regions of a
// picture, and the number of pictures whose stamp was hidden by a region.
func collectRegions(ctx context.Context, t *testing.T, conn *bus.Conn) (regions func(number uint32) ([]image.Rectangle, bool), hiding func() int) {
	t.Helper()
	sub, err := conn.Subscribe("test", "door", transport.MainRendition)
	require.NoError(t, err)
	byNumber, hidden := make(map[uint32][]image.Rectangle), 0
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(done)
		dec, err := decode.New(decode.Options{})
		if err != nil {
			return
		}
		defer dec.Close()
		for id := int64(1); ; id++ {
			u, err := sub.Next(ctx)
			if err != nil {
				return
			}
			_ = dec.Decode(u.Data, id, func(p decode.Picture) error {
				if s, err := stamptest.Read(p.Image); err == nil {
					byNumber[s.Number] = rectangles(u.Regions)
				} else if slices.ContainsFunc(rectangles(u.Regions), stamp.Bounds(u.Width, u.Height).Overlaps) {
					hidden++
				}
				return nil
			})
		}
	}()
	stop := func() {
		cancel()
		sub.Close()
		<-done
	}
	t.Cleanup(stop)
	regions = func(number uint32) ([]image.Rectangle, bool) {
		stop() // the viewer has already seen all requested pictures
		r, ok := byNumber[number]
		return r, ok
	}
	return regions, func() int {
		stop()
		return hidden
	}
}

func rectangles(regions []geom.Region) (out []image.Rectangle) {
	for i := range regions {
		out = append(out, regions[i].Rect)
	}
	return out
}

// coverage returns the share of a box that is within regions, as far as the box is
// within the picture.
func coverage(box geom.Box, regions []image.Rectangle, bounds image.Rectangle) float64 {
	r := box.Rect().Intersect(bounds)
	inside, all := 0, 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			all++
			if anyHolds(regions, image.Pt(x, y)) {
				inside++
			}
		}
	}
	if all == 0 {
		return 1
	}
	return float64(inside) / float64(all)
}

func anyHolds(regions []image.Rectangle, p image.Point) bool {
	return slices.ContainsFunc(regions, p.In)
}

// maxBand is the maximum width in pixels of a region's faded edge.
const maxBand = 12

// psnrOutside returns the PSNR in dB of the luma more than margin pixels away from the
// regions.
func psnrOutside(got, want *yuv.Image, regions []image.Rectangle, margin int) float64 {
	mask := make([]bool, want.Width*want.Height)
	for _, r := range regions {
		r = r.Inset(-margin).Intersect(want.Bounds())
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				mask[y*want.Width+x] = true
			}
		}
	}
	var sum, n float64
	for y := range want.Height {
		for x := range want.Width {
			if !mask[y*want.Width+x] {
				d := float64(got.Y[y*got.YStride+x]) - float64(want.Y[y*want.YStride+x])
				sum += d * d
				n++
			}
		}
	}
	if sum == 0 || n == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(255*255*n/sum)
}
