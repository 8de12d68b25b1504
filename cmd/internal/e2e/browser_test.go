package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/simcam"
)

// readStamp reads the stamp of the camera's video from a canvas, as specified in
// pipeline/scene/stamp; null without a stamp.
const readStamp = `(() => {
  const video = document.querySelector('video[data-camera="door"]');
  if (!video || !video.videoWidth) return null;
  const width = video.videoWidth, canvas = document.createElement('canvas');
  canvas.width = width; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.drawImage(video, 0, 0);
  const d = context.getImageData(0, 0, width, video.videoHeight).data;
  const s = width / 128, words = [0, 0, 0, 0];
  for (let row = 0; row < 4; row++) for (let col = 0; col < 32; col++) {
    const span = c => { const lo = Math.round((c + 1.25) * s); return [lo, Math.max(lo + 1, Math.round((c + 1.75) * s))]; };
    const [x0, x1] = span(col), [y0, y1] = span(row);
    let sum = 0;
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += d[4 * (y * width + x) + 1];
    words[row] = (words[row] << 1 | (sum / ((x1 - x0) * (y1 - y0)) >= 128)) >>> 0;
  }
  let crc = ~0;
  for (let i = 0; i < 12; i++) {
    crc ^= words[i >> 2] >>> (24 - 8 * (i & 3)) & 255;
    for (let k = 0; k < 8; k++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  if ((~crc >>> 0) !== words[3]) return null;
  const ns = BigInt.asIntN(64, BigInt(words[1]) << 32n | BigInt(words[2]));
  return {number: words[0], age: Date.now() - Number(ns / 1000000n), width: width, height: video.videoHeight,
    time: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames};
})()`

// stampSeen is the result of readStamp.
type stampSeen struct {
	Number uint32  `json:"number"`
	Age    float64 `json:"age"` // ms
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Time   float64 `json:"time"` // s
	Frames float64 `json:"frames"`
}

// TestPageInABrowser watches the page in real Chromium.
func TestPageInABrowser(t *testing.T) {
	chromium := testenv.Path(t, testenv.Chromium)
	s := newSite(t, simcam.Options{Scene: drawnScene}, "")
	ctx := deadline(t, 3*time.Minute)
	s.live(ctx, t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.WindowSize(1280, 800), chromedp.UserDataDir(t.TempDir()))
	actx, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	bctx, cancel := chromedp.NewContext(actx)
	defer cancel()
	require.NoError(t, chromedp.Do(bctx, chromedp.Navigate(s.base+"/")))

	first := stampBeyond(bctx, t, 0, 0)
	require.Equal(t, [2]int{drawnScene.Width, drawnScene.Height}, [2]int{first.Width, first.Height})
	// The stamp advances with the camera: it drew these pictures after the page was
	// opened.
	shown := s.camera.Frames()
	later := stampBeyond(bctx, t, uint32(shown), first.Frames+30) //nolint:gosec // a small count
	require.Greater(t, later.Time, first.Time)
	t.Logf("picture %d after %d, glass to glass %.0f ms", later.Number, first.Number, later.Age)

	shot, err := chromedp.Run(bctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(artefacts(t), "page.png"), shot, 0o600))
	text, err := chromedp.Run(bctx, chromedp.Text("body"))
	require.NoError(t, err)
	require.Contains(t, text, "door")
	require.Contains(t, text, "live")
}

// stampBeyond waits until the page shows a picture after the number, and has shown a
// number of frames.
func stampBeyond(ctx context.Context, t *testing.T, number uint32, frames float64) stampSeen {
	t.Helper()
	var last *stampSeen
	end := time.Now().Add(limit)
	for time.Now().Before(end) {
		seen, err := chromedp.Run(ctx, chromedp.Evaluate[*stampSeen](readStamp))
		require.NoError(t, err)
		if seen != nil && seen.Number > number && seen.Frames >= frames {
			return *seen
		}
		if seen != nil {
			last = seen
		}
	}
	t.Fatalf("the page shows nothing beyond picture %d and %.0f frames; last %+v", number, frames, last)
	return stampSeen{}
}

// artefacts returns the folder in which tests keep files for people to look at.
func artefacts(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../artefacts")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(dir, 0o755)) //nolint:gosec // pictures of drawn people
	return dir
}
