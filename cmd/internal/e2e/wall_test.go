package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/simcam"
	"scrim/redact/yuv"
)

const (
	// wallFaces are visible in each camera's picture that is kept; one is enough for the
	// test.
	wallFaces = 3
	// minAlike is how much what is not a face looks like what was drawn, maxAlike how
	// much a face may: the correlation of lightness. A face that is not covered has 0.98.
	minAlike, maxAlike = 0.9, 0.8
	// wallWidth and wallHeight are those of the page: half the picture.
	wallWidth, wallHeight = 600, 914
)

var wallCameras = map[string]scene.Options{
	"entrance": {Width: 640, Height: 360, FPS: 12, Seed: 21, People: 6, MinFace: 24, MaxFace: 70},
	"lobby":    {Width: 640, Height: 360, FPS: 12, Seed: 8, People: 6, MinFace: 24, MaxFace: 70},
}

// TestFacesOfDrawnPeopleAreHiddenOnTheWall compares the page of a site, in a browser,
// with what its cameras drew. With SCRIM_SCREENSHOTS it keeps both, side by side.
func TestFacesOfDrawnPeopleAreHiddenOnTheWall(t *testing.T) {
	chromium := testenv.Path(t, testenv.Chromium)
	var yaml strings.Builder
	shown := map[string]*wallCamera{}
	dir, least := os.Getenv("SCRIM_SCREENSHOTS"), 1
	if dir != "" {
		least = wallFaces
	}
	for name, drawn := range wallCameras {
		c := newWallCamera(t, drawn)
		shown[name] = c
		fmt.Fprintf(&yaml, "  - {name: %s, url: %s}\n", name, c.URL())
	}
	s := serveCameras(t, nil, yaml.String())

	ctx := deadline(t, 2*time.Minute)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	tab, cancel := chromedp.NewContext(ctx)
	defer cancel()
	require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(wallWidth, wallHeight), chromedp.Navigate(s.base+"/")))
	holdWall(tab, t, shown, least)

	faces := 0
	for name, c := range shown {
		bounds := image.Rect(0, 0, c.before.Width, c.before.Height)
		covered := image.NewAlpha(bounds)
		for _, f := range c.truth.Faces {
			// Hair and background next to a face stay as they are.
			r := f.Box.Rect().Inset(int(f.Box.H / 8)).Intersect(bounds)
			hide(covered, f.Box.Rect().Inset(-int(f.Box.H)))
			if !faceSeen(f, bounds) {
				continue
			}
			faces++
			require.Less(t, alike(c.before, c.after, r, nil), maxAlike, "%s, picture %d: face of person %d at %v", name, c.truth.Frame, f.Person, r)
		}
		for _, head := range c.truth.Heads {
			hide(covered, head.Rect().Inset(-int(head.H/2)))
		}
		require.Greater(t, alike(c.before, c.after, bounds, covered), minAlike, "%s: the rest of the picture", name)
	}
	require.GreaterOrEqual(t, faces, least*len(shown))
	if dir != "" {
		drawWall(tab, t, shown, filepath.Join(dir, "wall.jpg"))
	}
}

// wallCamera is a drawn camera, and one of its pictures before and after.
type wallCamera struct {
	*simcam.Camera
	scene  *scene.Scene
	before *yuv.Image
	truth  scene.Truth
	after  *image.Gray
}

func newWallCamera(t *testing.T, drawn scene.Options) *wallCamera {
	t.Helper()
	c := &wallCamera{}
	var err error
	c.Camera, err = simcam.Start(simcam.Options{Listen: "127.0.0.1:0", Scene: drawn, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.scene, err = scene.New(drawn)
	require.NoError(t, err)
	c.scene.Prepare()
	c.before, err = yuv.New(drawn.Width, drawn.Height)
	require.NoError(t, err)
	return c
}

// faceSeen reports whether a face is whole, and seen from the front.
func faceSeen(f scene.TrueFace, bounds image.Rectangle) bool {
	return f.Box.H >= minFace && f.Visible > 0.9 && math.Abs(f.Yaw) <= maxYaw && f.Box.Rect().In(bounds)
}

// find draws the picture that is shown. It reports false if a cover hides its stamp.
func (c *wallCamera) find(t *testing.T) bool {
	t.Helper()
	for y := range c.before.Height {
		copy(c.before.Y[y*c.before.YStride:], c.after.Pix[y*c.after.Stride:y*c.after.Stride+c.before.Width])
	}
	s, err := stamptest.Read(c.before)
	if err != nil {
		return false
	}
	c.truth, err = c.scene.Draw(c.before, s.Number, s.Captured)
	require.NoError(t, err)
	return true
}

// grabVideos stops what is played, and returns it: a PNG for each camera.
const grabVideos = `Object.fromEntries([...document.querySelectorAll('video')].filter(v => v.videoWidth).map(v => {
  v.pause();
  const canvas = document.createElement('canvas');
  canvas.width = v.videoWidth; canvas.height = v.videoHeight;
  canvas.getContext('2d').drawImage(v, 0, 0);
  return [v.dataset.camera, canvas.toDataURL('image/png')];
}))`

// holdWall stops the page at a moment at which every camera sees some faces.
func holdWall(ctx context.Context, t *testing.T, cameras map[string]*wallCamera, least int) {
	t.Helper()
	for ctx.Err() == nil {
		live, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll('.tile[data-state="live"] .notice:not(.shown)').length`))
		require.NoError(t, err)
		if live != len(cameras) {
			time.Sleep(pollEvery)
			continue
		}
		grabbed, err := chromedp.Run(ctx, chromedp.Evaluate[map[string]string](grabVideos))
		require.NoError(t, err)
		good := len(grabbed) == len(cameras)
		for name, picture := range grabbed {
			c := cameras[name]
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(picture, "data:image/png;base64,"))
			require.NoError(t, err)
			shown, err := png.Decode(bytes.NewReader(raw))
			require.NoError(t, err)
			c.after = image.NewGray(shown.Bounds())
			draw.Draw(c.after, c.after.Rect, shown, image.Point{}, draw.Src)
			good = good && c.find(t)
			n := 0
			for _, f := range c.truth.Faces {
				if faceSeen(f, c.before.Bounds()) {
					n++
				}
			}
			good = good && n >= least
		}
		if good {
			return
		}
		_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](`document.querySelectorAll('video').forEach(v => v.play()), true`))
		require.NoError(t, err)
		time.Sleep(300 * time.Millisecond)
	}
	t.Fatal("no moment comes at which all cameras are live and see faces")
}

func hide(mask *image.Alpha, r image.Rectangle) {
	r = r.Intersect(mask.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			mask.SetAlpha(x, y, color.Alpha{A: 255})
		}
	}
}

// alike is the correlation of lightness within r, where mask is not set.
func alike(drawn *yuv.Image, shown *image.Gray, r image.Rectangle, mask *image.Alpha) float64 {
	var n, sx, sy, sxx, syy, sxy float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if mask != nil && mask.AlphaAt(x, y).A != 0 {
				continue
			}
			a, b := float64(drawn.Y[y*drawn.YStride+x]), float64(shown.GrayAt(x, y).Y)
			n, sx, sy, sxx, syy, sxy = n+1, sx+a, sy+b, sxx+a*a, syy+b*b, sxy+a*b
		}
	}
	return (n*sxy - sx*sy) / math.Sqrt((n*sxx-sx*sx)*(n*syy-sy*sy)+1e-9)
}

// wallPage has the cameras' pictures on the left, where the page shows them, and the
// page on the right.
var wallPage = template.Must(template.New("wall").Parse(`<!doctype html><meta charset="utf-8"><style>
body { position: relative; margin: 0; width: {{.Width}}px; height: {{.Height}}px; overflow: hidden; background: #f4f2ee;
  font: 600 16px/1.4 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; color: #20262d; }
img, p { position: absolute; margin: 0; }
.before { border-radius: 10px; }
small { display: block; color: #6a737c; font-weight: 400; font-size: 13px; }
</style>
<p style="left: 19px; top: 16px">What the cameras send</p>
{{range .Before}}<img class="before" src="{{.Image}}" style="left: {{.X}}px; top: {{.Y}}px; width: {{.W}}px; height: {{.H}}px">
<p style="left: {{.X}}px; top: {{.Y}}px; padding: 326px 14px">{{.Camera}}<small>stays on the site</small></p>{{end}}
<img src="{{.Page}}" style="left: {{.Half}}px; top: 0; width: {{.Half}}px">`))

type wallImage struct {
	Camera     string  `json:"camera"`
	X, Y, W, H float64 // lower case in JSON
	Image      string
}

// drawWall writes the picture of before and after.
func drawWall(ctx context.Context, t *testing.T, cameras map[string]*wallCamera, path string) {
	t.Helper()
	page, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	before, err := chromedp.Run(ctx, chromedp.Evaluate[[]wallImage](`[...document.querySelectorAll('video')].map(v => {
		const {x, y, width, height} = v.getBoundingClientRect();
		return {camera: v.dataset.camera, X: x, Y: y, W: width, H: height};
	})`))
	require.NoError(t, err)
	for i, b := range before {
		before[i].Image = dataURL(t, rgb(cameras[b.Camera].before))
	}
	var html bytes.Buffer
	require.NoError(t, wallPage.Execute(&html, map[string]any{
		"Width": 2 * wallWidth, "Height": wallHeight, "Half": wallWidth, "Before": before,
		"Page": "data:image/png;base64," + base64.StdEncoding.EncodeToString(page),
	}))
	file := writeFile(t, "wall.html", html.String())
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(2*wallWidth, wallHeight), chromedp.Navigate("file://"+file)))
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(shot))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, picture, &jpeg.Options{Quality: 85}))
	require.LessOrEqual(t, out.Len(), 200<<10)
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
}

func dataURL(t *testing.T, im image.Image) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, im))
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// rgb converts a picture of BT.601 with limited range.
func rgb(im *yuv.Image) image.Image {
	out := image.NewRGBA(im.Bounds())
	at := func(v float64) uint8 { return uint8(max(0, min(255, v+0.5))) }
	for y := range im.Height {
		for x := range im.Width {
			c := y/2*im.CStride + x/2
			l, u, v := 1.164*(float64(im.Y[y*im.YStride+x])-16), float64(im.U[c])-128, float64(im.V[c])-128
			out.SetRGBA(x, y, color.RGBA{R: at(l + 1.596*v), G: at(l - 0.392*u - 0.813*v), B: at(l + 2.017*u), A: 255})
		}
	}
	return out
}
