package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/measure"
	"scrim/pipeline/scene"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/geom"
	"scrim/redact/motion"
	"scrim/redact/obscure"
	"scrim/redact/sight"
	"scrim/redact/track"
	"scrim/redact/yuv"
)

// reach is a drawn scene that goes through the parts of a redactor, picture by picture in
// the time of the scene, without coding.
type reach struct {
	scene   scene.Options
	cover   redact.Cover
	seconds int
}

// needed is the height in pixels from which on faces must be found.
const needed = 48

// score redacts the scene with the settings of a camera that has the defaults, and scores
// the faces of needed pixels and more.
func (c reach) score(t *testing.T) *measure.Result {
	t.Helper()
	s, err := scene.New(c.scene)
	require.NoError(t, err)
	o := s.Options()
	detector, err := detect.Open(detect.Config{Size: 640, Threshold: 0.3, SkipUnchanged: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, detector.Close()) }()
	judge, err := sight.New(sight.Options{Detector: detector.(redact.PartDetector), Size: 640, NeedPixels: needed, Seed: 1})
	require.NoError(t, err)
	background, err := motion.New(motion.Options{Absorb: motion.DefaultAbsorb})
	require.NoError(t, err)
	obscurer, err := obscure.New(obscure.Options{})
	require.NoError(t, err)
	gate := redact.NewGate(redact.Cause{Text: "starting"})
	redactor, err := redact.New(redact.Options{
		Camera: "reach", Gate: gate, Detector: detector, Obscurer: obscurer, Cover: c.cover, Sight: judge, Background: background,
		Tracker: track.NewWindow(track.Options{Weak: true}, 0),
		Now:     func() time.Time { return time.Unix(1, 0) }, // no inspection expires
	})
	require.NoError(t, err)

	p := measure.Pair{Truth: &measure.Truth{Path: "truth"}, Report: &measure.Report{Path: "report"}}
	for n := range int(float64(c.seconds) * o.FPS) {
		at := float64(n) / o.FPS
		im, err := yuv.New(o.Width, o.Height)
		require.NoError(t, err)
		truth, err := s.Draw(im, uint32(n), time.Unix(0, 0)) //nolint:gosec // small
		require.NoError(t, err)
		p.Truth.Frames = append(p.Truth.Frames, truthFrame(&truth, at, o.Width, o.Height))
		out := redactor.Redact(&redact.Picture{
			Image: im, Camera: "reach", Epoch: 1, Generation: gate.Generation(), Number: uint64(n) + 1, Complete: true, IDR: n == 0, //nolint:gosec // small
			Time: time.Unix(0, 0).Add(time.Duration(at * float64(time.Second))),
		})
		require.Len(t, out, 1)
		p.Report.Frames = append(p.Report.Frames, reportFrame(&out[0], n, at, o.Width, o.Height))
	}
	filter := measure.DefaultFilter
	filter.MinSize = needed
	if c.cover == redact.CoverMotion {
		filter.MinSize, filter.MaxYaw = scene.LeastFace, 180
	}
	r, err := measure.Score([]measure.Pair{p}, measure.Options{Filter: filter, Cover: measure.Cover(c.cover)})
	require.NoError(t, err)
	return r
}

func truthFrame(t *scene.Truth, at float64, width, height int) measure.TruthFrame {
	f := measure.TruthFrame{Frame: int(t.Frame), PTS: at, Width: width, Height: height, Clear: &t.Clear, Bodies: map[int]geom.Box{}, Line: int(t.Frame) + 1}
	for _, v := range t.Faces {
		f.Faces = append(f.Faces, measure.TrueFace{Person: v.Person, Box: v.Box, Visible: v.Visible, Yaw: v.Yaw, Roll: v.Roll})
	}
	for _, b := range t.Bodies {
		f.Bodies[b.Person] = b.Trunk
	}
	return f
}

// reportFrame says what viewers see of a picture: nothing where it was withheld.
func reportFrame(o *redact.Outcome, n int, at float64, width, height int) measure.ReportFrame {
	f := measure.ReportFrame{Frame: n, PTS: at, Width: width, Height: height, Line: n + 1}
	if o.Sight.Blind {
		f.Blind = o.Sight.Why
	}
	if slate, _ := o.Frame.Slate(); o.Err != nil || slate {
		f.Regions = []measure.Region{{Box: geom.Box{W: float64(width), H: float64(height)}, Source: geom.Failsafe}}
		return f
	}
	for _, r := range o.Frame.Regions() {
		for _, cut := range r.AppendParts(nil, o.Frame.Image().Bounds(), width*height) {
			f.Regions = append(f.Regions, measure.RegionOf(cut.Region()))
		}
	}
	return f
}

// hardScene is a scene of people with hard faces. The largest are over needed pixels high.
func hardScene(noise, light float64, fps float64) scene.Options {
	return scene.Options{
		Width: 1280, Height: 720, FPS: fps, Seed: 11, People: 6, MinFace: 24, MaxFace: 180, HardFaces: true, NoStamp: true, Noise: noise, Light: light,
	}
}

// TestReachOfSight is the table of what a camera must hide when it is hard to see: no face
// of needed pixels and more is exposed, and in clear pictures no camera is blind.
func TestReachOfSight(t *testing.T) {
	conditions := [][2]float64{{0, 100}, {10, 5}, {25, 100}, {30, 12}, {50, 50}} // noise in levels, light in percent
	seconds, fps := 6, 4.0
	if testenv.Has(t, testenv.Long) {
		seconds, fps = 60, 10
		conditions = conditions[:1]
		for noise := 10.0; noise <= 50; noise += 10 {
			for _, light := range []float64{100, 50, 25, 12, 5} {
				conditions = append(conditions, [2]float64{noise, light})
			}
		}
	}
	for _, c := range conditions {
		noise, light := c[0], c[1]
		t.Run(fmt.Sprintf("noise %g light %g", noise, light), func(t *testing.T) {
			r := reach{scene: hardScene(noise, light, fps), seconds: seconds}.score(t)
			t.Logf("%d of %d face frames exposed, longest run %d; blind: %s; whole picture obscured %.1f s; obscured %s",
				r.Headline.Exposed, r.Headline.Faces, r.Headline.LongestRun, &r.Blind, r.Blind.WholeSeconds, r.Area.Obscured.Percent())
			require.Positive(t, r.Headline.Faces)
			require.Zero(t, r.Headline.Exposed)
			if noise == 0 && light == 100 {
				require.Zero(t, r.Blind.FalseSeconds)
				require.InDelta(t, float64(seconds), r.Blind.ClearSeconds, 1e-6)
			}
		})
	}
}

// TestReachOfEvents is the table of what happens to cameras: somebody hides the light, the
// lens or the camera, and ends that. No face of needed pixels and more is exposed.
func TestReachOfEvents(t *testing.T) {
	start, end, seconds := 12*time.Second, 17*time.Second, 23
	if testenv.Has(t, testenv.Long) {
		end, seconds = 75*time.Second, 90
	}
	for _, kind := range scene.EventKinds() {
		t.Run(string(kind), func(t *testing.T) {
			o := scene.Options{
				Width: 640, Height: 360, FPS: 5, Seed: 12, People: 5, MinFace: 30, MaxFace: 110, HardFaces: true, NoStamp: true,
				Events: []scene.Event{{Kind: kind, Start: start, End: end}},
			}
			r := reach{scene: o, seconds: seconds}.score(t)
			t.Logf("%d of %d face frames exposed, longest run %d; blind: %s; whole picture obscured %.1f s; obscured %s",
				r.Headline.Exposed, r.Headline.Faces, r.Headline.LongestRun, &r.Blind, r.Blind.WholeSeconds, r.Area.Obscured.Percent())
			require.Positive(t, r.Headline.Faces)
			require.Zero(t, r.Headline.Exposed)
			switch kind {
			case scene.Darkness, scene.Covered:
				require.Positive(t, r.Blind.Seconds, "nobody was told")
			case scene.Lamp, scene.Turned:
				require.Zero(t, r.Blind.FalseSeconds)
			}
			require.Less(t, r.Blind.WholeSeconds, (end-start).Seconds()+6, "it returns by itself")
		})
	}
}

// TestReachOfMotionCover has 20 people, six of whom come in and stand still for five
// minutes. Anyone who has moved since the background was learned stays covered.
func TestReachOfMotionCover(t *testing.T) {
	o := scene.Options{Width: 640, Height: 360, FPS: 5, Seed: 4, People: 20, Still: 6, MaxFace: 32, NoStamp: true}
	seconds := 40
	if testenv.Has(t, testenv.Long) {
		seconds = 400
	}
	r := reach{scene: o, cover: redact.CoverMotion, seconds: seconds}.score(t)
	t.Logf("%d of %d face frames exposed, longest run %d; whole picture obscured %.1f s; obscured %s",
		r.Headline.Exposed, r.Headline.Faces, r.Headline.LongestRun, r.Blind.WholeSeconds, r.Area.Obscured.Percent())
	require.Positive(t, r.Headline.Faces)
	require.Zero(t, r.Headline.Exposed)
	require.Less(t, r.Blind.WholeSeconds, 12.0, "time until the background is learned")
}
