package redact

import (
	"errors"
	"image"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// parts is a detector, tracker and obscurer whose faults a test chooses.
type parts struct {
	faces   []face.Face
	err     error
	panics  bool
	regions func([]face.Face) []geom.Region
	apply   error
	resets  int
	passes  int // of the detector
	// ahead is the look-ahead, observed what is not released yet.
	ahead    int
	observed [][]face.Face
	model    string // instead of "abc"
	// after is called with the regions once they are obscured.
	after func([]geom.Region)
}

// redactOne redacts a picture without look-ahead.
func redactOne(r *Redactor, p *Picture) (Frame, Timing, error) {
	for _, o := range r.Redact(p) {
		if o.Picture == p {
			return o.Frame, o.Timing, o.Err
		}
	}
	return Frame{}, Timing{}, errors.New("the picture was not answered")
}

func (p *parts) Detect(*yuv.Image) ([]face.Face, error) {
	p.passes++
	if p.panics {
		panic("detector broke")
	}
	return p.faces, p.err
}
func (p *parts) Info() DetectorInfo {
	if p.model != "" {
		return DetectorInfo{Name: "scripted", ModelSHA256: p.model}
	}
	return DetectorInfo{Name: "scripted", ModelSHA256: "abc"}
}
func (p *parts) Close() error { return nil }
func (p *parts) Reset()       { p.resets, p.observed = p.resets+1, nil }

func (p *parts) Lookahead() int { return p.ahead }

func (p *parts) Observe(_ time.Time, faces []face.Face, _, _ int) {
	p.observed = append(p.observed, append([]face.Face(nil), faces...))
}

func (p *parts) Release() []geom.Region {
	faces := p.observed[0]
	p.observed = p.observed[1:]
	if p.regions != nil {
		return p.regions(faces)
	}
	var out []geom.Region
	for i, f := range faces {
		out = append(out, geom.Region{Rect: f.Box.Pad(0.3, 0.5).Rect(), Face: f.Box, Source: geom.Detected, Track: uint64(i + 1)})
	}
	return out
}

// Apply fills the regions with one colour.
func (p *parts) Apply(im *yuv.Image, regions []geom.Region) error {
	for _, r := range regions {
		rect := r.Rect.Intersect(im.Bounds())
		for y := rect.Min.Y; y < rect.Max.Y; y++ {
			for x := rect.Min.X; x < rect.Max.X; x++ {
				im.Y[y*im.YStride+x] = 16
			}
		}
	}
	if p.after != nil {
		p.after(regions)
	}
	return p.apply
}

func setup(t *testing.T) (*Redactor, *parts, *Gate) {
	t.Helper()
	p, g := &parts{}, NewGate(Cause{Text: "starting"})
	r, err := New(Options{Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p})
	require.NoError(t, err)
	return r, p, g
}

// next returns a complete picture of the gate's generation; every number once.
func next(t *testing.T, g *Gate, number uint64, idr bool) *Picture {
	t.Helper()
	im, err := yuv.New(64, 48)
	require.NoError(t, err)
	im.Fill(200, 128, 128)
	return &Picture{Image: im, Camera: "door", Epoch: 1, Generation: g.Generation(), Number: number, Complete: true, IDR: idr}
}

// Two pictures are swapped while they wait for later ones: the boxes of one must not be
// used for the other.
func TestPictureThatTakesThePlaceOfAnotherIsNotShown(t *testing.T) {
	r, p, g := setup(t)
	p.ahead = 2
	a, b := next(t, g, 1, true), next(t, g, 2, false)
	require.Empty(t, r.Redact(a))
	require.Empty(t, r.Redact(b))
	*a, *b = *b, *a
	out := r.Redact(next(t, g, 3, false))
	require.Len(t, out, 3)
	for _, o := range out {
		require.ErrorContains(t, o.Err, "does not belong to picture")
		require.Nil(t, o.Frame.Image())
	}
	_, open, _ := g.State()
	require.False(t, open)
}

// Regions belong to the tracker until its next call. If they change in the meantime it
// is unknown what was painted.
func TestPictureWhoseRegionsChangeIsNotShown(t *testing.T) {
	r, p, g := setup(t)
	p.faces = []face.Face{{Box: geom.Box{X: 20, Y: 20, W: 10, H: 12}, Score: 0.9}}
	f, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.True(t, g.Admits(f, time.Now()))
	f.regions[0].Rect.Max.X--
	require.False(t, g.Admits(f, time.Now()), "its inspection is for other regions")
	p.after = func(r []geom.Region) { r[0].Rect.Min.X++ }
	_, _, err = redactOne(r, next(t, g, 2, false))
	require.ErrorContains(t, err, "changed while it was obscured")
	_, open, _ := g.State()
	require.False(t, open)
}

func TestPictureThatAnotherModelInspectedIsNotShown(t *testing.T) {
	r, p, g := setup(t)
	p.model = "another"
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.ErrorContains(t, err, "another model")
	_, open, _ := g.State()
	require.False(t, open)
}

func TestGateOpensOnlyAtACompleteInspectedIDR(t *testing.T) {
	r, _, g := setup(t)
	_, _, err := redactOne(r, next(t, g, 1, false))
	require.Error(t, err, "a picture that is no IDR passed a shut gate")
	f, _, err := redactOne(r, next(t, g, 2, true))
	require.NoError(t, err)
	require.True(t, g.Admits(f, time.Now()))
	f, _, err = redactOne(r, next(t, g, 3, false))
	require.NoError(t, err)
	require.True(t, g.Admits(f, time.Now()))
}

func TestFaceIsObscuredInTheFrame(t *testing.T) {
	r, p, g := setup(t)
	p.faces = []face.Face{{Box: geom.Box{X: 20, Y: 20, W: 10, H: 12}, Score: 0.9}}
	f, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	for y := 20; y < 32; y++ {
		for x := 20; x < 30; x++ {
			require.EqualValues(t, 16, f.Image().Y[y*f.Image().YStride+x])
		}
	}
	require.Len(t, f.Regions(), 1)
	require.Equal(t, hashRegions(f.Regions()), f.Inspection().RegionsHash)
}

func TestEveryFaultWithholdsThePictureAndShutsTheGateUntilAnIDR(t *testing.T) {
	one := []face.Face{{Box: geom.Box{X: 20, Y: 20, W: 10, H: 12}, Score: 0.9}}
	faults := map[string]func(*parts, *Picture){
		"detector fails":           func(p *parts, _ *Picture) { p.err = errors.New("no") },
		"box is not a number":      func(p *parts, _ *Picture) { p.faces = []face.Face{{Box: geom.Box{X: math.NaN(), W: 9, H: 9}}} },
		"box is far outside":       func(p *parts, _ *Picture) { p.faces = []face.Face{{Box: geom.Box{X: 1e9, W: 9, H: 9}}} },
		"score is not a number":    func(p *parts, _ *Picture) { p.faces = []face.Face{{Box: one[0].Box, Score: math.NaN()}} },
		"detector panics":          func(p *parts, _ *Picture) { p.panics = true },
		"obscurer fails":           func(p *parts, _ *Picture) { p.apply = errors.New("no") },
		"tracker forgets a face":   func(p *parts, _ *Picture) { p.regions = func([]face.Face) []geom.Region { return nil } },
		"tracker covers elsewhere": func(p *parts, _ *Picture) { p.regions = elsewhere },
		"another camera":           func(_ *parts, pic *Picture) { pic.Camera = "yard" },
		"number again":             func(_ *parts, pic *Picture) { pic.Number = 1 },
		"older epoch":              func(_ *parts, pic *Picture) { pic.Epoch = 0 },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			r, p, g := setup(t)
			good, _, err := redactOne(r, next(t, g, 1, true))
			require.NoError(t, err)
			p.faces = one
			bad := next(t, g, 2, false)
			fault(p, bad)
			f, _, err := redactOne(r, bad)
			var withheld *WithheldError
			require.ErrorAs(t, err, &withheld)
			require.NotEmpty(t, withheld.Cause.Fault)
			require.NotEmpty(t, withheld.Cause.Text)
			require.Nil(t, f.Image(), "a frame came out of a fault")
			_, open, cause := g.State()
			require.False(t, open)
			require.Equal(t, withheld.Cause, cause)
			require.False(t, g.Admits(good, time.Now()), "a frame of before the fault is still admitted")

			*p = parts{}
			_, _, err = redactOne(r, next(t, g, 3, false))
			require.Error(t, err, "the gate opened without an IDR")
			_, _, err = redactOne(r, next(t, g, 4, true))
			require.NoError(t, err, "the gate did not recover at an IDR")
		})
	}
}

func elsewhere([]face.Face) []geom.Region {
	return []geom.Region{{Rect: image.Rect(0, 0, 10, 10), Track: 1}}
}

func TestIncompletePictureIsNeverShown(t *testing.T) {
	r, _, g := setup(t)
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	pic := next(t, g, 2, true)
	pic.Complete = false
	_, _, err = redactOne(r, pic)
	require.Error(t, err)
}

func TestPictureOfAnOlderGenerationIsNeverShown(t *testing.T) {
	r, _, g := setup(t)
	pic := next(t, g, 1, true)
	g.Shut(Cause{Text: "packet loss"})
	_, _, err := redactOne(r, pic)
	require.Error(t, err)
	_, open, cause := g.State()
	require.False(t, open)
	require.Equal(t, "packet loss", cause.Text)
}

func TestNewEpochResetsTheTracker(t *testing.T) {
	r, p, g := setup(t)
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	before := p.resets
	pic := next(t, g, 2, true)
	pic.Epoch = 2
	_, _, err = redactOne(r, pic)
	require.NoError(t, err)
	require.Equal(t, before+1, p.resets)
}

func TestCertificateFitsOnlyItsOwnPicture(t *testing.T) {
	_, _, g := setup(t)
	p := next(t, g, 7, true)
	now := time.Unix(1000, 0)
	regions := []geom.Region{{Rect: image.Rect(1, 2, 3, 4)}}
	good := inspectionOf(p, "abc", now, MaxInspectionAge)
	good.RegionsHash = hashRegions(regions)
	require.NoError(t, good.check(p, "abc", now, regions))
	changes := map[string]func(*Inspection){
		"camera":       func(c *Inspection) { c.Camera = "yard" },
		"epoch":        func(c *Inspection) { c.Epoch++ },
		"generation":   func(c *Inspection) { c.Generation++ },
		"picture":      func(c *Inspection) { c.Picture++ },
		"complete":     func(c *Inspection) { c.Complete = false },
		"width":        func(c *Inspection) { c.Width++ },
		"height":       func(c *Inspection) { c.Height-- },
		"model":        func(c *Inspection) { c.ModelSHA256 = "" },
		"uninspected":  func(c *Inspection) { c.Inspected = time.Time{} },
		"stale":        func(c *Inspection) { c.Inspected = now.Add(-MaxInspectionAge - 1) },
		"other region": func(c *Inspection) { c.RegionsHash ^= 1 },
	}
	for name, change := range changes {
		c := good
		change(&c)
		require.Error(t, c.check(p, "abc", now, regions), name)
	}
	require.Error(t, good.check(p, "abc", now, nil), "regions were exchanged")
}

func TestZeroFrameIsNotAdmitted(t *testing.T) {
	require.False(t, NewGate(Cause{}).Admits(Frame{}, time.Now()))
}

func TestSlateHoldsTextAndNothingElse(t *testing.T) {
	for _, size := range [][2]int{{1280, 720}, {64, 48}, {33, 17}, {4096, 2304}} {
		s, err := NewSlate(size[0], size[1])
		require.NoError(t, err)
		f := s.Frame("packet loss: waiting for a key frame of the camera, which may take a while — really", "door", "12:00:00")
		is, reason := f.Slate()
		require.True(t, is)
		require.Contains(t, reason, "packet loss")
		ink := 0
		for y := range size[1] {
			for x := range size[0] {
				switch v := f.Image().Y[y*f.Image().YStride+x]; v {
				case slateWriting:
					ink++
				case slateGround:
				default:
					t.Fatalf("sample %d at %d, %d", v, x, y)
				}
			}
		}
		require.Positive(t, ink)
		require.True(t, NewGate(Cause{}).Admits(f, time.Now()))
	}
}

func FuzzSlateTakesAnyText(f *testing.F) {
	f.Add("packet loss", "door")
	f.Add("\xff\xfe …\n\t", "")
	s, err := NewSlate(160, 90)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, reason, line string) {
		require.NotNil(t, s.Frame(reason, line).Image())
	})
}

func TestBoxesOutsideThePictureNeedNoCover(t *testing.T) {
	im, err := yuv.New(64, 48)
	require.NoError(t, err)
	require.NoError(t, covers(nil, []face.Face{{Box: geom.Box{X: 70, Y: 0, W: 10, H: 10}}}, im))
	require.Error(t, covers(nil, []face.Face{{Box: geom.Box{X: 60, Y: 0, W: 10, H: 10}}}, im))
	require.False(t, math.IsNaN(geom.Box{}.IoU(geom.Box{})))
}

// ahead returns a redactor with a look-ahead of n pictures.
func ahead(t *testing.T, n int) (*Redactor, *parts, *Gate) {
	t.Helper()
	p, g := &parts{ahead: n}, NewGate(Cause{Text: "starting"})
	r, err := New(Options{Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p})
	require.NoError(t, err)
	return r, p, g
}

func TestLookaheadReleasesPicturesLateAndInOrder(t *testing.T) {
	r, _, g := ahead(t, 3)
	var numbers []uint64
	collect := func(outs []Outcome) {
		for _, o := range outs {
			require.NoError(t, o.Err)
			require.Equal(t, o.Picture.Image, o.Frame.Image())
			require.Equal(t, o.Picture.Number, o.Frame.Inspection().Picture)
			numbers = append(numbers, o.Picture.Number)
		}
	}
	for i := uint64(1); i <= 10; i++ {
		collect(r.Redact(next(t, g, i, i == 1)))
		require.Len(t, numbers, max(0, int(i)-3))
	}
	collect(r.Flush())
	require.Equal(t, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, numbers)
	require.Empty(t, r.Flush())
}

// Shutting the gate withholds the waiting pictures, too, each once.
func TestPicturesThatWaitAreWithheldWhenTheGateShuts(t *testing.T) {
	for name, fault := range map[string]func(*parts, *Gate, *Picture){
		"detector fails": func(p *parts, _ *Gate, _ *Picture) { p.err = errors.New("no") },
		"panic":          func(p *parts, _ *Gate, _ *Picture) { p.panics = true },
		"loss":           func(_ *parts, g *Gate, pic *Picture) { pic.Generation = g.Shut(Cause{Text: "packet loss"}) },
		"obscurer fails": func(p *parts, _ *Gate, _ *Picture) { p.apply = errors.New("no") },
		"wrong camera":   func(_ *parts, _ *Gate, pic *Picture) { pic.Camera = "yard" },
		"new epoch":      func(_ *parts, g *Gate, pic *Picture) { pic.Epoch, pic.Generation = 2, g.Shut(Cause{Text: "size"}) },
	} {
		t.Run(name, func(t *testing.T) {
			r, p, g := ahead(t, 3)
			answered := map[uint64]int{}
			for i := uint64(1); i <= 5; i++ {
				for _, o := range r.Redact(next(t, g, i, i == 1)) {
					require.NoError(t, o.Err)
					answered[o.Picture.Number]++
				}
			}
			bad := next(t, g, 6, false)
			fault(p, g, bad)
			for _, o := range append(append([]Outcome(nil), r.Redact(bad)...), r.Flush()...) {
				require.Error(t, o.Err)
				require.Nil(t, o.Frame.Image())
				answered[o.Picture.Number]++
			}
			require.Equal(t, map[uint64]int{1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}, answered)
			*p = parts{ahead: 3}
			for i := uint64(7); i <= 10; i++ {
				pic := next(t, g, i, i == 7)
				pic.Epoch = 2
				for _, o := range r.Redact(pic) {
					require.NoError(t, o.Err, "the gate does not recover")
				}
			}
		})
	}
}

func TestPicturesThatWaitedTooLongAreNotShownAndShutNothing(t *testing.T) {
	r, _, g := ahead(t, 1)
	now := time.Unix(1000, 0)
	r.now = func() time.Time { return now }
	require.Empty(t, r.Redact(next(t, g, 1, true)))
	for _, o := range r.Redact(next(t, g, 2, false)) {
		require.NoError(t, o.Err)
	}
	now = now.Add(MaxInspectionAge + MaxLookaheadTime + time.Second)
	outs := r.Redact(next(t, g, 3, false))
	require.Len(t, outs, 1)
	require.Error(t, outs[0].Err)
	outs = r.Redact(next(t, g, 4, false))
	require.Len(t, outs, 1)
	require.NoError(t, outs[0].Err)
}

// tested returns a redactor whose self-test result is set by the test.
func tested(t *testing.T) (r *Redactor, g *Gate, fail *error, runs *int, now *time.Time) {
	t.Helper()
	p := &parts{}
	g = NewGate(Cause{Text: "starting"})
	fail, runs, now = new(error), new(int), new(time.Time)
	*now = time.Unix(1000, 0)
	r, err := New(Options{
		Camera: "door", Gate: g, Detector: p, Tracker: p, Obscurer: p, Now: func() time.Time { return *now },
		SelfTest: func(width, height int) error {
			*runs++
			require.Equal(t, [2]int{64, 48}, [2]int{width, height})
			return *fail
		},
	})
	require.NoError(t, err)
	return r, g, fail, runs, now
}

func TestSelfTestRunsAtTheStartAndNowAndThen(t *testing.T) {
	r, g, _, runs, now := tested(t)
	require.True(t, r.LastSelfTest().At.IsZero())
	detector := r.o.Detector.(*parts)
	before := detector.resets
	for i := uint64(1); i <= 20; i++ {
		_, _, err := redactOne(r, next(t, g, i, i == 1))
		require.NoError(t, err)
		if i == 10 {
			require.Equal(t, 1, *runs)
			*now = now.Add(SelfTestInterval)
		}
	}
	require.Equal(t, 2, *runs)
	require.GreaterOrEqual(t, detector.resets, before+2, "what the detector remembers of the drawn face")
	pic := next(t, g, 21, false)
	pic.Epoch = 2
	_, _, err := redactOne(r, pic)
	require.NoError(t, err)
	require.Equal(t, 3, *runs, "a new epoch is a new size")
}

func TestNothingIsShownWhileTheSelfTestFails(t *testing.T) {
	r, g, fail, runs, now := tested(t)
	_, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	*fail = errors.New("the drawn face is not found")
	*now = now.Add(SelfTestInterval)
	for i := uint64(2); i <= 9; i++ {
		_, _, err := redactOne(r, next(t, g, i, i%4 == 0))
		require.Error(t, err, "picture %d", i)
	}
	require.Equal(t, 4, *runs, "it is tried again at key frames only")
	_, open, cause := g.State()
	require.False(t, open)
	require.Equal(t, FaultSelfTest, cause.Fault)
	require.Error(t, r.LastSelfTest().Err)
	*fail = nil
	_, _, err = redactOne(r, next(t, g, 10, false))
	require.Error(t, err)
	_, _, err = redactOne(r, next(t, g, 11, true))
	require.NoError(t, err)
}

// Regions of another picture may cover all faces of this one by chance.
func TestRegionsOfAnotherPictureAreRefused(t *testing.T) {
	here := []face.Face{{Box: geom.Box{X: 20, Y: 20, W: 10, H: 12}}}
	region := func(x float64, s geom.Source) []geom.Region {
		return []geom.Region{{Rect: image.Rect(0, 0, 64, 48), Face: geom.Box{X: x, Y: 20, W: 10, H: 12}, Source: s}}
	}
	require.NoError(t, checkFaces(region(20, geom.Detected), here))
	require.NoError(t, checkFaces(nil, here))
	require.NoError(t, checkFaces(region(22, geom.Held), here), "of a face that was lost")
	require.NoError(t, checkFaces(region(22, geom.Backfilled), here))
	require.Error(t, checkFaces(region(22, geom.Detected), here))
	require.Error(t, checkFaces(region(20, geom.Detected), nil))
	for name, regions := range map[string][]geom.Region{"face tracking failed": nil, "regions of another picture": region(22, geom.Detected)} {
		r, p, g := setup(t)
		p.faces = here
		p.regions = func([]face.Face) []geom.Region { return regions }
		_, _, err := redactOne(r, next(t, g, 1, true))
		require.ErrorContains(t, err, name)
		_, _, cause := g.State()
		require.Equal(t, name, cause.Text)
	}
}

// watchful is a tracker that is told of restless pictures.
type watchful struct {
	*parts
	restless []bool
}

func (w *watchful) SetRestless(restless bool) { w.restless = append(w.restless, restless) }

func TestTrackerIsToldOfRestlessPictures(t *testing.T) {
	r, p, g := setup(t)
	w := &watchful{parts: p}
	r.o.Tracker = w
	at := time.Unix(50, 0)
	show := func(number uint64, noise int) {
		pic := next(t, g, number, number == 1)
		for i := range pic.Image.Y {
			pic.Image.Y[i] += byte(i * int(number) * 31 % (noise + 1))
		}
		pic.Time = at.Add(time.Duration(number) * time.Second)
		_, _, err := redactOne(r, pic)
		require.NoError(t, err)
	}
	show(1, 0)
	show(2, 2)
	show(3, 50)
	show(4, 2)
	show(9, 2)
	require.Equal(t, []bool{true, false, true, true, false}, w.restless)
}
