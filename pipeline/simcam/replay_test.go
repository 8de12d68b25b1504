package simcam

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/pipeline/scene"
	"scrim/transport"
)

// recordedClip draws a clip, coded as a camera does.
func recordedClip(t *testing.T, frames int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	o := RecordOptions{Path: path, Scene: scene.Options{Width: 320, Height: 180, FPS: 20, People: 2, Seed: 3}, Frames: frames, AsCamera: true}
	require.NoError(t, Record(t.Context(), o, func(Recorded) error { return nil }))
	return path
}

// The time of capture alone says which picture it is, also after the clip has
// begun anew.
func TestReplayedPicturesAreThoseThatTheirTimeSays(t *testing.T) {
	path := recordedClip(t, 30)
	cam, err := Start(Options{Listen: "127.0.0.1:0", Replay: path, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(cam.Close)
	w := watchCamera(t, cam.URL(), nil)
	rounds := make(map[int]bool)
	var last transport.CameraUnit
	for range 50 {
		s := w.next()
		after := s.unit.Captured.Sub(cam.Start())
		n := int((after + 10*time.Millisecond) / (50 * time.Millisecond))
		require.InDelta(t, float64(n)*50, float64(after)/float64(time.Millisecond), 0.1, "pictures are due at their times")
		require.EqualValues(t, n%30, s.stamp.Number)
		rounds[n/30] = true
		if !last.Captured.IsZero() {
			require.Equal(t, 50*time.Millisecond, s.unit.Captured.Sub(last.Captured).Round(time.Millisecond), "none is left out")
			require.Empty(t, s.unit.Discontinuity)
		}
		last = s.unit
	}
	require.GreaterOrEqual(t, len(rounds), 2)
}

func TestReplayedUnitsAreThoseOfTheFile(t *testing.T) {
	path := recordedClip(t, 20)
	c, err := OpenClip(path, 0)
	require.NoError(t, err)
	require.Len(t, c.Units, 20)
	require.Equal(t, [2]int{320, 180}, [2]int{c.Width, c.Height})
	require.InDelta(t, 20, c.FPS(), 0.01)
	require.Zero(t, c.Delay+c.Shift)
	part, err := OpenClip(path, 500*time.Millisecond)
	require.NoError(t, err)
	require.Len(t, part.Units, 10)

	again := filepath.Join(t.TempDir(), "again.mp4")
	require.NoError(t, SaveClip(again, part.Units))
	copied, err := OpenClip(again, 0)
	require.NoError(t, err)
	require.Equal(t, part.Units, copied.Units)
}

func TestClipsWithReorderedPicturesKeepTheirTimes(t *testing.T) {
	path := clip(t, "b.mp4", "-i", "testsrc=size=320x180:rate=20:duration=1", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "2", "-g", "20")
	c, err := OpenClip(path, 0)
	require.NoError(t, err)
	require.Len(t, c.Units, 20)
	require.Positive(t, c.Delay)
	again := filepath.Join(t.TempDir(), "again.mp4")
	require.NoError(t, SaveClip(again, c.Units))
	copied, err := OpenClip(again, 0)
	require.NoError(t, err)
	require.Equal(t, c.Units, copied.Units)

	dec, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer dec.Close()
	var order []int64
	show := func(p decode.Picture) error {
		order = append(order, c.Units[p.ID].PTS)
		return nil
	}
	for i := range c.Units {
		require.NoError(t, dec.Decode(c.Units[i].Data, int64(i), show))
	}
	require.NoError(t, dec.Flush(show))
	require.Len(t, order, 20)
	for i, pts := range order {
		require.EqualValues(t, i*transport.ClockRate/20, pts)
	}
}

func TestWhatCannotBeReplayedIsRefused(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage.mp4")
	require.NoError(t, os.WriteFile(garbage, bytes.Repeat([]byte("garbage "), 100), 0o600))
	_, err := OpenClip(garbage, 0)
	require.ErrorContains(t, err, garbage)
	_, err = OpenClip(filepath.Join(t.TempDir(), "none.mp4"), 0)
	require.ErrorContains(t, err, "none.mp4")
	_, err = OpenClip(clip(t, "mpeg.mp4", "-i", "testsrc=size=160x120:rate=20:duration=0.3", "-c:v", "mpeg4"), 0)
	require.ErrorIs(t, err, ErrCoding)
	_, err = OpenClip(clip(t, "444.mp4", "-i", "testsrc=size=160x120:rate=20:duration=0.3", "-pix_fmt", "yuv444p", "-c:v", "libx264"), 0)
	require.ErrorIs(t, err, ErrCoding)
	require.ErrorContains(t, SaveClip(filepath.Join(t.TempDir(), "empty.mp4"), nil), "less than two")
	_, err = Start(Options{Listen: "127.0.0.1:0", Replay: garbage})
	require.ErrorContains(t, err, garbage)
}

func TestAFileCanBeRecordedAnew(t *testing.T) {
	from := clip(t, "mpeg.mp4", "-i", "testsrc=size=160x120:rate=20:duration=0.5", "-c:v", "mpeg4")
	path := filepath.Join(t.TempDir(), "coded.mp4")
	require.NoError(t, Record(t.Context(), RecordOptions{Path: path, File: from, Frames: 15, AsCamera: true}, func(Recorded) error { return nil }))
	c, err := OpenClip(path, 0)
	require.NoError(t, err)
	require.Len(t, c.Units, 15, "a file begins anew")
	require.Equal(t, [2]int{160, 120}, [2]int{c.Width, c.Height})
}
