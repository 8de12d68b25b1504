package obscure

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// around lists the samples of a ring, clockwise.
func around(r image.Rectangle) []image.Point {
	var out []image.Point
	for x := r.Min.X - 1; x <= r.Max.X; x++ {
		out = append(out, image.Pt(x, r.Min.Y-1))
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		out = append(out, image.Pt(r.Max.X, y))
	}
	for x := r.Max.X; x >= r.Min.X-1; x-- {
		out = append(out, image.Pt(x, r.Max.Y))
	}
	for y := r.Max.Y - 1; y >= r.Min.Y; y-- {
		out = append(out, image.Pt(r.Min.X-1, y))
	}
	return out
}

func TestRingExcludes(t *testing.T) {
	draw := func(t *rapid.T, label string) image.Rectangle {
		x, y := rapid.IntRange(0, 19).Draw(t, label+" x"), rapid.IntRange(0, 19).Draw(t, label+" y")
		return image.Rect(x, y, x+rapid.IntRange(1, 20-x).Draw(t, label+" w"), y+rapid.IntRange(1, 20-y).Draw(t, label+" h"))
	}
	picture := image.Rect(0, 0, 20, 20)
	rapid.Check(t, func(t *rapid.T) {
		r, other := draw(t, "r"), draw(t, "other")
		var g ring
		g.reset(r)
		g.excludeOutside(picture)
		g.exclude(other)
		points := around(r)
		require.Len(t, g.usable, len(points))
		for i, p := range points {
			require.Equal(t, p.In(picture) && !p.In(other), g.usable[i] == 1, "%v", p)
		}
	})
}

// If there is nothing to smooth, the ring is the samples themselves, and
// straight lines between them.
func TestRingBridgesGaps(t *testing.T) {
	v := []int32{0, 10, 0, 0, 40, 0, 0, 0}
	bridge(v, []uint8{0, 1, 0, 0, 1, 0, 0, 0})
	require.Equal(t, []int32{16, 10, 20, 30, 40, 34, 28, 22}, v)
	v = []int32{0, 0, 7}
	bridge(v, []uint8{0, 0, 1})
	require.Equal(t, []int32{7, 7, 7}, v)
}

func TestSmooth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(8, 30).Draw(t, "n")
		radius := rapid.IntRange(1, 20).Draw(t, "radius")
		src, used, dst := make([]int32, n), make([]uint8, n), make([]int32, n)
		for i := range n {
			if used[i] = rapid.Uint8Range(0, 1).Draw(t, "used"); used[i] == 1 {
				src[i] = rapid.Int32Range(0, 255<<16).Draw(t, "v")
			}
		}
		smooth(dst, src, used, radius)
		reach := min(radius, (n-1)/2)
		for i := range n {
			sum, count := 0, 0
			for k := i - reach; k <= i+reach; k++ {
				if at := (k + n) % n; used[at] == 1 {
					sum, count = sum+int(src[at]), count+1
				}
			}
			if used[i] == 1 {
				require.Equal(t, int32(sum/count), dst[i])
			}
		}
	})
}

func TestSum(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 1023, 1024, 1025, 4096} {
		b := make([]byte, n)
		set(b, 255)
		require.Equal(t, n*255, sum(b))
		random(b, uint64(n))
		want := 0
		for _, v := range b {
			want += int(v)
		}
		require.Equal(t, want, sum(b))
	}
}
