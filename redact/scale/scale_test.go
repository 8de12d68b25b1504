package scale

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/cv"
	"scrim/redact/cv/cvtest"
)

func noise(w, h, stride int) []byte {
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	pix := make([]byte, stride*(h-1)+w)
	for i := range pix {
		pix[i] = byte(r.IntN(256))
	}
	return pix
}

// mean returns what a sample covers, by the definition.
func mean(pix []byte, stride, fromW, fromH, w, h, x, y int) float64 {
	share := func(i, from, n, at int) float64 {
		low, high := float64(i*from)/float64(n), float64((i+1)*from)/float64(n)
		return max(0, min(float64(at+1), high)-max(float64(at), low))
	}
	sum, area := 0.0, 0.0
	for sy := y * fromH / h; sy < fromH && sy <= (y+1)*fromH/h; sy++ {
		for sx := x * fromW / w; sx < fromW && sx <= (x+1)*fromW/w; sx++ {
			part := share(x, fromW, w, sx) * share(y, fromH, h, sy)
			sum += part * float64(pix[sy*stride+sx])
			area += part
		}
	}
	return sum / area
}

func TestScaleIsTheMeanOfTheArea(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 60).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		fromW, fromH := w+rapid.IntRange(0, 200).Draw(t, "more columns"), h+rapid.IntRange(0, 150).Draw(t, "more rows")
		if rapid.Bool().Draw(t, "whole") {
			fromW, fromH = w*rapid.IntRange(1, 8).Draw(t, "kx"), h*rapid.IntRange(1, 8).Draw(t, "ky")
		}
		stride := fromW + rapid.IntRange(0, 9).Draw(t, "gap")
		pix := noise(fromW, fromH, stride)
		s, err := New(fromW, fromH, w, h)
		require.NoError(t, err)
		for range 2 {
			got, err := s.Scale(pix, stride)
			require.NoError(t, err)
			for i, v := range got {
				want := mean(pix, stride, fromW, fromH, w, h, i%w, i/w)
				require.InDelta(t, want, float64(v), 0.51, "%d×%d to %d×%d at %d", fromW, fromH, w, h, i)
			}
		}
	})
}

// sizes are from and to what detectors scale.
func sizes() [][4]int {
	return [][4]int{{1920, 1080, 640, 360}, {960, 540, 320, 180}, {1280, 720, 640, 360}, {1900, 1000, 640, 337}, {640, 360, 192, 108}}
}

func TestScaleIsAsOpenCVs(t *testing.T) {
	for _, c := range append(sizes(), [4]int{641, 361, 640, 360}) {
		pix := noise(c[0], c[1], c[0])
		s, err := New(c[0], c[1], c[2], c[3])
		require.NoError(t, err)
		got, err := s.Scale(pix, c[0])
		require.NoError(t, err)
		o, err := cvtest.NewScaler(c[2], c[3])
		require.NoError(t, err)
		want, err := o.Scale(cvtest.Plane{Pix: pix, Width: c[0], Height: c[1], Stride: c[0]})
		require.NoError(t, err)
		differ := 0
		for i, v := range want {
			d := math.Abs(float64(v) - float64(got[i]))
			require.LessOrEqual(t, d, 1.0)
			differ += int(d)
		}
		require.LessOrEqual(t, differ*50, len(want), "%v", c)
		o.Close()
	}
}

func TestScaleRefusesWhatIsOutOfBounds(t *testing.T) {
	for _, c := range [][4]int{{0, 4, 0, 4}, {4, 4, 0, 1}, {4, 4, 5, 4}, {4, 4, 4, 5}, {-4, 4, -4, 4}, {MaxSide + 1, 4, 4, 4}, {4, MaxSide + 1, 4, 4}} {
		_, err := New(c[0], c[1], c[2], c[3])
		require.Error(t, err, "%v", c)
	}
	s, err := New(8, 6, 3, 2)
	require.NoError(t, err)
	for _, c := range [][2]int{{0, 8}, {8*5 + 7, 8}, {99, 7}, {99, -8}, {99, math.MaxInt / 8}} {
		_, err := s.Scale(make([]byte, c[0]), c[1])
		require.Error(t, err, "%v", c)
	}
	_, err = s.Scale(make([]byte, 8*5+8), 8)
	require.NoError(t, err)
}

func BenchmarkScale(b *testing.B) {
	for _, c := range sizes() {
		pix := noise(c[0], c[1], c[0])
		name := fmt.Sprintf("%dx%d to %dx%d", c[0], c[1], c[2], c[3])
		b.Run("scrim "+name, func(b *testing.B) {
			s, err := New(c[0], c[1], c[2], c[3])
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Scale(pix, c[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("opencv "+name, func(b *testing.B) {
			cv.SetThreads(1)
			s, err := cvtest.NewScaler(c[2], c[3])
			require.NoError(b, err)
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Scale(cvtest.Plane{Pix: pix, Width: c[0], Height: c[1], Stride: c[0]}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestPartIsAsInTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(4, 60).Draw(t, "w"), rapid.IntRange(4, 40).Draw(t, "h")
		fromW, fromH := w+rapid.IntRange(0, 200).Draw(t, "more columns"), h+rapid.IntRange(0, 150).Draw(t, "more rows")
		if rapid.Bool().Draw(t, "whole") {
			fromW, fromH = w*rapid.IntRange(1, 8).Draw(t, "kx"), h*rapid.IntRange(1, 8).Draw(t, "ky")
		}
		pix := noise(fromW, fromH, fromW)
		s, err := New(fromW, fromH, w, h)
		require.NoError(t, err)
		want, err := s.Scale(pix, fromW)
		require.NoError(t, err)
		x0, y0 := rapid.IntRange(0, fromW-1).Draw(t, "x0"), rapid.IntRange(0, fromH-1).Draw(t, "y0")
		src := image.Rect(x0, y0, rapid.IntRange(x0+1, fromW).Draw(t, "x1"), rapid.IntRange(y0+1, fromH).Draw(t, "y1"))
		dst := Inside(fromW, fromH, w, h, src)
		// A part with memory of its own: what lies outside must not be read.
		part := make([]byte, 0, src.Dx()*src.Dy())
		for y := src.Min.Y; y < src.Max.Y; y++ {
			part = append(part, pix[y*fromW+src.Min.X:y*fromW+src.Max.X]...)
		}
		p, err := NewPart(fromW, fromH, w, h, src, dst)
		if dst.Empty() {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		got, err := p.Scale(slices.Clip(part), src.Dx())
		require.NoError(t, err)
		for i, v := range got {
			require.InDelta(t, float64(want[(dst.Min.Y+i/dst.Dx())*w+dst.Min.X+i%dst.Dx()]), float64(v), 1, "%v of %v at %d", dst, src, i)
		}
	})
}
