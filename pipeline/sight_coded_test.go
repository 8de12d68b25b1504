package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/pipeline/internal/x264"
	"scrim/pipeline/scene"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/sight"
	"scrim/redact/yuv"
)

// codedClip is a drawn scene as a camera sends it, judged picture by picture.
type codedClip struct {
	pictures, proved int
	// faces of the size that is needed and more were drawn in some of the pictures; missed of them were not found,
	// and exposed of these lie in pictures in which the sight is proved.
	faces, missed, exposed int
	report                 sight.Report
}

// judgeCoded codes and decodes two seconds of a scene, from picture skip on.
func judgeCoded(t *testing.T, o scene.Options, skip int) (c codedClip) {
	t.Helper()
	s, err := scene.New(o)
	require.NoError(t, err)
	im, err := yuv.New(o.Width, o.Height)
	require.NoError(t, err)
	enc, err := x264.New(x264.Options{Width: o.Width, Height: o.Height})
	require.NoError(t, err)
	defer enc.Close()
	dec, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer dec.Close()
	d, err := detect.Open(detect.Config{Size: 640, Threshold: 0.3})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	judge, err := sight.New(sight.Options{Detector: d.(redact.PartDetector), Size: 640, Seed: 1})
	require.NoError(t, err)
	truths := map[int64]scene.Truth{}
	begin := time.Unix(1_700_000_000, 0)
	for n := range int64(50) {
		truth, err := s.Draw(im, uint32(int(n)+skip), begin) //nolint:gosec // small
		require.NoError(t, err)
		truth.Faces = append(truth.Faces[:0:0], truth.Faces...)
		truths[n] = truth
		unit, err := enc.Encode(im, n*3600, false)
		require.NoError(t, err)
		require.NoError(t, dec.Decode(unit.Data, n, func(p decode.Picture) error {
			v, err := judge.Judge(begin.Add(time.Duration(p.ID)*40*time.Millisecond), p.Image)
			require.NoError(t, err)
			c.pictures++
			if v.Proved {
				c.proved++
			}
			if c.pictures%10 == 0 {
				c.look(t, d, p, truths[p.ID], v)
			}
			return nil
		}))
	}
	c.report = judge.Report()
	require.Positive(t, c.pictures)
	return c
}

// look compares what the detector finds with the truth.
func (c *codedClip) look(t *testing.T, d redact.Detector, p decode.Picture, truth scene.Truth, v redact.Verdict) {
	t.Helper()
	found, err := d.Detect(p.Image)
	require.NoError(t, err)
	for _, face := range truth.Faces {
		if face.Box.H < v.Need || face.Visible < 0.8 || face.Yaw < -60 || face.Yaw > 60 {
			continue
		}
		c.faces++
		seen := false
		for _, f := range found {
			seen = seen || f.Box.IoU(face.Box) > 0.2
		}
		if !seen {
			c.missed++
			if v.Proved {
				c.exposed++
			}
		}
	}
}

// An encoder smears noise in the dark to flat blocks, so that hardly any is measured, and the stamp has the only contrast.
func TestDarknessBehindAnEncoderIsNotProved(t *testing.T) {
	covered := []scene.Event{{Kind: scene.Covered}}
	for name, c := range map[string]struct {
		noise, light float64
		events       []scene.Event
		why          string
		skip         int
	}{
		"noise 50, light 1 %":   {noise: 50, light: 1, why: sight.WhyTooDark},
		"noise 20, light 5 %":   {noise: 20, light: 5, why: sight.WhyTooDark},
		"covered, with a stamp": {events: covered, why: sight.WhyCovered, skip: 25},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgeCoded(t, scene.Options{
				Width: 640, Height: 360, People: 5, Seed: 11, Noise: c.noise, Light: c.light, Events: c.events,
			}, c.skip)
			require.Zero(t, got.proved, "of %d pictures: %+v", got.pictures, got.report)
			require.Equal(t, c.why, got.report.Why)
			require.Less(t, got.report.Condition.Noise, 1.0, "the encoder leaves no noise: %+v", got.report.Condition)
		})
	}
}

func TestClearPicturesBehindAnEncoderAreProved(t *testing.T) {
	for _, size := range [][2]int{{640, 360}, {1280, 720}} {
		for _, hard := range []bool{false, true} {
			got := judgeCoded(t, scene.Options{Width: size[0], Height: size[1], People: 8, Seed: 11, MinFace: size[1] / 16, HardFaces: hard}, 0)
			require.Equal(t, got.pictures, got.proved, "%v: %+v", size, got.report)
			require.Positive(t, got.faces)
			require.Zero(t, got.exposed)
		}
	}
}

func TestHardFacesBehindAnEncoderAreFoundOrNotProved(t *testing.T) {
	missed := 0
	for _, c := range [][2]float64{{50, 50}, {20, 20}, {30, 12}, {10, 8}, {3, 5}, {0, 3}} { // noise in levels, light in percent
		got := judgeCoded(t, scene.Options{
			Width: 640, Height: 360, People: 8, Seed: 3, MinFace: 20, MaxFace: 100, HardFaces: true, Noise: c[0], Light: c[1],
		}, 0)
		t.Logf("noise %g, light %g %%: %d of %d faces missed, %d of %d pictures proved", c[0], c[1], got.missed, got.faces, got.proved, got.pictures)
		require.Positive(t, got.faces)
		require.Zero(t, got.exposed, "noise %g, light %g %%: %+v", c[0], c[1], got.report)
		missed += got.missed
	}
	require.Positive(t, missed, "the conditions are too easy")
}
