package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// Foreign streams start with any picture of a group.
const (
	foreignFilm     = 8 * time.Second
	foreignPictures = 20
)

// film draws people into a file, for foreign programs.
func film(t *testing.T, o scene.Options) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	frames := int(foreignFilm.Seconds() * o.FPS)
	require.NoError(t, simcam.Record(t.Context(), simcam.RecordOptions{Path: path, Scene: o, Frames: frames}, func(simcam.Recorded) error { return nil }))
	return path
}

// TestForeignProgramsAsCameras uses streams of FFmpeg and GStreamer, served by go2rtc,
// with features that the drawn camera lacks: B frames, several slices per picture, and
// in-band parameter sets only.
func TestForeignProgramsAsCameras(t *testing.T) {
	o := drawnScene
	o.FPS = 10
	path := film(t, o)
	for _, c := range []struct {
		name    string
		program testenv.Condition
		source  string
	}{
		{"FFmpeg pushes, three B-frames", testenv.FFmpeg, "exec:ffmpeg -hide_banner -v error -re -stream_loop -1 -i " + path +
			" -c:v libx264 -preset veryfast -bf 3 -g 10 -an -f rtsp {output}"},
		{"FFmpeg pushes, four slices, main profile", testenv.FFmpeg, "exec:ffmpeg -hide_banner -v error -re -stream_loop -1 -i " + path +
			" -c:v libx264 -preset veryfast -tune zerolatency -profile:v main -x264-params slices=4:sliced-threads=0" +
			" -g 10 -an -f rtsp {output}"},
		// One slice: go2rtc makes a picture with its own timestamp of each slice that it
		// reads from a pipe. Such a stream is damaged, and shown as slates.
		{"GStreamer, parameter sets in-band", testenv.GStreamer, "exec:gst-launch-1.0 -q filesrc location=" + path +
			" ! decodebin ! videoconvert ! identity sync=true ! x264enc tune=zerolatency key-int-max=10 bitrate=1000 speed-preset=veryfast" +
			" option-string=sliced-threads=0:slices=1" +
			" ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream ! fdsink"},
	} {
		t.Run(c.name, func(t *testing.T) {
			testenv.Need(t, c.program)
			s := siteOf(t, go2rtc(t, c.source), "", nil)
			ctx := deadline(t, 2*limit)
			// The film repeats, and so do its numbers.
			witness := newWitness(t, s.conn, "door", o)
			status := s.live(ctx, t)
			require.Equal(t, [2]int{o.Width, o.Height}, [2]int{status.Width, status.Height})
			v := watch(ctx, t, s.base, "door")
			numbers := readNumbers(ctx, t, v, foreignPictures)
			back := 0
			for i, n := range numbers[1:] {
				if n <= numbers[i] {
					back++
				}
			}
			require.LessOrEqual(t, back, 1, "pictures arrive in presentation order: %v", numbers)
			witness.mu.Lock()
			defer witness.mu.Unlock()
			t.Logf("%d faces to be covered; not covered while they came into the picture: %v", witness.faces, witness.entering)
			require.Empty(t, witness.exposed)
		})
	}
}
