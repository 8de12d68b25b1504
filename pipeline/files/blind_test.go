package files

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// scriptedSight sees at the times that it is told.
type scriptedSight struct {
	sees   func(at time.Duration) bool
	resets int
}

func (s *scriptedSight) Judge(at time.Time, _ *yuv.Image) (redact.Verdict, error) {
	if s.sees(at.Sub(time.Unix(0, 0))) {
		return redact.Verdict{Proved: true}, nil
	}
	return redact.Verdict{Why: "too dark"}, nil
}

func (s *scriptedSight) Reset() { s.resets++ }

// scriptedBackground is known once it has learned for long enough. One part moves.
type scriptedBackground struct {
	learned time.Duration
	last    time.Time
	shown   []time.Time // when it was asked what moves
	back    int         // how often time went back, since the last Reset
}

const scriptedLearnTime = 8 * time.Second

var movingPart = geom.Region{Rect: geom.Box{X: 200, Y: 100, W: 40, H: 60}.Rect(), Source: geom.Moving, Track: 1 << 49}

func (b *scriptedBackground) Observe(at time.Time, _ *yuv.Image, s redact.Seen) (redact.Motion, error) {
	if !b.last.IsZero() {
		if at.Before(b.last) {
			b.back++
		} else if s.Learn {
			b.learned += min(at.Sub(b.last), time.Second)
		}
	}
	b.last = at
	if s.Wanted {
		b.shown = append(b.shown, at)
	}
	if b.learned < scriptedLearnTime {
		return redact.Motion{Why: "the background is being learned"}, nil
	}
	return redact.Motion{Known: true, Regions: []geom.Region{movingPart}}, nil
}

func (b *scriptedBackground) Reset() { *b = scriptedBackground{} }

// redactSeen redacts a file with a sight that sees at the given times.
func redactSeen(t *testing.T, in, out string, cover redact.Cover, when redact.WhenBlind, sees func(time.Duration) bool) (result, *scriptedBackground) {
	t.Helper()
	b := &scriptedBackground{}
	r := redactFile(t, in, out, func(o *Options) {
		o.Cover, o.WhenBlind, o.Sight, o.Background = cover, when, &scriptedSight{sees: sees}, b
	})
	require.NoError(t, r.err)
	require.Zero(t, b.back, "the time of the background went back")
	return r, b
}

func always(time.Duration) bool { return true }
func never(time.Duration) bool  { return false }

// long makes a video of the given seconds.
func long(t *testing.T, seconds string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "long.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=5:duration="+seconds, "-c:v", "libx264", "-g", "10", path)
	return path
}

func TestBlindPicturesAreCoveredAndReported(t *testing.T) {
	in := testsrc(t, "a.mp4", "-c:v", "libx264", "-g", "10")
	blinking := func(at time.Duration) bool { return at < 400*time.Millisecond || at >= 800*time.Millisecond }
	for when, cover := range map[redact.WhenBlind]ipc.FileCover{
		redact.BlindMotion: ipc.CoverWhole, redact.BlindSlate: ipc.CoverWhole, redact.BlindWarn: ipc.CoverFaces,
	} {
		r, _ := redactSeen(t, in, "a.mp4", redact.CoverFaces, when, blinking)
		require.EqualValues(t, 10, r.end.Blind, "%s", when)
		require.Equal(t, []ipc.FileBlind{{From: 0.4, To: 0.76, Why: "too dark", Cover: cover}}, r.end.BlindRuns)
		require.Empty(t, r.end.Reason, "to be blind is not a failure")
		frames := luma(t, r.out, testW, testH)
		for i, rec := range r.records {
			blind := i >= 10 && i < 20
			require.Equal(t, blind, rec.Blind == "too dark", "%s: picture %d", when, i)
			if blind && cover == ipc.CoverWhole {
				require.Equal(t, ipc.CoverWhole, rec.Cover)
				require.Less(t, spread(frames[i]), 16, "%s: picture %d shows something", when, i)
			} else {
				require.Equal(t, ipc.CoverFaces, rec.Cover)
				require.Greater(t, spread(frames[i]), 100, "%s: picture %d", when, i)
			}
		}
	}
}

// What the video shows later tells what moves at its beginning.
func TestBackgroundIsLearnedFromTheWholeVideoBeforeItIsNeeded(t *testing.T) {
	in := long(t, "20")
	dark := func(at time.Duration) bool { return at >= 5*time.Second }
	for _, c := range []struct {
		cover redact.Cover
		sees  func(time.Duration) bool
		blind int
	}{
		{redact.CoverMotion, always, 0},
		{redact.CoverPeople, always, 0},
		{redact.CoverMotion, dark, 25},
		{redact.CoverFaces, dark, 25},
	} {
		r, b := redactSeen(t, in, "a.mp4", c.cover, redact.BlindMotion, c.sees)
		require.EqualValues(t, c.blind, r.end.Blind)
		require.Zero(t, r.end.Failsafe, "%s: %s", c.cover, r.end.Reason)
		for i, rec := range r.records {
			want := ipc.FileCover(c.cover)
			if i < c.blind {
				want = ipc.CoverMotion
			}
			require.Equal(t, want, rec.Cover, "picture %d", i)
			moves := false
			for _, g := range rec.Regions {
				moves = moves || g.Source == geom.Moving
			}
			require.Equal(t, want == ipc.CoverMotion, moves, "%s: picture %d", c.cover, i)
		}
		require.LessOrEqual(t, b.shown[0], time.Unix(0, 0), "what is learned beforehand is of an earlier time")
	}
}

func TestVideoThatNeedsNoBackgroundIsReadOnce(t *testing.T) {
	r, b := redactSeen(t, long(t, "20"), "a.mp4", redact.CoverFaces, redact.BlindMotion, always)
	require.Zero(t, r.end.Blind)
	require.Empty(t, b.shown)
	r, b = redactSeen(t, long(t, "20"), "a.mp4", redact.CoverFaces, redact.BlindSlate, never)
	require.EqualValues(t, 100, r.end.Blind)
	require.Empty(t, b.shown)
}

func TestVideoWithoutABackgroundIsObscuredWhole(t *testing.T) {
	for _, c := range []struct {
		seconds string
		cover   redact.Cover
		sees    func(time.Duration) bool
		reason  string
	}{
		{"4", redact.CoverMotion, always, unknownBackground}, // too short to know what stands still
		{"20", redact.CoverFaces, never, ""},
		{"20", redact.CoverMotion, never, ""},
	} {
		r, _ := redactSeen(t, long(t, c.seconds), "a.mp4", c.cover, redact.BlindMotion, c.sees)
		require.Equal(t, r.end.Frames, r.end.Failsafe)
		require.Equal(t, c.reason, r.end.Reason)
		for i, f := range luma(t, r.out, testW, testH) {
			require.Equal(t, ipc.CoverWhole, r.records[i].Cover)
			require.Less(t, spread(f), 100, "picture %d shows something", i)
		}
	}
}

func TestTimeStampsThatJumpOrNearlyStandStillHideNothingForEver(t *testing.T) {
	for name, filter := range map[string]string{
		"jump":             "setpts='PTS+gt(N,20)*3600/TB'",
		"nearly still":     "settb=1/90000,setpts=N",
		"begin with hours": "setpts='PTS+7200/TB'",
	} {
		in := filepath.Join(t.TempDir(), "a.mkv")
		ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=5:duration=20", "-vf", filter, "-fps_mode", "passthrough",
			"-enc_time_base", "1/90000", "-c:v", "ffv1", in)
		for _, cover := range redact.Covers() {
			r, _ := redactSeen(t, in, "a.mkv", cover, redact.BlindMotion, always)
			require.EqualValues(t, 100, r.end.Frames, name)
			require.Zero(t, r.end.Blind, name)
			if cover == redact.CoverFaces {
				require.Zero(t, r.end.Failsafe, name)
			}
		}
	}
}

func TestBlindImagesAreObscuredWhole(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.png")
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, quadrants(320, 240)))
	require.NoError(t, os.WriteFile(in, b.Bytes(), 0o600))
	for _, c := range []struct {
		cover redact.Cover
		when  redact.WhenBlind
		sees  func(time.Duration) bool
		whole bool
	}{
		{redact.CoverFaces, redact.BlindMotion, never, true},
		{redact.CoverFaces, redact.BlindSlate, never, true},
		{redact.CoverFaces, redact.BlindWarn, never, false},
		{redact.CoverFaces, redact.BlindMotion, always, false},
		{redact.CoverPeople, redact.BlindMotion, always, false},
		{redact.CoverMotion, redact.BlindMotion, always, true}, // nothing moves in an image
	} {
		r, _ := redactSeen(t, in, "a.png", c.cover, c.when, c.sees)
		require.Equal(t, c.whole, r.records[0].Cover == ipc.CoverWhole, "%+v", c)
		require.Equal(t, c.sees(0), r.end.Blind == 0)
		require.Equal(t, c.sees(0), r.records[0].Blind == "")
		im, err := png.Decode(bytes.NewReader(contents(t, r.out)))
		require.NoError(t, err)
		colours := map[byte]bool{}
		for _, x := range []int{3, 316} {
			for _, y := range []int{3, 236} {
				colours[name(im.At(x, y))] = true
			}
		}
		if c.whole {
			require.NotContains(t, colours, byte('R'), "%+v", c)
		} else {
			require.Len(t, colours, 4, "%+v", c)
		}
	}
}

func TestCoverThatNeedsABackgroundIsRefusedWithoutOne(t *testing.T) {
	_, err := New(Options{Detector: &scripted{}, Obscurer: noObscurer{}, Cover: redact.CoverMotion})
	require.ErrorContains(t, err, "background")
}

func TestRunsOfBlindPicturesAreBounded(t *testing.T) {
	var all tally
	for i := range 4 * ipc.MaxFileBlind {
		blind := map[bool]string{true: "too dark"}[i%2 == 0]
		all.add(float64(i), treatment{cover: ipc.CoverMotion, blind: blind})
	}
	require.Len(t, all.end.BlindRuns, ipc.MaxFileBlind)
	require.EqualValues(t, 2*ipc.MaxFileBlind, all.end.Blind)
}
