package rotate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/cv"
	"scrim/redact/cv/cvtest"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// noise returns a picture of random samples.
func noise(t require.TestingT, w, h int) *yuv.Image {
	im, err := yuv.New(w, h)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	for _, plane := range [][]byte{im.Y, im.U, im.V} {
		for i := range plane {
			plane[i] = byte(r.IntN(256))
		}
	}
	im.FullRange = w%3 == 0
	return im
}

// turned returns a new picture.
func turned(t require.TestingT, o Orientation, im *yuv.Image) *yuv.Image {
	out, err := yuv.New(o.Size(im.Width, im.Height))
	require.NoError(t, err)
	require.NoError(t, o.Image(out, im))
	return out
}

// samples returns what can be seen, without the padding of rows.
func samples(im *yuv.Image) (out []string) {
	out = append(out, fmt.Sprint(im.Width, im.Height, im.FullRange))
	for y := range im.Height {
		out = append(out, string(im.Y[y*im.YStride:][:im.Width]))
	}
	for y := range im.ChromaHeight() {
		out = append(out, string(im.U[y*im.CStride:][:im.ChromaWidth()]), string(im.V[y*im.CStride:][:im.ChromaWidth()]))
	}
	return out
}

func drawImage(t *rapid.T) *yuv.Image {
	return noise(t, rapid.IntRange(1, 150).Draw(t, "w"), rapid.IntRange(1, 150).Draw(t, "h"))
}

func drawOrientation(t *rapid.T) Orientation {
	return Orientation{rapid.Bool().Draw(t, "transpose"), rapid.Bool().Draw(t, "flip x"), rapid.Bool().Draw(t, "flip y")}
}

func TestFourQuarterTurnsRestoreThePicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im := drawImage(t)
		r := rapid.SampledFrom(geom.Rotations[:]).Draw(t, "rotation")
		out := im
		for range 4 {
			out = turned(t, By(r), out)
		}
		require.Equal(t, samples(im), samples(out))
	})
}

func TestTheInverseRestoresThePicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im := drawImage(t)
		r := rapid.SampledFrom(geom.Rotations[:]).Draw(t, "rotation")
		require.Equal(t, samples(im), samples(turned(t, By(r.Inverse()), turned(t, By(r), im))))
	})
}

func TestThenIsOneAfterTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im, a, b := drawImage(t), drawOrientation(t), drawOrientation(t)
		require.Equal(t, samples(turned(t, b, turned(t, a, im))), samples(turned(t, a.Then(b), im)))
		r, s := rapid.SampledFrom(geom.Rotations[:]).Draw(t, "first"), rapid.SampledFrom(geom.Rotations[:]).Draw(t, "second")
		require.Equal(t, By(r.Then(s)), By(r).Then(By(s)))
	})
}

// Pixels go where package geom says that boxes go.
func TestEveryPixelGoesWhereItsBoxGoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im := drawImage(t)
		r := rapid.SampledFrom(geom.Rotations[:]).Draw(t, "rotation")
		out := turned(t, By(r), im)
		place := func(x, y, w, h int) (int, int) {
			b := r.Box(geom.Box{X: float64(x), Y: float64(y), W: 1, H: 1}, w, h)
			require.Equal(t, []float64{1, 1}, []float64{b.W, b.H})
			return int(b.X), int(b.Y)
		}
		for y := range im.Height {
			for x := range im.Width {
				tx, ty := place(x, y, im.Width, im.Height)
				require.Equal(t, im.Y[y*im.YStride+x], out.Y[ty*out.YStride+tx])
			}
		}
		for y := range im.ChromaHeight() {
			for x := range im.ChromaWidth() {
				tx, ty := place(x, y, im.ChromaWidth(), im.ChromaHeight())
				require.Equal(t, im.U[y*im.CStride+x], out.U[ty*out.CStride+tx])
				require.Equal(t, im.V[y*im.CStride+x], out.V[ty*out.CStride+tx])
			}
		}
	})
}

func TestWhatLiesOutsideTheResultIsNotWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im, o := drawImage(t), drawOrientation(t)
		w, h := o.Size(im.Width, im.Height)
		out := noise(t, w, h)
		before := out.Clone()
		require.NoError(t, o.Image(out, im))
		for i := range out.Y {
			if i%out.YStride >= w {
				require.Equal(t, before.Y[i], out.Y[i])
			}
		}
		for i := range out.U {
			if i%out.CStride >= out.ChromaWidth() {
				require.Equal(t, before.U[i], out.U[i])
				require.Equal(t, before.V[i], out.V[i])
			}
		}
	})
}

func TestOddSidesArePaddedByTheLastColumnAndRow(t *testing.T) {
	im := noise(t, 31, 45)
	out, err := yuv.New(46, 32)
	require.NoError(t, err)
	require.NoError(t, By(geom.Turned90).Image(out, im))
	small := turned(t, By(geom.Turned90), im)
	for y := range 32 {
		for x := range 46 {
			require.Equal(t, small.Y[min(y, 30)*small.YStride+min(x, 44)], out.Y[y*out.YStride+x])
		}
	}
}

func TestOtherSizesAreRefused(t *testing.T) {
	im := noise(t, 30, 20)
	for _, size := range [][2]int{{30, 20}, {19, 30}, {20, 29}, {22, 30}, {20, 32}} {
		out, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		require.Error(t, By(geom.Turned90).Image(out, im), "%v", size)
	}
	out, err := yuv.New(20, 30)
	require.NoError(t, err)
	for _, spoil := range []func(im *yuv.Image){
		func(im *yuv.Image) { im.Y = im.Y[:im.YStride*19] }, func(im *yuv.Image) { im.YStride = 29 }, func(im *yuv.Image) { im.CStride = -im.CStride },
		func(im *yuv.Image) { im.U = nil }, func(im *yuv.Image) { im.V = im.V[:7] },
	} {
		short := *im
		spoil(&short)
		require.Error(t, By(geom.Turned90).Image(out, &short))
	}
	require.NoError(t, By(geom.Turned90).Image(out, im))
}

func TestRotationIsAsOpenCVs(t *testing.T) {
	for _, r := range geom.Rotations[1:] {
		im := noise(t, 641, 361)
		o, err := cvtest.NewRotator(r)
		require.NoError(t, err)
		want, err := o.Turn(cvtest.Plane{Pix: im.Y, Width: im.Width, Height: im.Height, Stride: im.YStride})
		require.NoError(t, err)
		out := turned(t, By(r), im)
		for y := range out.Height {
			require.Equal(t, want[y*out.Width:(y+1)*out.Width], out.Y[y*out.YStride:][:out.Width], "row %d", y)
		}
		o.Close()
	}
}

// inGo turns a plane by 90 degrees in blocks of Go: what the kernel in C is compared with.
func inGo(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	const side = 32
	for y0 := 0; y0 < h; y0 += side {
		for x0 := 0; x0 < w; x0 += side {
			for x := x0; x < min(x0+side, w); x++ {
				row := dst[x*dstStride : x*dstStride+h]
				for y := y0; y < min(y0+side, h); y++ {
					row[h-1-y] = src[y*srcStride+x]
				}
			}
		}
	}
}

func BenchmarkTurn(b *testing.B) {
	im := noise(b, 1920, 1080)
	out, err := yuv.New(1080, 1920)
	require.NoError(b, err)
	same := noise(b, 1920, 1080)
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, same.CopyFrom(im))
		}
	})
	for _, r := range geom.Rotations[1:] {
		to := out
		if !r.Sideways() {
			to = same
		}
		b.Run(fmt.Sprintf("scrim %d", r), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, By(r).Image(to, im))
			}
		})
		b.Run(fmt.Sprintf("opencv %d", r), func(b *testing.B) {
			cv.SetThreads(1)
			o, err := cvtest.NewRotator(r)
			require.NoError(b, err)
			defer o.Close()
			for b.Loop() {
				for _, p := range []cvtest.Plane{
					{Pix: im.Y, Width: im.Width, Height: im.Height, Stride: im.YStride},
					{Pix: im.U, Width: im.ChromaWidth(), Height: im.ChromaHeight(), Stride: im.CStride},
					{Pix: im.V, Width: im.ChromaWidth(), Height: im.ChromaHeight(), Stride: im.CStride},
				} {
					_, err := o.Turn(p)
					require.NoError(b, err)
				}
			}
		})
	}
	b.Run("go 90", func(b *testing.B) {
		for b.Loop() {
			inGo(out.Y, out.YStride, im.Y, im.YStride, im.Width, im.Height)
			inGo(out.U, out.CStride, im.U, im.CStride, im.ChromaWidth(), im.ChromaHeight())
			inGo(out.V, out.CStride, im.V, im.CStride, im.ChromaWidth(), im.ChromaHeight())
		}
	})
}
