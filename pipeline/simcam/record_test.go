package simcam

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/pipeline/scene"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/redact/yuv"
	"scrim/transport"
)

// recorded draws into a file and returns what is said of its pictures.
func recorded(t *testing.T, o RecordOptions) []Recorded {
	t.Helper()
	var out []Recorded
	require.NoError(t, Record(t.Context(), o, func(r Recorded) error {
		out = append(out, r)
		return nil
	}))
	return out
}

// distance is the PSNR of two pictures' luma in dB.
func distance(a, b *yuv.Image) float64 {
	x, y, sum := luma(a), luma(b), 0.0
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(x))/(sum+1e-9))
}

func TestRecordingHasEveryPictureAtItsTime(t *testing.T) {
	for name, fps := range map[string]float64{"a.mp4": 30000.0 / 1001, "b.MP4": 25, "c.h264": 25} {
		t.Run(name, func(t *testing.T) {
			o := RecordOptions{Path: filepath.Join(t.TempDir(), name), Frames: 70, Scene: small}
			o.Scene.FPS = fps
			said := recorded(t, o)
			require.Len(t, said, o.Frames)
			s, err := scene.New(o.Scene)
			require.NoError(t, err)
			drawn, err := yuv.New(o.Scene.Width, o.Scene.Height)
			require.NoError(t, err)

			f, err := decode.OpenFile(o.Path, decode.FileOptions{})
			require.NoError(t, err)
			defer f.Close()
			clock := f.Info().TimeBase
			for n := range o.Frames {
				p, err := f.Next()
				require.NoError(t, err, "picture %d", n)
				require.Empty(t, p.Damage)
				require.InDelta(t, float64(n)*transport.ClockRate/fps, said[n].PTS, 0.5)
				if name != "c.h264" { // which has no times
					require.Equal(t, said[n].PTS*int64(clock.Num())*transport.ClockRate, p.PTS*int64(clock.Num())*int64(clock.Den()))
				}
				read, err := stamptest.Read(p.Image)
				require.NoError(t, err)
				require.Equal(t, uint32(n), read.Number) //nolint:gosec // small
				truth, err := s.Draw(drawn, read.Number, read.Captured)
				require.NoError(t, err)
				require.Equal(t, truth, said[n].Truth)
				require.Greater(t, distance(drawn, p.Image), 40.0, "picture %d is not as it was drawn", n)
			}
			_, err = f.Next()
			require.ErrorIs(t, err, io.EOF)
		})
	}
}

func TestRecordingIsTheSameAgain(t *testing.T) {
	dir := t.TempDir()
	var files [2][]byte
	for i, name := range []string{"a.mp4", "b.mp4"} {
		recorded(t, RecordOptions{Path: filepath.Join(dir, name), Frames: 5, Scene: small})
		var err error
		files[i], err = os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
	}
	require.Equal(t, files[0], files[1])
}

func TestRecordingThatEndsEarlyLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	o := RecordOptions{Path: filepath.Join(dir, "a.mp4"), Frames: 10, Scene: small}
	full := errors.New("disk is full")
	for n := range 3 {
		err := Record(t.Context(), o, func(r Recorded) error {
			if int(r.Truth.Frame) == n {
				return full
			}
			return nil
		})
		require.ErrorIs(t, err, full)
		require.ErrorContains(t, err, o.Path)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := Record(ctx, o, func(Recorded) error {
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestRecordingReplacesAFileOnlyWhenItIsWhole(t *testing.T) {
	o := RecordOptions{Path: filepath.Join(t.TempDir(), "a.mp4"), Frames: 2, Scene: small}
	require.NoError(t, os.WriteFile(o.Path, []byte("old"), 0o600))
	require.NoError(t, Record(t.Context(), o, func(Recorded) error {
		old, err := os.ReadFile(o.Path)
		require.Equal(t, "old", string(old))
		return err
	}))
	info, err := os.Stat(o.Path)
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(1000))
}

func TestRecordingRefusesWhatItCannotDo(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		path   string
		frames int
		scene  scene.Options
		says   string
	}{
		"container": {"a.mkv", 2, small, ".mp4 or .h264"},
		"no name":   {"", 2, small, ".mp4 or .h264"},
		"nothing":   {"a.mp4", 0, small, "0 pictures"},
		"much":      {"a.mp4", MaxRecordFrames + 1, small, "1000001 pictures"},
		"scene":     {"a.mp4", 2, scene.Options{Width: 10, Height: 10}, "10×10"},
		"folder":    {"missing/a.mp4", 2, small, "no such file"},
	} {
		err := Record(t.Context(), RecordOptions{Path: filepath.Join(dir, c.path), Frames: c.frames, Scene: c.scene}, func(Recorded) error { return nil })
		require.ErrorContains(t, err, c.says, name)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestTimesDoNotDrift(t *testing.T) {
	const day = 24 * 3600
	require.Equal(t, int64(day)*transport.ClockRate, RecordPTS(day*25, 25))
	require.Equal(t, int64(3003), RecordPTS(1, 30000.0/1001))
	require.Equal(t, int64(3003)*1_000_000, RecordPTS(1_000_000, 30000.0/1001))
	last := RecordPTS(MaxRecordFrames, scene.MinFPS)
	require.Equal(t, time.Unix(MaxRecordFrames*10, 0), at(last))
	require.Equal(t, time.Unix(1, 500_000_000), at(135_000))
}
