package redact

import (
	"errors"
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// scripted is a sight and a background that say what a test chooses.
type scripted struct {
	verdict Verdict
	motion  Motion
	err     error // of the sight
	panics  bool  // when it observes
	seen    []Seen
	times   []time.Time
	resets  int
}

func (s *scripted) Judge(at time.Time, _ *yuv.Image) (Verdict, error) {
	s.times = append(s.times, at)
	return s.verdict, s.err
}

func (s *scripted) Observe(_ time.Time, _ *yuv.Image, seen Seen) (Motion, error) {
	s.seen = append(s.seen, seen)
	if s.panics {
		panic("background broke")
	}
	return s.motion, nil
}

func (s *scripted) Reset() { s.resets++ }

// moving is a part of the picture that differs from the background.
var moving = geom.Region{Rect: image.Rect(40, 30, 50, 48), Source: geom.Moving, Track: 1 << 49}

// covering returns a Redactor with a scripted sight and background.
func covering(t *testing.T, cover Cover, when WhenBlind) (*Redactor, *parts, *scripted, *Gate) {
	t.Helper()
	p, g := &parts{}, NewGate(Cause{Text: "starting"})
	s := &scripted{verdict: Verdict{Proved: true}, motion: Motion{Known: true, Regions: []geom.Region{moving}}}
	r, err := New(Options{
		Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p, Cover: cover, WhenBlind: when, Sight: s, Background: s,
	})
	require.NoError(t, err)
	return r, p, s, g
}

func TestWhatIsCoveredByCoverAndSight(t *testing.T) {
	for _, c := range []struct {
		cover         Cover
		when          WhenBlind
		proved, known bool
		want          string // what is covered besides the face, or why it is not shown
	}{
		{CoverFaces, BlindMotion, true, true, ""},
		{CoverFaces, BlindMotion, true, false, ""},
		{CoverFaces, BlindMotion, false, true, "moving"},
		{CoverFaces, BlindMotion, false, false, "hidden"},
		{CoverFaces, BlindSlate, false, true, "hidden"},
		{CoverFaces, BlindSlate, true, true, ""},
		{CoverFaces, BlindWarn, false, false, ""},
		{CoverMotion, BlindMotion, true, true, "moving"},
		{CoverMotion, BlindMotion, true, false, "whole"},
		{CoverMotion, BlindMotion, false, true, "moving"},
		{CoverMotion, BlindMotion, false, false, "whole"},
		{CoverMotion, BlindSlate, false, true, "moving"},
		{CoverPeople, BlindMotion, true, true, "body"},
		{CoverPeople, BlindMotion, false, true, "body moving"},
		{CoverPeople, BlindSlate, false, true, "hidden"},
	} {
		r, p, s, g := covering(t, c.cover, c.when)
		p.faces = []face.Face{{Box: geom.Box{X: 8, Y: 4, W: 4, H: 5}, Score: 0.9}}
		s.verdict, s.motion.Known = Verdict{Proved: c.proved, Why: "too dark"}, c.known
		if !c.known {
			s.motion.Regions = nil
		}
		f, _, err := redactOne(r, next(t, g, 1, true))
		if c.want == "hidden" {
			var w *WithheldError
			require.ErrorAs(t, err, &w, "%+v", c)
			require.Equal(t, Cause{FaultBlind, "too dark"}, w.Cause)
			_, open, _ := g.State()
			require.True(t, open, "the stream is whole: the next picture that may be shown needs no key frame")
			s.verdict.Proved = true
			_, _, err = redactOne(r, next(t, g, 2, false))
			require.NoError(t, err, "it returns with the first picture that is proved")
			continue
		}
		require.NoError(t, err, "%+v", c)
		has := map[geom.Source]bool{}
		for _, r := range f.Regions() {
			has[r.Source] = true
		}
		isWhole := false
		for _, r := range f.Regions() {
			isWhole = isWhole || r.Track == WholeTrack && r.Rect == f.Image().Bounds()
		}
		require.True(t, has[geom.Detected], "%+v: the face stays covered", c)
		require.Equal(t, c.want == "body" || c.want == "body moving", has[geom.Body], "%+v", c)
		require.Equal(t, c.want == "moving" || c.want == "body moving" || c.want == "whole", has[geom.Moving], "%+v", c)
		require.Equal(t, c.want == "whole", isWhole, "%+v", c)
	}
}

// The word that people read waits; the cover does not.
func TestReasonSaysBlindOnlyOnceTheSightDoes(t *testing.T) {
	r, _, s, g := covering(t, CoverFaces, BlindSlate)
	for n, blind := range []bool{false, true} {
		s.verdict = Verdict{Blind: blind, Why: "too noisy"}
		_, _, err := redactOne(r, next(t, g, uint64(n)+1, true))
		var w *WithheldError
		require.ErrorAs(t, err, &w)
		require.Equal(t, map[bool]string{false: "too noisy", true: "blind: too noisy"}[blind], w.Cause.Text)
	}
}

func TestBackgroundIsLearnedOnlyWhileTheSightIsProved(t *testing.T) {
	for _, cover := range Covers() {
		r, _, s, g := covering(t, cover, BlindMotion)
		for n, proved := range []bool{true, false, true} {
			s.verdict.Proved = proved
			_, _, err := redactOne(r, next(t, g, uint64(n)+1, true))
			require.NoError(t, err)
			require.Equal(t, proved, s.seen[n].Learn, "%s", cover)
			require.Equal(t, cover != CoverFaces || !proved, s.seen[n].Wanted, "%s", cover)
		}
	}
}

func TestSightThatCannotJudgeWithholdsThePicture(t *testing.T) {
	r, _, s, g := covering(t, CoverFaces, BlindWarn)
	s.err = errors.New("broke")
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.ErrorContains(t, err, "broke")
	_, open, _ := g.State()
	require.False(t, open)
}

func TestMotionCoverRunsTheDetectorOnceASecond(t *testing.T) {
	r, p, _, g := covering(t, CoverMotion, BlindMotion)
	for n := range uint64(31) {
		pic := next(t, g, n+1, n == 0)
		pic.Time = time.Unix(100, 0).Add(time.Duration(n) * 100 * time.Millisecond)
		_, _, err := redactOne(r, pic)
		require.NoError(t, err)
	}
	require.Equal(t, 4, p.passes, "at 0, 1, 2 and 3 s")
}

func TestSightAndBackgroundForgetWithTheEpoch(t *testing.T) {
	r, _, s, g := covering(t, CoverFaces, BlindMotion)
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	before := s.resets
	p := next(t, g, 2, true)
	p.Epoch, p.Time = 2, time.Unix(7, 0)
	_, _, err = redactOne(r, p)
	require.NoError(t, err)
	require.Equal(t, before+2, s.resets)
	require.Equal(t, time.Unix(7, 0), s.times[1], "the picture's own time counts")
}

// What a part was about to change when it panicked is not known.
func TestSightAndBackgroundForgetAfterAPanic(t *testing.T) {
	r, _, s, g := covering(t, CoverMotion, BlindMotion)
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	before := s.resets
	s.panics = true
	_, _, err = redactOne(r, next(t, g, 2, true))
	require.ErrorContains(t, err, "background broke")
	require.Equal(t, before+2, s.resets)
}

func TestHiddenPictureOpensTheGateOnlyByAValidInspection(t *testing.T) {
	r, p, s, g := covering(t, CoverFaces, BlindSlate)
	s.verdict, p.model = Verdict{Why: "too dark"}, "another"
	_, _, err := redactOne(r, next(t, g, 1, true))
	var w *WithheldError
	require.ErrorAs(t, err, &w)
	require.Equal(t, FaultInspection, w.Cause.Fault)
	_, open, _ := g.State()
	require.False(t, open)
}

func TestMotionOfEachPictureCoversThatPicture(t *testing.T) {
	for _, cover := range []Cover{CoverMotion, CoverFaces} {
		p, g := &parts{ahead: 3}, NewGate(Cause{Text: "starting"})
		s := &scripted{motion: Motion{Known: true}}
		r, err := New(Options{Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p, Cover: cover, Sight: s, Background: s})
		require.NoError(t, err)
		shown := 0
		check := func(outcomes []Outcome) {
			for _, o := range outcomes {
				shown++
				n := int(o.Picture.Number)
				if n == 4 {
					require.Error(t, o.Err, "its background was not known")
					continue
				}
				require.NoError(t, o.Err)
				require.Len(t, o.Frame.Regions(), 1)
				require.Equal(t, image.Rect(n, n, n+4, n+4), o.Frame.Regions()[0].Rect, "picture %d", n)
				require.Equal(t, byte(16), o.Frame.Image().Y[n*o.Frame.Image().YStride+n])
				require.Equal(t, float64(n), o.Sight.Size)
				require.Equal(t, o.Sight, o.Frame.Sight())
			}
		}
		for n := 1; n <= 9; n++ {
			if cover == CoverMotion && n == 4 {
				continue
			}
			s.verdict = Verdict{Why: "too dark", Size: float64(n)}
			s.motion = Motion{Known: n != 4, Regions: []geom.Region{{Rect: image.Rect(n, n, n+4, n+4), Source: geom.Moving, Track: FirstMovingTrack + 1}}}
			check(r.Redact(next(t, g, uint64(n), n == 1)))
		}
		check(r.Flush())
		require.Equal(t, map[Cover]int{CoverMotion: 8, CoverFaces: 9}[cover], shown)
	}
}

func TestCoverNeedsABackground(t *testing.T) {
	p := &parts{}
	for _, o := range []Options{
		{Cover: CoverMotion}, {Cover: CoverPeople}, {Cover: "clothes"}, {WhenBlind: "ignore"}, {Sight: &scripted{}},
	} {
		o.Camera, o.Gate, o.Detector, o.Tracker, o.Obscurer = "door", NewGate(Cause{}), p, p, p
		_, err := New(o)
		require.Error(t, err, "%+v", o)
	}
}
