package infer

import (
	"image"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"scrim/models"
	"scrim/models/testenv"
)

// picture returns noise in which every luma and every chroma value occurs.
func picture(w, h int, full bool) *Picture {
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	p := &Picture{Width: w, Height: h, YStride: w + 7, CStride: (w+1)/2 + 3, Full: full}
	p.Y, p.U, p.V = make([]byte, p.YStride*h), make([]byte, p.CStride*((h+1)/2)), make([]byte, p.CStride*((h+1)/2))
	for _, plane := range [][]byte{p.Y, p.U, p.V} {
		for i := range plane {
			plane[i] = byte(i)
		}
		r.Shuffle(len(plane), func(i, k int) { plane[i], plane[k] = plane[k], plane[i] })
	}
	return p
}

// onPaths calls f with a model for each path that this processor can take.
func onPaths(tb testing.TB, onnx []byte, f func(m *Model)) {
	tb.Helper()
	taken := 0
	for _, p := range paths {
		if !p.usable() {
			tb.Logf("this processor has no %s", p.name)
			continue
		}
		m, err := read(onnx, p)
		require.NoError(tb, err)
		taken++
		f(m)
	}
	require.Positive(tb, taken)
}

// off returns the largest difference, as a share of the largest value.
func off(want []float64, got []float32) float64 {
	worst, size := 0.0, 1e-9
	for i := range want {
		size = max(size, math.Abs(want[i]))
		if d := math.Abs(want[i] - float64(got[i])); !(d <= worst) {
			worst = d
		}
	}
	return worst / size
}

func TestEveryPathComputesWhatTheNetworkSays(t *testing.T) {
	for _, c := range []struct {
		channels [3]int
		w, h     int
		r        image.Rectangle
		full     bool
	}{
		{[3]int{16, 16, 16}, 64, 64, image.Rect(0, 0, 64, 64), true},
		{[3]int{16, 32, 64}, 64, 64, image.Rect(0, 0, 64, 64), false},
		{[3]int{16, 64, 64}, 300, 200, image.Rect(34, 20, 34+224, 20+160), true},
		{[3]int{16, 64, 64}, 91, 55, image.Rect(-18, -20, 160-18, 96-20), false},
		{[3]int{16, 48, 32}, 33, 1, image.Rect(0, -14, 64, 64-14), true},
		{[3]int{32, 16, 48}, 32, 32, image.Rect(0, 0, 32, 32), true},
		{[3]int{8, 20, 40}, 640, 32, image.Rect(0, 0, 608, 32), true},
		{[3]int{64, 64, 64}, 31, 353, image.Rect(0, 0, 32, 352), false},
		{[3]int{16, 32, 32}, 1, 1, image.Rect(-30, -30, 66, 34), true},
	} {
		onnx := made(1, c.channels[0], c.channels[1], c.channels[2])
		g, err := parse(onnx)
		require.NoError(t, err)
		steps, err := compile(g)
		require.NoError(t, err)
		p := picture(c.w, c.h, c.full)
		want := compute(steps, seen(p, c.r))
		onPaths(t, onnx, func(m *Model) {
			n := m.NewNet()
			for range 2 { // the second time in memory that was used
				got, err := n.Run(p, c.r, nil)
				require.NoError(t, err)
				require.Len(t, got, len(want))
				limit := 1e-5
				if m.path.quant {
					limit = 1e-2 // random weights amplify what rounding does; trained ones do not
				}
				for i := range want {
					require.Len(t, got[i], len(want[i]))
					require.LessOrEqual(t, off(want[i], got[i]), limit, "%s: output %d of %v from %v", m.Path(), i, c.channels, c.r)
				}
				for i := range n.work {
					n.work[i] = 0x7f
				}
			}
		})
	}
}

// What this processor can do is done: onPaths leaves out only what it cannot.
func TestEveryPathOfTheProcessorIsUsable(t *testing.T) {
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			switch name, _, _ := strings.Cut(p.name, " "); name {
			case "avx512":
				testenv.Need(t, testenv.AVX512)
			case "avx2":
				testenv.Need(t, testenv.AVX2)
			}
			require.True(t, p.usable())
		})
	}
}

func TestNetsShareAModel(t *testing.T) {
	m, err := Read(made(2, 16, 32, 64))
	require.NoError(t, err)
	p := picture(128, 96, true)
	first, err := m.NewNet().Run(p, image.Rect(0, 0, 128, 96), nil)
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			n := m.NewNet()
			for i := range 20 {
				if _, err := n.Run(p, image.Rect(0, 0, 64+i%2*32, 64), nil); err != nil {
					t.Error(err)
				}
				got, err := n.Run(p, image.Rect(0, 0, 128, 96), nil)
				for i := range got {
					if !slices.Equal(first[i], got[i]) {
						err = ErrRange
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// Each of these would be read or written out of bounds if C saw it.
func TestRunRefusesWhatIsOutOfBounds(t *testing.T) {
	m, err := Read(made(3, 16, 16, 16))
	require.NoError(t, err)
	n, fits := m.NewNet(), image.Rect(0, 0, 64, 64)
	for name, spoil := range map[string]func(p *Picture, r *image.Rectangle){
		"no width":        func(p *Picture, _ *image.Rectangle) { p.Width = 0 },
		"too wide":        func(p *Picture, _ *image.Rectangle) { p.Width = MaxSide + 1 },
		"negative height": func(p *Picture, _ *image.Rectangle) { p.Height = -1 },
		"narrow rows":     func(p *Picture, _ *image.Rectangle) { p.YStride = 63 },
		"narrow chroma":   func(p *Picture, _ *image.Rectangle) { p.CStride = 31 },
		"huge rows":       func(p *Picture, _ *image.Rectangle) { p.YStride = math.MaxInt / 2 },
		"short luma":      func(p *Picture, _ *image.Rectangle) { p.Y = p.Y[:p.YStride*63+63] },
		"no chroma":       func(p *Picture, _ *image.Rectangle) { p.U = nil },
		"short chroma":    func(p *Picture, _ *image.Rectangle) { p.V = p.V[:p.CStride*31+31] },
		"empty":           func(_ *Picture, r *image.Rectangle) { *r = image.Rectangle{} },
		"no step":         func(_ *Picture, r *image.Rectangle) { r.Max.X += 16 },
		"odd place":       func(_ *Picture, r *image.Rectangle) { *r = r.Add(image.Pt(1, 0)) },
		"outside":         func(_ *Picture, r *image.Rectangle) { *r = r.Add(image.Pt(64, 0)) },
		"inverted":        func(_ *Picture, r *image.Rectangle) { r.Min, r.Max = r.Max, r.Min },
		"huge":            func(_ *Picture, r *image.Rectangle) { r.Max = image.Pt(1<<30, 1<<30) },
	} {
		p, r := picture(64, 64, true), fits
		spoil(p, &r)
		_, err := n.Run(p, r, nil)
		require.Error(t, err, name)
	}
	p := picture(64, 64, true)
	p.Y = p.Y[:p.YStride*63+64] // the last row needs no gap behind it
	_, err = n.Run(p, fits, nil)
	require.NoError(t, err)
}

func TestNothingIsAllocatedInSteadyState(t *testing.T) {
	m, err := Read(made(4, 16, 16, 16))
	require.NoError(t, err)
	n, p := m.NewNet(), picture(128, 128, true)
	outs, err := n.Run(p, image.Rect(0, 0, 128, 128), nil)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(50, func() {
		if outs, err = n.Run(p, image.Rect(0, 0, 128, 64), outs); err != nil {
			t.Fatal(err)
		}
	}))
}

// cpu returns the seconds of computing that this process has had: on a machine
// that is shared they say more than the time that went by.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func TestWhatIsReadForAVX2UsesNothingNewer(t *testing.T) {
	m, err := ReadForAVX2(made(4, 16, 32, 64))
	if !paths[1].usable() {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, "avx2", m.Path())
}

// BenchmarkRun is a pass of the built-in network and, where its file is at hand, of
// YuNet-n, on each path.
func BenchmarkRun(b *testing.B) {
	networks := map[string][]byte{"scrim-face": models.Weights()}
	if testenv.Has(b, testenv.YuNet) {
		onnx, err := os.ReadFile(testenv.Path(b, testenv.YuNet))
		require.NoError(b, err)
		networks["yunet-n"] = onnx
	}
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		for _, size := range []image.Point{{640, 384}, {192, 128}} {
			onPaths(b, networks[name], func(m *Model) {
				b.Run(name+" "+m.Path()+" "+size.String(), func(b *testing.B) { run(b, m, size) })
			})
		}
	}
}

func run(b *testing.B, m *Model, size image.Point) {
	p, r := picture(size.X, size.Y, false), image.Rectangle{Max: size}
	n := m.NewNet()
	outs, err := n.Run(p, r, nil)
	require.NoError(b, err)
	b.ReportAllocs()
	before, rounds := cpu(b), 0
	for b.Loop() {
		if outs, err = n.Run(p, r, outs); err != nil {
			b.Fatal(err)
		}
		rounds++
	}
	b.ReportMetric((cpu(b)-before)*1e3/float64(rounds), "cpu-ms/op")
}

// A file may be made to need memory without end. Then there is an error, and no
// process that is killed.
func TestNetworkThatNeedsTooMuchMemoryDoesNotRun(t *testing.T) {
	const side = MaxSide
	p := picture(8, 8, true)
	for many, fits := range map[int]bool{1: true, 6: false} {
		m := newMaker(3)
		v := m.pool(m.pool(m.node("Relu", "", nil, m.conv("input", 3, 64, 3, 2, 1))))
		v8 := m.unit(v, 64, 64)
		v16 := m.unit(m.pool(v8), 64, 64)
		v32 := m.unit(m.pool(v16), 64, 64)
		for range many { // each sum keeps a whole map
			v16 = m.unit(v16, 64, 64)
			v8 = m.unit(m.add(v8, v16), 64, 64)
		}
		for i, v := range []string{v8, v16, v32} {
			m.head(v, 64, strides[i])
		}
		plain, err := read(m.file(), paths[len(paths)-1])
		require.NoError(t, err)
		work := plain.work(side, side)
		require.Equal(t, fits, work <= maxWork, "%d MB", work>>20)
		n := plain.NewNet()
		if !fits {
			_, err = n.Run(p, image.Rect(0, 0, side, side), nil)
			require.ErrorIs(t, err, ErrModel)
			require.Nil(t, n.work)
		}
	}
}

// read returns a model for one path.
func read(onnx []byte, p path) (*Model, error) {
	steps, err := understand(onnx)
	if err != nil {
		return nil, err
	}
	return build(steps, p)
}
