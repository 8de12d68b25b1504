package geom

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawRotation(t *rapid.T, name string) Rotation {
	return rapid.SampledFrom(Rotations[:]).Draw(t, name)
}

func TestTurnedBoxesTurnBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 4096).Draw(t, "w"), rapid.IntRange(1, 4096).Draw(t, "h")
		side := rapid.IntRange(-4096, 8192)
		b := Box{X: float64(side.Draw(t, "x")) / 4, Y: float64(side.Draw(t, "y")) / 4, W: float64(side.Draw(t, "bw")) / 4, H: float64(side.Draw(t, "bh")) / 4}
		r, o := drawRotation(t, "first"), drawRotation(t, "second")
		tw, th := r.Size(w, h)
		turned := r.Box(b, w, h)
		require.Equal(t, b, r.Inverse().Box(turned, tw, th))
		require.Equal(t, r.Then(o).Box(b, w, h), o.Box(turned, tw, th))
		x0, y0 := r.Point(b.X, b.Y, float64(w), float64(h))
		x1, y1 := r.Point(b.X+b.W, b.Y+b.H, float64(w), float64(h))
		if b.W >= 0 && b.H >= 0 {
			require.Equal(t, Box{X: min(x0, x1), Y: min(y0, y1), W: max(x0, x1) - min(x0, x1), H: max(y0, y1) - min(y0, y1)}, turned)
		}
	})
}

// The definition: heads on the left are upright after 90 degrees clockwise.
func TestLeftGoesUpByANinetyDegreeTurn(t *testing.T) {
	const w, h = 101, 51
	left := Box{X: 0, Y: 20, W: 10, H: 11}
	require.Equal(t, Box{X: 20, Y: 0, W: 11, H: 10}, Turned90.Box(left, w, h))
	require.Equal(t, Box{X: 91, Y: 20, W: 10, H: 11}, Turned180.Box(left, w, h))
	require.Equal(t, Box{X: 20, Y: 91, W: 11, H: 10}, Turned270.Box(left, w, h))
	require.Equal(t, left, Upright.Box(left, w, h))
}

func TestOtherAnglesAreNoRotations(t *testing.T) {
	for _, r := range []Rotation{-90, 1, 45, 360, 450} {
		require.Error(t, r.Check())
	}
	for _, r := range Rotations {
		require.NoError(t, r.Check())
	}
}

// Hair is above and chin below the face once the picture is upright.
func TestRoomIsAddedWhereHairAndChinAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 4096).Draw(t, "w"), rapid.IntRange(1, 4096).Draw(t, "h")
		side := rapid.Float64Range(1, 1000)
		b := Box{X: side.Draw(t, "x"), Y: side.Draw(t, "y"), W: side.Draw(t, "bw"), H: side.Draw(t, "bh")}
		r := drawRotation(t, "rotation")
		require.Equal(t, b.Pad(0.3, 0.5), Upright.Pad(b, 0.3, 0.5))
		for _, c := range [][3]float64{{0.3, 0.5, 0.3}, {1, 0.5, 6}} {
			got, want := r.Box(r.Extend(b, c[0], c[1], c[2]), w, h), Upright.Extend(r.Box(b, w, h), c[0], c[1], c[2])
			require.InDeltaSlice(t, []float64{want.X, want.Y, want.W, want.H}, []float64{got.X, got.Y, got.W, got.H}, 1e-6)
		}
	})
}
