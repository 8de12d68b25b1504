package detect

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/redact/yuv"
)

func TestEnginesFindTheSameLabelledFaces(t *testing.T) {
	networks(t, testEnginesFindTheSame)
}

func testEnginesFindTheSame(t *testing.T, model string) {
	ours, opencv := engines(t, Config{Model: model, Size: 640})
	there, found := 0, [2]int{}
	for _, photo := range photographs(t) {
		for i, d := range []*yuNet{ours, opencv} {
			faces, _ := detect(t, d, photo.im)
			for _, box := range photo.boxes {
				there += i
				for _, g := range faces {
					if g.Box.IoU(box) > 0.3 {
						found[i]++
						break
					}
				}
			}
		}
	}
	t.Logf("of %d faces scrim finds %d, OpenCV %d", there, found[0], found[1])
	require.Positive(t, there)
	require.Equal(t, found[1], found[0])
	require.GreaterOrEqual(t, found[0]*100, there*95)
}

func TestEnginesAgreeOnClips(t *testing.T) {
	clips, err := filepath.Glob(filepath.Join(testenv.Path(t, testenv.Clips), "*.mp4"))
	require.NoError(t, err)
	testenv.Need(t, testenv.FFmpeg)
	var all []*yuv.Image
	for _, clip := range clips {
		all = append(all, frames(t, clip, 8)...)
	}
	networks(t, func(t *testing.T, model string) { agree(t, Config{Model: model, Size: 640}, all) })
}

// frames returns up to n pictures of a clip, one every two seconds.
func frames(t *testing.T, clip string, n int) (all []*yuv.Image) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-threads", "1", "-i", clip, //nolint:gosec // a test's own file
		"-vf", "fps=1/2", "-frames:v", fmt.Sprint(n), "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-")
	out, err := cmd.Output()
	require.NoError(t, err, clip)
	r := bufio.NewReader(bytes.NewReader(out))
	head, err := r.ReadString('\n')
	require.NoError(t, err)
	var w, h int
	_, err = fmt.Sscanf(head, "YUV4MPEG2 W%d H%d", &w, &h)
	require.NoError(t, err, head)
	for {
		if _, err = r.ReadString('\n'); err == io.EOF { //nolint:errorlint // bufio returns it as it is
			return all
		}
		require.NoError(t, err)
		im, err := yuv.New(w, h)
		require.NoError(t, err)
		for _, p := range []struct {
			to           []byte
			stride, w, h int
		}{{im.Y, im.YStride, w, h}, {im.U, im.CStride, (w + 1) / 2, (h + 1) / 2}, {im.V, im.CStride, (w + 1) / 2, (h + 1) / 2}} {
			for y := range p.h {
				_, err := io.ReadFull(r, p.to[y*p.stride:y*p.stride+p.w])
				require.NoError(t, err)
			}
		}
		all = append(all, im)
	}
}
