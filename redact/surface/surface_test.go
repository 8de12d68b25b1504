package surface

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/yuv"
)

var _ obscure.Surface = Paint

func noise(t testing.TB, width, height int, seed uint64) *yuv.Image {
	t.Helper()
	im, err := yuv.New(width, height)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
	for _, plane := range [][]byte{im.Y, im.U, im.V} {
		for i := range plane {
			plane[i] = byte(r.Uint32())
		}
	}
	return im
}

// Which code paints must not be visible, and not measurable.
func TestSurfaceIsThatOfTheGoCodeBitForBit(t *testing.T) {
	shape := geom.NewShape(31, [][]geom.Span{{{From: 40, To: 61}}, {{From: 38, To: 50}, {From: 52, To: 70}}, {{From: 41, To: 44}}})
	in, err := obscure.New(obscure.Options{Surface: Paint})
	require.NoError(t, err)
	goes, err := obscure.New(obscure.Options{})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // a test
	for i := range 60 {
		width, height := 80+r.IntN(300), 60+r.IntN(200)
		a := noise(t, width, height, uint64(i))
		b := a.Clone()
		var regions []geom.Region
		for k := range 1 + r.IntN(4) {
			g := geom.Region{Track: uint64(k + 1)}
			g.Rect.Min.X, g.Rect.Min.Y = r.IntN(width)-10, r.IntN(height)-10
			g.Rect.Max.X, g.Rect.Max.Y = g.Rect.Min.X+1+r.IntN(width), g.Rect.Min.Y+1+r.IntN(height)
			regions = append(regions, g)
		}
		regions = append(regions, geom.Region{Rect: shape.Bounds(), Shape: shape, Track: 99})
		require.NoError(t, in.Apply(a, regions))
		require.NoError(t, goes.Apply(b, regions))
		require.Equal(t, b.Y, a.Y, "picture %d", i)
		require.Equal(t, b.U, a.U)
		require.Equal(t, b.V, a.V)
	}
}

// Where nothing was painted nobody must think that something was.
func TestSurfaceThatCannotBePaintedPanics(t *testing.T) {
	dst := make([]byte, 100)
	for _, bad := range []func(){
		func() { Paint(dst, 10, 10, 11, make([]int32, 100), make([]float32, 40)) },
		func() { Paint(dst, 9, 10, 10, make([]int32, 100), make([]float32, 40)) },
		func() { Paint(dst, 10, 10, 10, make([]int32, 43), make([]float32, 40)) },
		func() { Paint(dst, 10, 10, 10, make([]int32, 44), make([]float32, 39)) },
		func() { Paint(dst, 10, 0, 10, make([]int32, 44), make([]float32, 40)) },
		func() { Paint(nil, 10, 10, 10, make([]int32, 44), make([]float32, 40)) },
	} {
		require.Panics(t, bad)
	}
	require.Equal(t, make([]byte, 100), dst, "nothing is written first")
}

func BenchmarkSurface(b *testing.B) {
	im := noise(b, 1920, 1080, 1)
	regions := make([]geom.Region, 0, 20)
	for i := range 20 {
		g := geom.Region{Track: uint64(i + 1)}
		g.Rect.Min.X, g.Rect.Min.Y = 10+i%5*380, 20+i/5*260
		g.Rect.Max.X, g.Rect.Max.Y = g.Rect.Min.X+150, g.Rect.Min.Y+200
		regions = append(regions, g)
	}
	for name, s := range map[string]obscure.Surface{"go": nil, "c": Paint} {
		b.Run(name, func(b *testing.B) {
			o, err := obscure.New(obscure.Options{Surface: s})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := o.Apply(im, regions); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
