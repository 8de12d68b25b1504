package scene

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
)

func TestHardFaces_SamePeopleGoTheSameWays(t *testing.T) {
	o := Options{Width: 640, Height: 360, Seed: 5, People: 8}
	plain := newScene(t, o)
	o.HardFaces = true
	hard := newScene(t, o)
	for n := range uint32(40) {
		a, b := plain.Truth(n*97), hard.Truth(n*97)
		require.Len(t, b.Faces, len(a.Faces))
		for i := range a.Faces {
			require.Equal(t, a.Faces[i], b.Faces[i])
		}
	}
}

func TestHardFaces_HaveSoftEdges(t *testing.T) {
	plain, hard := 0.0, 0.0
	for seed := range uint64(12) {
		p := Portrait{Size: 48, Seed: seed, Skin: int(seed) % SkinTones}
		plain += edges(t, p)
		p.Hardness = 1
		hard += edges(t, p)
	}
	require.Less(t, hard, 0.6*plain)
}

// edges returns the mean difference between neighbours around the eyes and mouth.
func edges(t *testing.T, p Portrait) float64 {
	t.Helper()
	patch, err := p.Draw()
	require.NoError(t, err)
	f := patch.Face
	sum, n := 0.0, 0.0
	for y := int(f.Y + f.H/3); y < int(f.Y+f.H*0.9); y++ {
		for x := int(f.X + f.W/4); x < int(f.X+f.W*3/4); x++ {
			sum += math.Abs(float64(patch.Image.NRGBAAt(x, y).G) - float64(patch.Image.NRGBAAt(x, y+1).G))
			n++
		}
	}
	return sum / n
}

func TestPortrait_Options(t *testing.T) {
	for _, p := range []Portrait{
		{Size: 7}, {Size: 513}, {Size: math.NaN()}, {Size: 20, Yaw: 181}, {Size: 20, Roll: math.NaN()},
		{Size: 20, Skin: SkinTones}, {Size: 20, Skin: -1}, {Size: 20, Hardness: 1.1},
	} {
		_, err := p.Draw()
		require.ErrorContains(t, err, "choose", "%+v", p)
	}
}

func TestPortrait_FaceIsOpaqueOnATransparentGround(t *testing.T) {
	for _, size := range []float64{MinPortrait, 33.5, 120} {
		for _, yaw := range []float64{-60, 30} {
			p := Portrait{Size: size, Yaw: yaw, Roll: yaw / 4, Skin: 3, Seed: 9, Hardness: 0.5}
			patch, err := p.Draw()
			require.NoError(t, err)
			b := patch.Image.Bounds()
			f := patch.Face
			require.Positive(t, f.Intersect(geom.Box{W: float64(b.Dx()), H: float64(b.Dy())}))
			require.InDelta(t, size, f.H, 0.15*size)
			require.EqualValues(t, 255, patch.Image.NRGBAAt(int(f.X+f.W/2), int(f.Y+f.H/2)).A)
			for x := b.Min.X; x < b.Max.X; x++ {
				require.Zero(t, patch.Image.NRGBAAt(x, b.Min.Y).A)
				require.Zero(t, patch.Image.NRGBAAt(x, b.Max.Y-1).A)
			}
			again, err := p.Draw()
			require.NoError(t, err)
			require.Equal(t, patch, again)
			p.Shoulders = true
			patch, err = p.Draw()
			require.NoError(t, err)
			require.Greater(t, patch.Image.NRGBAAt(patch.Image.Bounds().Dx()/2, int(f.Y+f.H*1.4)).A, uint8(250))
		}
	}
}

func TestPortrait_SkinsGetDarker(t *testing.T) {
	last := 256.0
	for skin := range SkinTones {
		patch, err := Portrait{Size: 60, Skin: skin, Seed: 4, Hardness: 1}.Draw()
		require.NoError(t, err)
		c := patch.Image.NRGBAAt(int(patch.Face.X+patch.Face.W/2), int(patch.Face.Y+patch.Face.H*0.2))
		green := float64(c.G)
		require.Less(t, green, last, skin)
		last = green
	}
}
