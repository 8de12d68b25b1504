package sight

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/pipeline/scene"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clip is a drawn scene.
type clip struct {
	*scene.Scene
	im *yuv.Image
}

func newClip(tb testing.TB, w, h int, seed uint64) clip {
	tb.Helper()
	s, err := scene.New(scene.Options{Width: w, Height: h, Seed: seed, People: 6, HardFaces: true})
	require.NoError(tb, err)
	im, err := yuv.New(w, h)
	require.NoError(tb, err)
	return clip{s, im}
}

// frame draws frame n.
func (c clip) frame(tb testing.TB, n uint32) *yuv.Image {
	tb.Helper()
	_, err := c.Draw(c.im, n, begin)
	require.NoError(tb, err)
	return c.im
}

func open(tb testing.TB, c detect.Config) redact.PartDetector {
	tb.Helper()
	c.Threshold = 0.3
	d, err := detect.Open(c)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, d.Close()) })
	p, ok := d.(redact.PartDetector)
	require.True(tb, ok)
	return p
}

func newSight(tb testing.TB, o Options) *Sight {
	tb.Helper()
	if o.Size == 0 {
		o.Size = 640
	}
	if o.Detector == nil {
		o.Detector = open(tb, detect.Config{Size: o.Size, Tiles: o.Tiles})
	}
	s, err := New(o)
	require.NoError(tb, err)
	return s
}

// how is what is done to a picture.
type how struct {
	light float64 // share
	noise float64 // levels
	blur  float64 // pixels
	fog   float64 // share of the contrast that is lost
}

// bad returns im in a bad condition.
func (h how) bad(im *yuv.Image) *yuv.Image {
	out := im.Clone()
	if h.blur > 0 {
		plane, tmp := make([]float32, len(im.Y)), make([]float32, max(im.YStride, im.Height))
		for i, v := range im.Y {
			plane[i] = float32(v)
		}
		gauss(plane, tmp, im.YStride, im.Height, h.blur)
		for i, v := range plane {
			out.Y[i] = sampleOf(v)
		}
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	light := h.light
	if light == 0 {
		light = 1
	}
	lv := levelsOf(im)
	for i, v := range out.Y {
		l := lv.of(float64(v)) * light
		l = l*(1-h.fog) + 180*h.fog + r.NormFloat64()*h.noise
		out.Y[i] = byte(min(max(math.Round(lv.sample(l)), 0), 255))
	}
	for i := range out.U {
		out.U[i] = byte(128 + (float64(out.U[i])-128)*light*(1-h.fog))
		out.V[i] = byte(128 + (float64(out.V[i])-128)*light*(1-h.fog))
	}
	return out
}

func TestCleanPicturesAreNeverBlind(t *testing.T) {
	for _, size := range [][2]int{{640, 360}, {480, 640}, {1280, 720}, {1920, 1080}, {3840, 2160}} {
		for _, c := range []detect.Config{{Size: 640}, {Size: 640, Tiles: true}} {
			if c.Tiles && size[0] > 1280 {
				continue // the same, for much longer
			}
			t.Run(fmt.Sprintf("%d×%d, tiles %v", size[0], size[1], c.Tiles), func(t *testing.T) {
				s := newSight(t, Options{Tiles: c.Tiles})
				k, at := newClip(t, size[0], size[1], 5), begin
				for n := range uint32(4) {
					im := k.frame(t, 100+n*250)
					v, err := s.Judge(at, im)
					require.NoError(t, err)
					require.True(t, v.Proved, "frame %d: %+v", n, s.Report())
					require.False(t, v.Blind)
					require.Empty(t, v.Why)
					require.InDelta(t, 0.05*float64(size[1]), v.Need, 1, "no more than is asked for is needed")
					require.LessOrEqual(t, v.Size, v.Need)
					require.Positive(t, v.Size)
					at = at.Add(10 * time.Second)
				}
				r := s.Report()
				require.Equal(t, uint64(4), r.Tests)
				require.Zero(t, r.Failed)
				require.Len(t, r.Cells, gridLong*gridShort)
				for _, c := range r.Cells {
					require.Positive(t, c.Faces)
				}
			})
		}
	}
}

func TestBadConditionsAreBlindForTheRightReason(t *testing.T) {
	for name, c := range map[string]struct {
		how
		want string
	}{
		"noise 80":            {how{noise: 80}, WhyTooNoisy},
		"light 3 %, noise 3":  {how{light: 0.03, noise: 3}, WhyTooDark},
		"light 8 %, noise 10": {how{light: 0.08, noise: 10}, WhyTooDark},
		"defocused":           {how{blur: 9}, WhyBlurred},
		"fog":                 {how{fog: 0.95, noise: 3}, WhyLowContrast},
	} {
		t.Run(name, func(t *testing.T) {
			k := newClip(t, 640, 360, 7)
			clean := k.frame(t, 200)
			bad := c.bad(clean)
			s := newSight(t, Options{})
			v, err := s.Judge(begin, bad)
			require.NoError(t, err)
			require.False(t, v.Proved, "from the first picture: %+v", s.Report())
			require.False(t, v.Blind)
			v, err = s.Judge(begin.Add(blindTime), bad)
			require.NoError(t, err)
			require.True(t, v.Blind)
			require.Equal(t, c.want, v.Why, "%v", s.Report().Condition)
			// It comes back by itself.
			at := begin.Add(3 * time.Second)
			for range 8 {
				v, err = s.Judge(at, clean)
				require.NoError(t, err)
				at = at.Add(time.Second)
			}
			require.True(t, v.Proved && !v.Blind, "%+v", s.Report())
			// And it is lost in that very picture.
			v, err = s.Judge(at, bad)
			require.NoError(t, err)
			require.False(t, v.Proved)
			require.False(t, v.Blind)
			require.Equal(t, c.want, v.Why)
		})
	}
}

func TestCoveredLensAndTurnedCamera(t *testing.T) {
	s := newSight(t, Options{})
	a := newClip(t, 640, 360, 7).frame(t, 200)
	b := a.Clone() // upside down
	for _, plane := range [][]byte{b.Y, b.U, b.V} {
		slices.Reverse(plane)
	}
	v, err := s.Judge(begin, a)
	require.NoError(t, err)
	require.True(t, v.Proved)
	covered, err := yuv.New(640, 360)
	require.NoError(t, err)
	covered.Fill(70, 120, 140)
	v, err = s.Judge(begin.Add(40*time.Millisecond), covered)
	require.NoError(t, err)
	require.False(t, v.Proved)
	require.Equal(t, WhyCovered, v.Why)
	v, err = s.Judge(begin.Add(80*time.Millisecond), a)
	require.NoError(t, err)
	require.False(t, v.Proved, "the cover stays for a while")
	require.Equal(t, WhyCovered, v.Why)
	v, err = s.Judge(begin.Add(80*time.Millisecond+leastHold), a)
	require.NoError(t, err)
	require.True(t, v.Proved, "the lens is free again")
	tests := s.Report().Tests
	v, err = s.Judge(begin.Add(2*time.Second), b)
	require.NoError(t, err)
	require.Equal(t, tests+1, s.Report().Tests, "another scene is tested at once")
	require.True(t, v.Proved)
}

func TestNeedThatNoDetectorMeetsIsSaid(t *testing.T) {
	s := newSight(t, Options{NeedPixels: 12})
	k := newClip(t, 1920, 1080, 5)
	v, err := s.Judge(begin, k.frame(t, 100))
	require.NoError(t, err)
	require.True(t, v.Proved)
	require.Greater(t, v.Need, 36.0)
	require.Contains(t, s.Report().Warning, "need of 12 px is below what detect.size 640 finds: ")
	s = newSight(t, Options{NeedPercent: 10})
	v, err = s.Judge(begin, k.im)
	require.NoError(t, err)
	require.InDelta(t, 108, v.Need, 0)
	require.NotContains(t, s.Report().Warning, "below")
}

// A Redactor resets its parts before the first picture.
func TestSightMayBeResetBeforeItsFirstPicture(t *testing.T) {
	s := newSight(t, Options{})
	s.Reset()
	v, err := s.Judge(begin, newClip(t, 640, 360, 1).frame(t, 0))
	require.NoError(t, err)
	require.True(t, v.Proved, v.Why)
}

// halving lets a detector look at photographs that are too large for it, as that of files does.
type halving struct{ redact.PartDetector }

func (h halving) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	small, err := yuv.New(part.Width/2, part.Height/2)
	if err != nil {
		return nil, err
	}
	for y := range small.Height {
		for x := range small.Width {
			small.Y[y*small.YStride+x] = part.Y[2*y*part.YStride+2*x]
			small.U[y/2*small.CStride+x/2], small.V[y/2*small.CStride+x/2] = part.U[y/2*2*part.CStride+x/2*2], part.V[y/2*2*part.CStride+x/2*2]
		}
	}
	small.FullRange = part.FullRange
	faces, err := h.PartDetector.DetectPart(small, image.Pt(at.X/4*2, at.Y/4*2), width/2, height/2)
	for i := range faces {
		b := &faces[i].Box
		b.X, b.Y, b.W, b.H = 2*b.X, 2*b.Y, 2*b.W, 2*b.H
	}
	return faces, err
}

func TestPhotographsOfAnySizeAreJudged(t *testing.T) {
	small := newClip(t, 1280, 720, 3).frame(t, 100)
	im, err := yuv.New(5120, 2880)
	require.NoError(t, err)
	for y := range im.Height {
		for x := range im.Width {
			im.Y[y*im.YStride+x] = small.Y[y/4*small.YStride+x/4]
		}
	}
	for y := range im.ChromaHeight() {
		for x := range im.ChromaWidth() {
			im.U[y*im.CStride+x], im.V[y*im.CStride+x] = small.U[y/4*small.CStride+x/4], small.V[y/4*small.CStride+x/4]
		}
	}
	s := newSight(t, Options{Detector: halving{open(t, detect.Config{Size: 640})}})
	v, err := s.Judge(begin, im)
	require.NoError(t, err)
	require.True(t, v.Proved, "%+v", s.Report())
}

func TestPictureIsNotChanged(t *testing.T) {
	s := newSight(t, Options{})
	im := newClip(t, 642, 362, 3).frame(t, 50)
	before := im.Clone()
	for i := range 3 {
		_, err := s.Judge(begin.Add(time.Duration(i)*10*time.Second), im)
		require.NoError(t, err)
	}
	require.Equal(t, uint64(3), s.Report().Tests)
	require.Equal(t, before, im)
}

// watched counts calls, and finds nothing where it is told so.
type watched struct {
	redact.PartDetector
	parts int
	blind bool
	least float64 // height in pixels of faces that are found
}

func (w *watched) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	w.parts++
	faces, err := w.PartDetector.DetectPart(part, at, width, height)
	if w.blind {
		return nil, err
	}
	return slices.DeleteFunc(faces, func(f face.Face) bool { return f.Box.H < w.least }), err
}

func TestDetectorThatFindsNothingIsNoticed(t *testing.T) {
	w := &watched{PartDetector: open(t, detect.Config{Size: 640})}
	s := newSight(t, Options{Detector: w})
	im := newClip(t, 640, 360, 3).frame(t, 50)
	v, err := s.Judge(begin, im)
	require.NoError(t, err)
	require.True(t, v.Proved)
	w.blind = true
	v, err = s.Judge(begin.Add(10*time.Second), im)
	require.NoError(t, err)
	require.False(t, v.Proved)
	require.Equal(t, WhyNotFound, v.Why)
	require.Zero(t, v.Size)
}

func TestSightIsTheSizeFromWhichOnTheDetectorFindsFaces(t *testing.T) {
	for _, least := range []float64{24, 40, 70} {
		w := &watched{PartDetector: open(t, detect.Config{Size: 640})}
		s := newSight(t, Options{Detector: w, NeedPercent: 25})
		im := newClip(t, 640, 360, 3).frame(t, 50)
		_, err := s.Judge(begin, im)
		require.NoError(t, err)
		w.least = least
		at := begin
		for range 12 {
			at = at.Add(10 * time.Second)
			_, err = s.Judge(at, im)
			require.NoError(t, err)
		}
		require.InDelta(t, least, s.Report().Size, 0.35*least)
	}
}

// A camera that lies on its side has the sight of its detector, which looks at it upright.
func TestSightOfATurnedDetectorIsThatOfUprightFaces(t *testing.T) {
	const least = 40
	for _, r := range geom.Rotations[1:] {
		w := &watched{PartDetector: open(t, detect.Config{Size: 640})}
		turned, ok := detect.NewTurned(w, r).(redact.PartDetector)
		require.True(t, ok)
		s := newSight(t, Options{Detector: turned, Rotation: r, NeedPixels: 60})
		im, err := rotate.Turned(nil, newClip(t, 640, 360, 3).frame(t, 50), r.Inverse())
		require.NoError(t, err)
		before := im.Clone()
		v, err := s.Judge(begin, im)
		require.NoError(t, err)
		require.True(t, v.Proved, "%+v", s.Report())
		w.least = least
		at := begin
		for range 12 {
			at = at.Add(10 * time.Second)
			v, err = s.Judge(at, im)
			require.NoError(t, err)
		}
		require.True(t, v.Proved)
		require.InDelta(t, least, s.Report().Size, 0.35*least)
		require.Equal(t, before, im, "the picture is not changed")
	}
}

func TestSkipUnchangedIsNotDisturbed(t *testing.T) {
	k := newClip(t, 640, 360, 3)
	var want [][]face.Face
	for _, with := range []bool{false, true} {
		d := open(t, detect.Config{Size: 320, SkipUnchanged: true})
		s := newSight(t, Options{Detector: d, Size: 320})
		for n := range uint32(12) {
			im := k.frame(t, n)
			if with {
				_, err := s.Judge(begin.Add(time.Duration(n)*10*time.Second), im)
				require.NoError(t, err)
			}
			faces, err := d.Detect(im)
			require.NoError(t, err)
			if !with {
				want = append(want, slices.Clone(faces))
				continue
			}
			require.Equal(t, len(want[n]), len(faces))
			require.Equal(t, want[n], faces)
		}
	}
}

func TestNoFacesArePaintedInMasksAndIgnoredZones(t *testing.T) {
	whole := zone.Zone{Kind: zone.Mask, Polygon: []zone.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 1}}}
	w := &watched{PartDetector: open(t, detect.Config{Size: 640})}
	s := newSight(t, Options{Detector: w, Zones: []zone.Zone{whole}})
	im := newClip(t, 640, 360, 3).frame(t, 50)
	require.NoError(t, s.fit(im))
	parts := w.parts
	v, err := s.Judge(begin, im)
	require.NoError(t, err)
	require.True(t, v.Proved, "everything is masked")
	require.Equal(t, parts, w.parts)
}

func TestMemoryDoesNotGrow(t *testing.T) {
	s := newSight(t, Options{})
	im := newClip(t, 640, 360, 3).frame(t, 50)
	at := begin
	run := func(n int) uint64 {
		for range n {
			at = at.Add(10 * time.Second)
			_, err := s.Judge(at, im)
			require.NoError(t, err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := run(5)
	require.Less(t, run(40), before+1<<20)
	require.Less(t, testing.AllocsPerRun(5, func() {
		_, err := s.Judge(at, im)
		require.NoError(t, err)
	}), 1.0, "pictures that are not tested take no memory")
}

func TestSettingsThatCannotBeAreRefused(t *testing.T) {
	d := open(t, detect.Config{Size: 320})
	for _, o := range []Options{
		{}, {Detector: d}, {Detector: d, Size: 320, NeedPixels: -1}, {Detector: d, Size: 320, NeedPercent: 200},
		{Detector: d, Size: 320, Interval: -1}, {Detector: d, Size: 320, NeedPixels: math.NaN()},
	} {
		_, err := New(o)
		require.Error(t, err)
	}
	s := newSight(t, Options{Detector: d, Size: 320})
	small, err := yuv.New(8, 8)
	require.NoError(t, err)
	_, err = s.Judge(begin, small)
	require.Error(t, err)
}

func BenchmarkSight(b *testing.B) {
	for _, size := range [][2]int{{1280, 720}, {1920, 1080}, {3840, 2160}} {
		d := open(b, detect.Config{Size: 640})
		im := newClip(b, size[0], size[1], 3).frame(b, 100)
		s := newSight(b, Options{Detector: d})
		at := begin
		name := fmt.Sprintf("%d×%d ", size[0], size[1])
		judge := func(b *testing.B, step time.Duration) {
			b.Helper()
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(step)
				if _, err := s.Judge(at, im); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run(name+"detector", func(b *testing.B) {
			for b.Loop() {
				if _, err := d.Detect(im); err != nil {
					b.Fatal(err)
				}
			}
		})
		_, err := s.Judge(at, im)
		require.NoError(b, err)
		b.Run(name+"picture", func(b *testing.B) { judge(b, 0) })
		b.Run(name+"test", func(b *testing.B) { judge(b, DefaultInterval) })
	}
}
