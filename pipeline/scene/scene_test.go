package scene

import (
	"crypto/sha256"
	"fmt"
	"image"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/scene/stamp"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/redact/yuv"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123456789, time.UTC)

func newScene(t testing.TB, o Options) *Scene {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	return s
}

func newPicture(t testing.TB, o Options) *yuv.Image {
	t.Helper()
	im, err := yuv.New(o.Width, o.Height)
	require.NoError(t, err)
	return im
}

func draw(t testing.TB, s *Scene, n uint32) (*yuv.Image, Truth) {
	t.Helper()
	im := newPicture(t, s.options)
	truth, err := s.Draw(im, n, noon)
	require.NoError(t, err)
	return im, truth
}

// differ returns how many luma samples of r differ in a and b by more than tolerance.
func differ(a, b *yuv.Image, r image.Rectangle, tolerance int) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if d := int(a.Y[y*a.YStride+x]) - int(b.Y[y*b.YStride+x]); d > tolerance || -d > tolerance {
				n++
			}
		}
	}
	return n
}

func TestNew_Options(t *testing.T) {
	ok := Options{Width: 640, Height: 360}
	with := func(change func(*Options)) Options {
		o := ok
		change(&o)
		return o
	}
	for name, o := range map[string]Options{
		"nothing":         {},
		"too small":       {Width: 318, Height: 180},
		"too large":       {Width: 4098, Height: 2304},
		"too wide":        {Width: 3000, Height: 900},
		"fps":             with(func(o *Options) { o.FPS = -1 }),
		"fps not number":  with(func(o *Options) { o.FPS = math.NaN() }),
		"fps endless":     with(func(o *Options) { o.FPS = math.Inf(1) }),
		"nobody":          with(func(o *Options) { o.People = -1 }),
		"crowd":           with(func(o *Options) { o.People = MaxPeople + 1 }),
		"faces too small": with(func(o *Options) { o.MinFace = LeastFace - 1 }),
		"faces too large": with(func(o *Options) { o.MaxFace = 181 }),
		"faces reversed":  with(func(o *Options) { o.MinFace, o.MaxFace = 60, 40 }),
	} {
		_, err := New(o)
		require.ErrorContains(t, err, "choose", name)
	}
	s := newScene(t, ok)
	require.Equal(t, Options{Width: 640, Height: 360, FPS: DefaultFPS, People: DefaultPeople, MinFace: DefaultMinFace, MaxFace: 120}, s.Options())
}

func TestDraw_Sizes(t *testing.T) {
	for _, size := range []image.Point{{320, 180}, {321, 181}, {641, 363}, {720, 1280}, {1280, 428}, {4096, 1366}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := newScene(t, Options{Width: size.X, Height: size.Y, People: 3, Seed: 9})
			for n := range uint32(3) {
				im, _ := draw(t, s, n*70)
				got, err := stamptest.Read(im)
				require.NoError(t, err)
				require.Equal(t, stamptest.Stamp{Number: n * 70, Captured: noon}, got)
			}
		})
	}
}

func TestDraw_WrongSize(t *testing.T) {
	s := newScene(t, Options{Width: 640, Height: 360, People: 1})
	_, err := s.Draw(newPicture(t, Options{Width: 642, Height: 360}), 0, noon)
	require.Error(t, err)
}

func TestDraw_FunctionOfOptionsAndNumber(t *testing.T) {
	o := Options{Width: 640, Height: 360, Seed: 5, People: 3}
	a, b := newScene(t, o), newScene(t, o)
	numbers := []uint32{0, 1, 40, 333, 4_000_000_000}
	want := map[uint32]*yuv.Image{}
	truths := map[uint32]Truth{}
	for _, n := range numbers {
		want[n], truths[n] = draw(t, a, n)
		require.Equal(t, truths[n], a.Truth(n))
	}
	for i := range numbers {
		n := numbers[len(numbers)-1-i]
		require.Equal(t, truths[n], b.Truth(n), "frame %d", n)
		b.Truth(n + 17)
		im := newPicture(t, o)
		im.Fill(77, 33, 44)
		truth, err := b.Draw(im, n, noon)
		require.NoError(t, err)
		require.Equal(t, truths[n], truth)
		require.Zero(t, differ(want[n], im, im.Bounds(), 0), "frame %d", n)
		for y := range im.ChromaHeight() {
			row := func(p []byte) []byte { return p[y*im.CStride : y*im.CStride+im.ChromaWidth()] }
			require.Equal(t, row(want[n].U), row(im.U))
			require.Equal(t, row(want[n].V), row(im.V))
		}
	}
}

func TestPrepare_ChangesNothing(t *testing.T) {
	o := Options{Width: 320, Height: 180, Seed: 5, People: 1}
	a, b := newScene(t, o), newScene(t, o)
	b.Prepare()
	for i, v := range b.people[0].views {
		require.NotNil(t, v, "view %d", i)
	}
	for n := uint32(0); n < 600; n += 50 {
		want, _ := draw(t, a, n)
		got, _ := draw(t, b, n)
		require.Equal(t, want, got, "frame %d", n)
	}
}

func TestDraw_SeedMatters(t *testing.T) {
	a := newScene(t, Options{Width: 640, Height: 360, Seed: 1})
	b := newScene(t, Options{Width: 640, Height: 360, Seed: 2})
	require.NotEqual(t, a.Truth(50), b.Truth(50))
}

func TestDraw_NoStamp(t *testing.T) {
	o := Options{Width: 640, Height: 360, Seed: 5}
	with, truth := draw(t, newScene(t, o), 60)
	o.NoStamp = true
	without, same := draw(t, newScene(t, o), 60)
	require.Equal(t, truth, same)
	area := stamp.Bounds(640, 360)
	require.Positive(t, differ(with, without, area, 0))
	require.Equal(t, differ(with, without, area, 0), differ(with, without, with.Bounds(), 0))
	_, err := stamptest.Read(without)
	require.ErrorIs(t, err, stamptest.ErrNone)
}

func TestDraw_LimitedRange(t *testing.T) {
	s := newScene(t, Options{Width: 640, Height: 360, Seed: 8, People: 6})
	for n := range uint32(10) {
		im, _ := draw(t, s, n*31)
		for y := range im.Height {
			for _, v := range im.Y[y*im.YStride : y*im.YStride+im.Width] {
				if v < 16 || v > 235 {
					t.Fatalf("frame %d has luma %d", n*31, v)
				}
			}
		}
		for y := range im.ChromaHeight() {
			for x := range im.ChromaWidth() {
				if u, v := im.U[y*im.CStride+x], im.V[y*im.CStride+x]; min(u, v) < 16 || max(u, v) > 240 {
					t.Fatalf("frame %d has chroma %d, %d", n*31, u, v)
				}
			}
		}
	}
}

func TestDraw_FewAllocations(t *testing.T) {
	s := newScene(t, Options{Width: 640, Height: 360, Seed: 1, People: 3})
	im := newPicture(t, s.options)
	n := uint32(0)
	again := func() { // AllocsPerRun calls it once more than it counts
		if _, err := s.Draw(im, n%51, noon); err != nil {
			t.Error(err)
		}
		n++
	}
	for range 51 { // heads are rendered, buffers grow
		again()
	}
	allocs := testing.AllocsPerRun(50, again)
	require.LessOrEqual(t, allocs, 4.0)
}

// TestVersion_SaysWhatIsDrawn holds the drawing to its version: who changes what
// the same options give adds one to Version and puts the new sum here.
func TestVersion_SaysWhatIsDrawn(t *testing.T) {
	testenv.Need(t, testenv.AMD64) // others round otherwise
	s := newScene(t, Options{Width: 640, Height: 360, FPS: 10, People: 8, Seed: 3})
	sum := sha256.New()
	for _, n := range []uint32{0, 25, 80} {
		im, truth := draw(t, s, n)
		for y := range im.Height {
			sum.Write(im.Y[y*im.YStride:][:im.Width])
		}
		for _, f := range truth.Faces {
			fmt.Fprintf(sum, "%d %.3f %.3f %.3f %.3f %.3f\n", f.Person, f.Box.X, f.Box.Y, f.Box.W, f.Box.H, f.Visible)
		}
	}
	require.Equal(t, "1: 9f424cf782585c9f", fmt.Sprintf("%d: %x", Version, sum.Sum(nil)[:8]), "add one to Version")
}
