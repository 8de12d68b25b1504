package simcam

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/redact/yuv"
)

// clip makes a video with FFmpeg's test source, whose pictures are all
// different.
func clip(t *testing.T, name string, args ...string) string {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	path := filepath.Join(t.TempDir(), name)
	args = append([]string{"-v", "error", "-f", "lavfi"}, args...)
	out, err := exec.CommandContext(t.Context(), ffmpeg, append(args, path)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// luma returns a picture's luma without the padding of its rows.
func luma(im *yuv.Image) []byte {
	var out []byte
	for y := range im.Height {
		out = append(out, im.Y[y*im.YStride:y*im.YStride+im.Width]...)
	}
	return out
}

func TestFileIsShownInALoop(t *testing.T) {
	for name, c := range map[string]struct {
		args          []string
		width, height int
		frames        int
	}{
		"plain.mp4":  {[]string{"-i", "testsrc=size=160x120:rate=20:duration=0.5", "-pix_fmt", "yuv420p", "-c:v", "libx264"}, 160, 120, 10},
		"444.mkv":    {[]string{"-i", "testsrc=size=160x120:rate=20:duration=0.3", "-pix_fmt", "yuv444p", "-c:v", "libx264"}, 160, 120, 6},
		"odd.mkv":    {[]string{"-i", "testsrc=size=161x121:rate=20:duration=0.3", "-pix_fmt", "yuv444p", "-c:v", "ffv1"}, 160, 120, 6},
		"rgb.avi":    {[]string{"-i", "testsrc=size=98x50:rate=20:duration=0.3", "-c:v", "png"}, 98, 50, 6},
		"jpeg.avi":   {[]string{"-i", "testsrc=size=160x120:rate=20:duration=0.3", "-pix_fmt", "yuvj420p", "-c:v", "mjpeg"}, 160, 120, 6},
		"b.mp4":      {[]string{"-i", "testsrc=size=160x120:rate=20:duration=0.5", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "3"}, 160, 120, 10},
		"picture.ts": {[]string{"-i", "testsrc=size=160x120:rate=25", "-frames:v", "1", "-pix_fmt", "yuv420p", "-c:v", "mpeg2video"}, 160, 120, 1},
		"sound.mkv": {[]string{
			"-i", "testsrc=size=160x120:rate=20:duration=0.3", "-f", "lavfi", "-i", "sine=duration=0.3", "-map", "1", "-map", "0",
			"-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "pcm_s16le",
		}, 160, 120, 6},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openFile(clip(t, name, c.args...))
			require.NoError(t, err)
			defer f.close()
			if c.frames > 1 {
				require.Equal(t, time.Second/20, f.interval())
			}
			var first [][]byte
			for n := range 3 * c.frames {
				im, err := f.shoot(uint32(n), time.Now()) //nolint:gosec // small
				require.NoError(t, err)
				require.Equal(t, [2]int{c.width, c.height}, [2]int{im.Width, im.Height})
				if n < c.frames {
					first = append(first, luma(im))
					continue
				}
				require.True(t, bytes.Equal(first[n%c.frames], luma(im)), "picture %d is not that of the first time round", n)
			}
			if c.frames > 1 {
				require.False(t, bytes.Equal(first[0], first[1]), "the pictures are the same")
			}
		})
	}
}

func TestFileIsServed(t *testing.T) {
	path := clip(t, "clip.mkv", "-i", "testsrc=size=161x121:rate=20:duration=0.5", "-pix_fmt", "yuv444p", "-c:v", "ffv1")
	c := startCamera(t, Options{File: path})
	w := watchCamera(t, c.URL(), nil)
	last := w.next()
	for range 25 { // more than there are in the file
		s := w.next()
		require.Equal(t, [2]int{160, 120}, [2]int{s.im.Width, s.im.Height})
		require.Empty(t, s.unit.Gap.Kind)
		require.Greater(t, s.unit.PTS, last.unit.PTS)
		last = s
	}
}

func TestFileThatGoesAwayEndsTheCamera(t *testing.T) {
	path := clip(t, "clip.mp4", "-i", "testsrc=size=160x120:rate=20:duration=0.3", "-pix_fmt", "yuv420p", "-c:v", "libx264")
	c := startCamera(t, Options{File: path})
	require.NoError(t, os.Remove(path))
	select {
	case <-c.Done():
		require.ErrorContains(t, c.Err(), path)
	case <-time.After(waiting):
		t.Fatal("the camera goes on with nothing")
	}
}

func TestFileWithoutVideoIsSaid(t *testing.T) {
	path := clip(t, "sound.wav", "-i", "sine=duration=0.1")
	_, err := Start(Options{Listen: "127.0.0.1:0", File: path})
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "no video track")
}
