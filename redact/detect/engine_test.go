package detect

import (
	"image"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models"
	"scrim/models/testenv"
	"scrim/pipeline/scene"
	"scrim/redact/face"
	"scrim/redact/infer"
	"scrim/redact/yuv"
)

// engines returns a detector on each engine.
func engines(tb testing.TB, c Config) (ours, opencv *yuNet) {
	tb.Helper()
	c.Engine = EngineScrim
	ours, _ = skipping(tb, c)
	c.Engine = EngineOpenCV
	opencv, _ = skipping(tb, c)
	return ours, opencv
}

// networks calls f with the network that is built in, with YuNet-n, and with others.
func networks(t *testing.T, f func(t *testing.T, model string), others ...testenv.Condition) {
	t.Helper()
	t.Run("scrim-face", func(t *testing.T) { f(t, "") })
	for _, c := range append([]testenv.Condition{testenv.YuNet}, others...) {
		t.Run(string(c), func(t *testing.T) { f(t, testenv.Path(t, c)) })
	}
}

// agreement counts the detections of one engine, and which of them another has,
// too.
type agreement struct{ found, shared int }

// sure is by how much a score must exceed the threshold for the other engine to
// find it, too, whose scores differ in the fourth digit.
const sure = 0.005

func (a *agreement) add(one, other []face.Face) {
	for _, f := range one {
		if f.Score < 0.3+sure {
			continue
		}
		a.found++
		for _, g := range other {
			if f.Box.IoU(g.Box) >= 0.9 && math.Abs(f.Score-g.Score) < 0.02 {
				a.shared++
				break
			}
		}
	}
}

// agree compares the engines on pictures.
func agree(t *testing.T, c Config, pictures []*yuv.Image) {
	t.Helper()
	ours, opencv := engines(t, c)
	var there, back agreement
	for _, im := range pictures {
		a, _ := detect(t, ours, im)
		b, _ := detect(t, opencv, im)
		there.add(a, b)
		back.add(b, a)
	}
	t.Logf("%d pictures at %d: %d of %d detections are OpenCV's, %d of its %d are ours", len(pictures), c.Size,
		there.shared, there.found, back.shared, back.found)
	require.Positive(t, there.found)
	require.GreaterOrEqual(t, there.shared*100, there.found*99)
	require.GreaterOrEqual(t, back.shared*100, back.found*99)
}

// drawn returns pictures of drawn people.
func drawn(t *testing.T, w, h int, people, least, most int) (all []*yuv.Image) {
	t.Helper()
	for seed := range uint64(2) {
		s, err := scene.New(scene.Options{Width: w, Height: h, Seed: 50 + seed, People: people, MinFace: least, MaxFace: most})
		require.NoError(t, err)
		for n := range uint32(3) {
			im, err := yuv.New(w, h)
			require.NoError(t, err)
			_, err = s.Draw(im, 83*n, time.Time{})
			require.NoError(t, err)
			all = append(all, im)
		}
	}
	return all
}

func TestEnginesAgreeOnDrawnPeople(t *testing.T) {
	networks(t, func(t *testing.T, model string) {
		agree(t, Config{Model: model, Size: 640}, drawn(t, 1920, 1080, 14, 20, 500))
		agree(t, Config{Model: model, Size: 320}, drawn(t, 638, 482, 8, 16, 200))
		agree(t, Config{Model: model, Size: 640, Tiles: true}, drawn(t, 1280, 720, 14, 10, 300)[:2])
	})
}

func TestEnginesAgreeOnPhotographs(t *testing.T) {
	paths := photographFiles(t)
	var all []*yuv.Image
	for _, p := range paths {
		all = append(all, load(t, p))
	}
	networks(t, func(t *testing.T, model string) {
		for _, size := range []int{320, 640, 1280} {
			agree(t, Config{Model: model, Size: size}, all)
		}
	})
}

func TestEngineIsNamedAndFallsBackToOpenCV(t *testing.T) {
	m, err := infer.Read(models.Weights())
	require.NoError(t, err)
	auto := "on opencv"
	if m.Vector() {
		auto = "on scrim " + m.Path()
	}
	for engine, says := range map[string]string{
		"": auto, EngineAuto: auto, EngineScrim: "on scrim " + m.Path(), EngineOpenCV: "on opencv",
	} {
		d, _ := skipping(t, Config{Size: 320, Engine: engine})
		require.Contains(t, d.Info().Name, says, "engine %q", engine)
		require.Empty(t, d.Info().Warning)
	}
	junk := []byte("this is no model")
	_, _, err = openEngine(junk, EngineScrim)
	require.ErrorIs(t, err, infer.ErrModel)
	require.ErrorContains(t, err, EngineOpenCV)
	e, warning, err := openEngine(junk, EngineAuto)
	require.NoError(t, err)
	require.Equal(t, EngineOpenCV, e.name())
	require.Contains(t, warning, "takes several times as long")
	e.close()
}

func TestAutoPrefersOpenCVWhereThereAreNoVectorInstructions(t *testing.T) {
	for _, c := range []struct {
		which         string
		known, vector bool
		want          string
	}{
		{EngineAuto, true, true, EngineScrim},
		{EngineAuto, true, false, EngineOpenCV},
		{"", true, true, EngineScrim},
		{"", true, false, EngineOpenCV},
		{EngineAuto, false, false, EngineOpenCV},
		{EngineScrim, true, true, EngineScrim},
		{EngineScrim, true, false, EngineScrim},
		{EngineScrim, false, false, ""},
		{EngineScrimAVX2, true, true, EngineScrim},
		{EngineScrimAVX2, false, false, ""},
	} {
		require.Equal(t, c.want, pick(c.which, c.known, c.vector), "%+v", c)
	}
}

func TestEngineAutoWarnsOfAModelThatOnlyOpenCVMayKnow(t *testing.T) {
	strange := []byte("no model of the kind")
	e, warning, err := openEngine(strange, EngineAuto)
	require.NoError(t, err)
	require.Equal(t, EngineOpenCV, e.name())
	require.Contains(t, warning, "several times as long")
	for _, which := range []string{EngineScrim, EngineScrimAVX2} {
		_, _, err := openEngine(strange, which)
		require.ErrorContains(t, err, "choose the engine opencv")
	}
}

// What the engines say of a picture, before anything is made of it, differs by
// rounding alone.
func TestEnginesSayTheSame(t *testing.T) {
	pictures := drawn(t, 640, 360, 8, 20, 100)[:3]
	networks(t, func(t *testing.T, path string) {
		model := models.Weights()
		if path != "" {
			var err error
			model, err = os.ReadFile(path)
			require.NoError(t, err)
		}
		ours, _, err := openEngine(model, EngineScrim)
		require.NoError(t, err)
		opencv, _, err := openEngine(model, EngineOpenCV)
		require.NoError(t, err)
		defer opencv.close()
		for _, r := range []image.Rectangle{
			image.Rect(0, 0, 640, 384), image.Rect(0, -12, 640, 372), image.Rect(-20, -30, 300, 66), image.Rect(500, 200, 564, 264),
		} {
			for i, im := range pictures {
				im.FullRange = i == 1
				v, err := viewOf(im)
				require.NoError(t, err)
				a, err := ours.run(&v, r)
				require.NoError(t, err)
				b, err := opencv.run(&v, r)
				require.NoError(t, err)
				for k, name := range outputs {
					require.Len(t, a[k], len(b[k]))
					size, worst, sum := 0.0, 0.0, 0.0
					for j, want := range b[k] {
						d := math.Abs(float64(want - a[k][j]))
						size, worst, sum = max(size, math.Abs(float64(want))), max(worst, d), sum+d*d
					}
					t.Logf("%v %s: %.2g worst, %.2g in the mean, of %.2g", r, name, worst, math.Sqrt(sum/float64(len(b[k]))), size)
					require.LessOrEqual(t, worst, 2e-3*max(size, 1), "%s of %v", name, r)
				}
			}
		}
	}, testenv.YuNetS)
}
