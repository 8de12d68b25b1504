package pipeline

import (
	"fmt"
	"image"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/motion"
	"scrim/redact/sight"
	"scrim/redact/yuv"
	"scrim/transport"
)

// The share of daylight from which on eyes see faces, and the painted ones of the sight
// test, which are the harder ones.
const (
	leastLight        = 0.65
	leastLightPainted = 0.9
)

// eyes are a detector that finds nothing where it is dark, and does not say so. Otherwise
// it knows the true faces of a picture, and finds painted ones by a network.
type eyes struct {
	*knower
	network redact.PartDetector
	light   float64     // share of it in the picture
	sleeps  atomic.Bool // finds nobody
}

func (e *eyes) Detect(im *yuv.Image) ([]face.Face, error) {
	if e.sleeps.Load() || e.lightIn(im) < leastLight {
		return nil, nil
	}
	return e.knower.Detect(im)
}

func (e *eyes) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	if e.light < leastLightPainted {
		return nil, nil
	}
	return e.network.DetectPart(part, at, width, height)
}

// lightIn returns the light in a picture, 0 where it is too dark to read the stamps.
func (e *eyes) lightIn(im *yuv.Image) float64 {
	s, err := stamptest.Read(im)
	if err != nil {
		return 0
	}
	return e.films[0].kind.dark.light(int(s.Number - e.films[0].first))
}

// looking is a sight that tells the eyes which picture the parts are cut from.
type looking struct {
	redact.Sight
	eyes *eyes
}

func (l *looking) Judge(at time.Time, im *yuv.Image) (redact.Verdict, error) {
	l.eyes.light = l.eyes.lightIn(im)
	return l.Sight.Judge(at, im)
}

// blindFilm is the length of a film in which it is dark for a while: the background is
// learned before.
const blindFilm = 540

// blindness is one way in which the detector stops to see.
type blindness struct {
	name  string
	cover redact.Cover
	when  redact.WhenBlind
	dark  darkness
	// still is how many people stand still. sleeps is set if the detector finds nobody once
	// the background is learned, though the painted faces are found.
	still  int
	sleeps bool
	// hides is set if slates come, shows if covered pictures do while it is dark.
	hides, shows bool
}

func blindnesses() []blindness {
	falls := darkness{from: 300, to: 420, share: 0.15}
	dusk := darkness{from: 300, to: 420, share: 0.6}
	return []blindness{
		{name: "darkness falls, slate", when: redact.BlindSlate, dark: falls, hides: true},
		{name: "darkness falls, motion", dark: falls},
		{name: "darkness falls, people", cover: redact.CoverPeople, dark: falls},
		{name: "dusk falls, motion", dark: dusk, shows: true},
		{name: "dusk falls on people who stand still", dark: dusk, still: 3, shows: true},
		{name: "dark from the start", dark: darkness{from: -100, to: 200, share: 0.15}, hides: true},
		{name: "dusk from the start, people stand still", dark: darkness{from: -100, to: 400, share: 0.6}, still: 3, hides: true},
		{name: "cover motion", cover: redact.CoverMotion, dark: falls, shows: true},
		{name: "cover motion, nobody is found, people stand still", cover: redact.CoverMotion, still: 3, sleeps: true},
	}
}

// A detector that finds nothing without an error, because it is dark, must not expose
// anybody: the sight test notices, and something else covers the picture.
func TestOracleBlind(t *testing.T) {
	for _, b := range blindnesses() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for seed := range min(oracleSeeds(t), 2) {
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { testBlindness(t, &b, seed) })
			}
		})
	}
}

func testBlindness(t *testing.T, b *blindness, seed uint64) {
	var e *eyes
	s := newShow(t, showOptions{
		seed: seed, bare: true,
		kind: func(k *filmKind) {
			k.length, k.dark, k.still = blindFilm, b.dark, b.still
			k.number += 20
		},
		parts: func(o *Options, k *knower) {
			network, err := detect.Open(detect.Config{Size: 640, Threshold: 0.3})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, network.Close()) })
			e = &eyes{knower: k, network: network.(redact.PartDetector)}
			judge, err := sight.New(sight.Options{Detector: e, Size: 640, NeedPercent: 5})
			require.NoError(t, err)
			background, err := motion.New(motion.Options{Absorb: 10 * time.Minute})
			require.NoError(t, err)
			o.Detector, o.Cover, o.WhenBlind = e, b.cover, b.when
			o.Sight, o.Background = &looking{judge, e}, background
		},
	})
	s.play(blindFilm / 2)
	e.sleeps.Store(b.sleeps)
	s.play(blindFilm / 2)
	s.end()

	marks, first := s.hits()
	if marks > 0 {
		t.Errorf("oracle: markers: %d are visible; first %s", marks, first)
	}
	if len(s.stale) > 0 {
		t.Errorf("oracle: stale: %d pictures should not have been shown; first: %s", len(s.stale), s.stale[0])
	}
	isDark := func(at time.Duration) bool {
		return b.dark.share > 0 && b.dark.light(int(at/filmStep)) < b.dark.share+0.01
	}
	slates, covered, bright, blind := 0, 0, 0, 0
	for i, v := range s.seen {
		switch {
		case v.isSlate() && v.Fault == transport.FaultBlind:
			slates++
		case !v.isSlate() && isDark(v.at):
			covered++
		case !v.isSlate():
			bright++
		}
		if v.State == transport.StateBlind {
			blind++
			require.NotEmpty(t, v.Reason)
		}
		if i > 0 {
			require.LessOrEqual(t, v.at-s.seen[i-1].at, slateBound, "oracle: late: the viewer was left with an old picture at %v", v.at)
		}
	}
	t.Logf("slates %d, covered in the dark %d, bright %d, blind %d of %d", slates, covered, bright, blind, len(s.seen))
	require.Greater(t, bright, blindFilm/8, "it sees by day")
	if b.hides {
		require.Positive(t, slates, "oracle: late: no slate came")
	}
	if b.shows {
		require.Positive(t, covered)
	}
	if b.cover != redact.CoverMotion && b.dark.share > 0 {
		require.Positive(t, blind, "nobody was told")
	}
	require.Equal(t, transport.StateLive, s.seen[len(s.seen)-1].State, "it returns by itself")
}
