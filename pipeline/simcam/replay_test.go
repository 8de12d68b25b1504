package simcam

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/pipeline/scene"
	"scrim/transport"
	"scrim/transport/rtsp"
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
// started over.
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
			require.Empty(t, s.unit.Gap.Kind)
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
	require.InDelta(t, transport.ClockRate, c.Length, 50, "20 pictures at 20 per second")
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
	require.ErrorContains(t, SaveClip(filepath.Join(t.TempDir(), "empty.mp4"), nil), "fewer than two")
	_, err = Start(Options{Listen: "127.0.0.1:0", Replay: garbage})
	require.ErrorContains(t, err, garbage)
}

func TestAFileCanBeRecordedAnew(t *testing.T) {
	from := clip(t, "mpeg.mp4", "-i", "testsrc=size=160x120:rate=20:duration=0.5", "-c:v", "mpeg4")
	path := filepath.Join(t.TempDir(), "coded.mp4")
	require.NoError(t, Record(t.Context(), RecordOptions{Path: path, File: from, Frames: 15, AsCamera: true}, func(Recorded) error { return nil }))
	c, err := OpenClip(path, 0)
	require.NoError(t, err)
	require.Len(t, c.Units, 15, "a file repeats")
	require.Equal(t, [2]int{160, 120}, [2]int{c.Width, c.Height})
}

// H.265 and MJPEG are sent as they are coded, too, and arrive as they were.
func TestReplayedUnitsOfEveryCodecArriveWhole(t *testing.T) {
	source := []string{"-i", "testsrc=size=320x176:rate=20:duration=1"}
	for name, c := range map[string]struct {
		codec transport.Codec
		args  []string
	}{
		"hevc.mp4": {transport.H265, []string{"-pix_fmt", "yuv420p", "-c:v", "libx265", "-x265-params", "log-level=none:bframes=2:keyint=10:open-gop=1:slices=2"}},
		"hevc.ts":  {transport.H265, []string{"-pix_fmt", "yuv420p", "-c:v", "libx265", "-x265-params", "log-level=none:bframes=0:keyint=10:repeat-headers=1"}},
		"jpeg.mkv": {transport.MJPEG, []string{"-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-huffman", "default"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := clip(t, name, slices.Concat(source, c.args)...)
			from, err := OpenClip(path, 0)
			require.NoError(t, err)
			require.Equal(t, c.codec, from.Codec)
			require.Equal(t, [2]int{320, 176}, [2]int{from.Width, from.Height})
			require.Len(t, from.Units, 20)
			cam, err := Start(Options{Listen: "127.0.0.1:0", Replay: path, Log: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			t.Cleanup(cam.Close)
			client, err := rtsp.NewClient(rtsp.Config{Camera: "test", URL: cam.URL(), Log: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := 0
			err = client.Run(ctx, func(u transport.CameraUnit) {
				require.Equal(t, c.codec, u.Codec)
				require.Equal(t, n == 0, u.Gap.Kind != transport.GapNone, u.Gap.Text)
				info, err := bitstream.Inspect(u.Codec, u.Data)
				require.NoError(t, err)
				require.True(t, slices.ContainsFunc(from.Units, func(f ClipUnit) bool { return bytes.HasSuffix(f.Data, info.Data[len(info.Data)/2:]) }))
				if n++; n == 15 {
					cancel()
				}
			})
			require.ErrorIs(t, err, context.Canceled)
			require.GreaterOrEqual(t, n, 15)
		})
	}
	_, err := OpenClip(clip(t, "own.mkv", slices.Concat(source, []string{"-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-huffman", "optimal"})...), 0)
	require.ErrorIs(t, err, ErrCoding)
	require.ErrorContains(t, err, "Huffman tables of its own")
}

func TestTablesThatAreLeftOutAreThoseOfTheStandard(t *testing.T) {
	var b bytes.Buffer // coded by them
	require.NoError(t, jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420), nil))
	_, tables := cutHuffman(b.Bytes())
	require.Len(t, tables, len(huffman))
	for i, table := range tables {
		require.Equal(t, huffman[i], fmt.Sprintf("%x", sha256.Sum256(table)))
	}
	out, err := withoutHuffman(b.Bytes())
	require.NoError(t, err)
	require.NotContains(t, string(out), "\xff\xc4")
	for n := range b.Len() { // cut anywhere
		cutHuffman(b.Bytes()[:n])
	}
}
