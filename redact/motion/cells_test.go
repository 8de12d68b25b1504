package motion

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/yuv"
)

func TestMeansOfCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 90).Draw(t, "w"), rapid.IntRange(1, 70).Draw(t, "h")
		if rapid.Bool().Draw(t, "large") {
			w += largePicture
		}
		im, err := yuv.New(w, h)
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for _, p := range [][]byte{im.Y, im.U, im.V} {
			for i := range p {
				p[i] = byte(r.Uint32()) | byte(255*(r.Uint32()&1))
			}
		}
		g := newGrid(w, h)
		m := newMeans(g.cells())
		g.measure(&m, im)
		planes := []struct {
			pix             []byte
			stride, w, h, n int
		}{
			{im.Y, im.YStride, w, h, g.side},
			{im.U, im.CStride, im.ChromaWidth(), im.ChromaHeight(), g.side / 2},
			{im.V, im.CStride, im.ChromaWidth(), im.ChromaHeight(), g.side / 2},
		}
		for k, p := range planes {
			for i, v := range m[k] {
				sum, n := 0, 0
				for y := i / g.cols * p.n; y < min((i/g.cols+1)*p.n, p.h); y++ {
					for x := i % g.cols * p.n; x < min((i%g.cols+1)*p.n, p.w); x++ {
						sum += int(p.pix[y*p.stride+x])
						n++
					}
				}
				require.Positive(t, n, "each cell has samples")
				require.InDelta(t, float64(sum)/float64(n), float64(v), 0.01)
			}
		}
	})
}

// The loops in C do what these in Go do.
func TestLoopsOverCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGrid(4*rapid.IntRange(1, 90).Draw(t, "cols"), 4*rapid.IntRange(1, 30).Draw(t, "rows"))
		n := g.cells()
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		m, now, before := newModel(n), newMeans(n), newMeans(n)
		kept := make([]uint8, n)
		for i := range n {
			for k := range now {
				m.mean[k][i] = r.Float32() * 255
				now[k][i] = m.mean[k][i] + float32(r.NormFloat64()*10)
				before[k][i] = now[k][i] + float32(r.NormFloat64()*8)
			}
			m.known[i], kept[i] = uint8(r.IntN(2)), uint8(r.IntN(2))
			m.limitLuma[i], m.limitChroma[i], m.wide[i] = 5+r.Float32()*20, 5+r.Float32()*20, 4+r.Float32()*6
			m.left[i] = uint16(r.IntN(3)) * 30
		}
		lights := [planes]light{{1.1, -3}, {0.9, 2}, {1, 0}}
		want := append([]uint16(nil), m.left...)
		diff, weak := make([]float32, n), make([]uint8, n)
		size := func(v float32) float32 { return max(v, -v) }
		differ := 0
		for i := range n {
			d := [planes]float32{}
			for k := range d {
				d[k] = size(now[k][i] - lights[k].of(m.mean[k][i]))
			}
			over := func(share float32) bool {
				return m.known[i] != 0 && (d[0] > share*m.limitLuma[i] || max(d[1], d[2]) > share*m.limitChroma[i])
			}
			switch {
			case over(1):
				differ++
				want[i] = holdMillis
			case over(weakShare) && want[i] > 0:
				want[i] = holdMillis
			default:
				want[i] -= min(want[i], 40)
			}
		}
		require.Equal(t, differ, compareCells(&m, &now, &lights, 40, diff, weak))
		require.Equal(t, want, m.left)
		for y := 1; y < g.rows-1; y++ {
			for x := 1; x < g.cols-1; x++ {
				i, sum := y*g.cols+x, float32(0)
				for k := range 9 {
					sum += diff[i+(k/3-1)*g.cols+k%3-1]
				}
				if m.known[i] != 0 && size(sum) > 9*m.wide[i] {
					want[i] = holdMillis
				}
			}
		}
		compareWide(g, &m, diff, make([]float32, g.cols))
		require.Equal(t, want, m.left)
		for i := range n {
			require.InDelta(t, float64(m.known[i])*float64(now[0][i]-lights[0].of(m.mean[0][i])), float64(diff[i]), 0.01)
		}

		mean := append([]float32(nil), m.mean[0]...)
		adaptCells(m.mean[0], now[0], kept, lights[0], 0.1, 0.4)
		for i, v := range mean {
			expected := lights[0].of(v)
			v += (expected - v) * 0.1
			if kept[i] == 0 {
				v += min(max((now[0][i]-expected)*0.1, -0.4), 0.4)
			}
			require.InDelta(t, v, m.mean[0][i], 0.01)
		}

		measureCells(&m, &now, &before, kept)
		for i := range n {
			d, e := size(now[0][i]-before[0][i]), max(size(now[1][i]-before[1][i]), size(now[2][i]-before[2][i]))
			luma, chroma := float32(0), float32(0)
			if kept[i] == 0 && d < m.limitLuma[i] {
				luma = d * noiseWeight
			}
			if kept[i] == 0 && e < m.limitChroma[i] {
				chroma = e * noiseWeight
			}
			require.InDelta(t, luma, m.luma[i], 1e-4)
			require.InDelta(t, chroma, m.chroma[i], 1e-4)
		}

		limitCells(&m, 0.7, 1.5, 0.2)
		for i := range n {
			own, tint := max(m.luma[i]*perMean, 1.5), max(m.chroma[i]*perMean, 0.2)
			require.InDelta(t, min(max(leastLuma*0.7, sigmas*own), mostLimit), m.limitLuma[i], 1e-3)
			require.InDelta(t, min(max(leastChroma*0.7, sigmas*tint), mostLimit), m.limitChroma[i], 1e-3)
			require.InDelta(t, min(max(leastWide*0.7, sigmas*own/wideGain), mostLimit), m.wide[i], 1e-3)
		}
	})
}
