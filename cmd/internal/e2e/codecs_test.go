package e2e

import (
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/decode"
	"scrim/pipeline/scene"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/simcam"
	"scrim/transport"
)

const (
	// codedPictures is the number of pictures of a film; judged is how many published
	// ones are checked.
	codedPictures = 60
	judged        = 50
)

// codedScene is their scene.
var codedScene = scene.Options{Width: 640, Height: 360, FPS: 15, Seed: 11, People: 9}

// codings are the other codings of cameras, by their ffmpeg arguments.
var codings = map[string][]string{
	"h265.mp4": {
		"-c:v", "libx265", "-preset", "ultrafast", "-crf", "16", "-pix_fmt", "yuv420p",
		"-x265-params", "log-level=none:bframes=2:b-adapt=0:keyint=15:min-keyint=15:open-gop=1:slices=2:repeat-headers=1",
	},
	"mjpeg.mkv": {"-c:v", "mjpeg", "-huffman", "default", "-q:v", "2", "-pix_fmt", "yuvj420p"},
}

// TestCamerasOfOtherCodecsArePublishedRedacted has a camera that sends a drawn scene in
// another codec than H.264, over UDP. Every published picture must be one of the scene,
// and its faces must be obscured.
func TestCamerasOfOtherCodecsArePublishedRedacted(t *testing.T) {
	drawn, err := scene.New(codedScene)
	require.NoError(t, err)
	for name := range codings {
		t.Run(name, func(t *testing.T) {
			cam, err := simcam.Start(simcam.Options{
				Listen: "127.0.0.1:0", UDPPort: evenPort(t), Replay: filmOf(t, codedScene, name), Log: slog.New(slog.DiscardHandler),
			})
			require.NoError(t, err)
			t.Cleanup(cam.Close)
			s := siteOf(t, cam.URL(), "    transport: udp\n", cam)
			judgePublished(deadline(t, time.Minute), t, s, drawn)
		})
	}
}

// filmOf returns a film of a scene, coded as in codings.
func filmOf(t *testing.T, o scene.Options, coding string) string {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	dir := t.TempDir()
	drawn, path := filepath.Join(dir, "scene.mp4"), filepath.Join(dir, coding)
	require.NoError(t, simcam.Record(t.Context(), simcam.RecordOptions{Path: drawn, Scene: o, Frames: codedPictures}, func(simcam.Recorded) error { return nil }))
	args := append(append([]string{"-v", "error", "-i", drawn}, codings[coding]...), path)
	out, err := exec.CommandContext(t.Context(), ffmpeg, args...).CombinedOutput() //nolint:gosec // of the tests
	require.NoError(t, err, string(out))
	return path
}

// judgePublished compares the published pictures with the drawn ones.
func judgePublished(ctx context.Context, t *testing.T, s *site, drawn *scene.Scene) {
	t.Helper()
	sub, err := s.conn.Subscribe("test", "door", transport.MainRendition)
	require.NoError(t, err)
	defer sub.Close()
	s.live(ctx, t)
	dec, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer dec.Close()
	detector := openDetector(t)
	pictures, faces, exposed, strays, numbers := 0, 0, 0, 0, map[uint32]bool{}
	for id := int64(1); pictures < judged; id++ {
		u, err := sub.Next(ctx)
		require.NoError(t, err)
		if id == 1 && !u.Key {
			id = 0
			continue
		}
		require.NoError(t, dec.Decode(u.Data, id, func(p decode.Picture) error {
			st, err := stamptest.Read(p.Image)
			if u.State != transport.StateLive {
				require.Error(t, err, "a slate shows the camera's picture")
				return nil
			}
			require.Equal(t, [2]int{640, 360}, [2]int{p.Image.Width, p.Image.Height})
			pictures++
			if err != nil {
				return nil //nolint:nilerr // hidden by the region of a nearby face
			}
			require.Less(t, int(st.Number), codedPictures)
			numbers[st.Number] = true
			covered := rectangles(u.Regions)
			for _, f := range drawn.Truth(st.Number).Faces {
				if !mustBeHidden(f) {
					continue
				}
				faces++
				if coverage(f.Box, covered, p.Image.Bounds()) < minCovered {
					exposed++
				}
			}
			if truth := drawn.Truth(st.Number); stray(t, detector, p.Image, &truth, covered) {
				strays++
			}
			return nil
		}))
	}
	t.Logf("%d pictures, of %d numbers; %d faces, %d exposed", pictures, len(numbers), faces, exposed)
	require.Greater(t, len(numbers), judged/2, "most pictures of the scene are published")
	require.Greater(t, faces, judged/2)
	require.LessOrEqual(t, 100*strays, maxStrays*pictures, "pictures with a false detection")
	require.LessOrEqual(t, 100*exposed, faces, "of %d faces %d are exposed", faces, exposed)
}
