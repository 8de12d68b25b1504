package files

import (
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// drawVideo draws people into a video and returns its truth.
func drawVideo(t *testing.T, path string, o scene.Options, frames int) []scene.Truth {
	t.Helper()
	s, err := scene.New(o)
	require.NoError(t, err)
	raw := filepath.Join(t.TempDir(), "raw.yuv")
	f, err := os.Create(raw)
	require.NoError(t, err)
	im, err := yuv.New(o.Width, o.Height)
	require.NoError(t, err)
	truths := make([]scene.Truth, 0, frames)
	for n := range frames {
		truth, err := s.Draw(im, uint32(n), time.Unix(0, 0)) //nolint:gosec // small
		require.NoError(t, err)
		truths = append(truths, truth)
		for _, p := range []struct {
			pix          []byte
			stride, w, h int
		}{{im.Y, im.YStride, im.Width, im.Height}, {im.U, im.CStride, im.ChromaWidth(), im.ChromaHeight()}, {im.V, im.CStride, im.ChromaWidth(), im.ChromaHeight()}} {
			for y := range p.h {
				_, err := f.Write(p.pix[y*p.stride : y*p.stride+p.w])
				require.NoError(t, err)
			}
		}
	}
	require.NoError(t, f.Close())
	ffmpeg(t, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "640x360", "-r", "15", "-i", raw, "-c:v", "libx264", "-crf", "18", path)
	return truths
}

// The drawn people's faces are covered in every frame of the file, and nearly
// every time also those that are turned away or hidden in part.
func TestFacesOfDrawnPeopleAreCovered(t *testing.T) {
	testenv.Need(t, testenv.FFmpeg)
	d := realDetector(t)
	in := filepath.Join(t.TempDir(), "people.mp4")
	const frames = 60
	truths := drawVideo(t, in, scene.Options{Width: 640, Height: 360, FPS: 15, Seed: 11, People: 10, MinFace: 24}, frames)
	r := redactFile(t, in, "people.mp4", func(o *Options) { o.Detector = d })
	require.NoError(t, r.err)
	require.Len(t, r.records, frames)
	plain, covered, there := 0, map[string]int{}, map[string]int{}
	for n, truth := range truths {
		for _, f := range truth.Faces {
			part := coverage(f.Box.Rect(), r.records[n].Regions)
			var kind string
			yaw := math.Abs(f.Yaw)
			switch {
			case f.Visible >= 0.9 && yaw <= 45:
				require.GreaterOrEqual(t, part, 0.95, "person %d in frame %d", f.Person, n)
				plain++
				continue
			case yaw > 75:
				kind = "turned away by more than 75°"
			case yaw > 45:
				kind = "turned away by 45° to 75°"
			case f.Visible >= 0.5:
				kind = "visible by half and more"
			default:
				kind = "visible by less than half"
			}
			there[kind]++
			if part >= 0.95 {
				covered[kind]++
			}
		}
	}
	t.Log(plain, "plain to see; covered", covered, "of", there)
	require.Greater(t, plain, frames, "hardly anybody is visible")
	require.Len(t, there, 4, "some kinds are not visible")
	for kind, n := range there { // all of them, when this was written
		require.GreaterOrEqual(t, covered[kind]*20, n*19, "%s: %d of %d", kind, covered[kind], n)
	}
}

// coverage returns the share of the part of a box that is in the picture that
// the regions cover.
func coverage(box image.Rectangle, regions []geom.RegionRecord) float64 {
	box = box.Intersect(image.Rect(0, 0, 640, 360))
	n := 0
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			for _, g := range regions {
				if image.Pt(x, y).In(g.Rect()) {
					n++
					break
				}
			}
		}
	}
	return float64(n) / float64(max(box.Dx()*box.Dy(), 1))
}
