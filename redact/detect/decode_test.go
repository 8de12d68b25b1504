package detect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// blank returns the outputs of a network that sees nothing.
func blank(width, height int) [][]float32 {
	outs := make([][]float32, 0, len(outputs))
	for _, values := range []int{1, 1, 4} {
		for _, s := range strides {
			outs = append(outs, make([]float32, values*(width/s)*(height/s)))
		}
	}
	return outs
}

func TestDecodeFollowsTheFormula(t *testing.T) {
	outs := blank(64, 32)
	// Stride 16: 4 columns, 2 rows; cell 5 is column 1 of row 1.
	outs[1][5], outs[4][5] = 0.81, 1
	copy(outs[7][4*5:], []float32{0.5, 0.25, float32(math.Log(2)), 0})
	found, err := decode(nil, outs, 64, 32, 0.3)
	require.NoError(t, err)
	require.Len(t, found, 1)
	c := found[0]
	require.InDelta(t, 0.9, c.score, 1e-6)
	require.InDelta(t, 32, c.w, 1e-4)
	require.InDelta(t, 16, c.h, 1e-4)
	require.InDelta(t, 1.5*16-16, c.x, 1e-4)
	require.InDelta(t, 1.25*16-8, c.y, 1e-4)
}

// What makes no sense is an error: "error" is not "zero faces".
func TestNonsenseIsAFailedInspection(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, spoil := range map[string]func(outs [][]float32) [][]float32{
		"NaN score":        func(o [][]float32) [][]float32 { o[0][3] = nan; return o },
		"NaN objectness":   func(o [][]float32) [][]float32 { o[4][0] = nan; return o },
		"infinite score":   func(o [][]float32) [][]float32 { o[2][0] = inf; return o },
		"score over 1":     func(o [][]float32) [][]float32 { o[0][0] = 1.1; return o },
		"score under 0":    func(o [][]float32) [][]float32 { o[0][0] = -0.1; return o },
		"NaN box":          func(o [][]float32) [][]float32 { o[0][0], o[3][0], o[6][0] = 1, 1, nan; return o },
		"infinite size":    func(o [][]float32) [][]float32 { o[0][0], o[3][0], o[6][2] = 1, 1, inf; return o },
		"huge size":        func(o [][]float32) [][]float32 { o[0][0], o[3][0], o[6][2] = 1, 1, 20; return o },
		"far away":         func(o [][]float32) [][]float32 { o[0][0], o[3][0], o[6][1] = 1, 1, 1e6; return o },
		"output missing":   func(o [][]float32) [][]float32 { return o[:8] },
		"output too short": func(o [][]float32) [][]float32 { o[6] = o[6][1:]; return o },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(nil, spoil(blank(64, 32)), 64, 32, 0.3)
			require.ErrorIs(t, err, errOutput)
		})
	}
	outs := blank(1024, 1024)
	for i := range outs[0] {
		outs[0][i], outs[3][i] = 1, 1
	}
	_, err := decode(nil, outs, 1024, 1024, 0.3)
	require.ErrorIs(t, err, errOutput, "too many candidates")
}

func TestSuppressKeepsTheBestAndLosesNoFace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		var in []candidate
		for range n {
			in = append(in, candidate{
				x: rapid.Float32Range(0, 100).Draw(t, "x"), y: rapid.Float32Range(0, 100).Draw(t, "y"),
				w: rapid.Float32Range(1, 40).Draw(t, "w"), h: rapid.Float32Range(1, 40).Draw(t, "h"),
				score: rapid.Float32Range(0.3, 1).Draw(t, "score"),
			})
		}
		kept := suppress(append([]candidate(nil), in...))
		for i, a := range kept {
			for _, b := range kept[:i] {
				require.LessOrEqual(t, iou(a, b), float32(overlap))
				require.GreaterOrEqual(t, b.score, a.score)
			}
		}
		for _, c := range in {
			covered := false
			for _, k := range kept {
				covered = covered || k == c || iou(k, c) > overlap && k.score >= c.score
			}
			require.True(t, covered, "%v is lost", c)
		}
	})
}

func TestLayOutKeepsTheShapeAndNeverScalesUp(t *testing.T) {
	require.Equal(t, geometry{1920, 1080, 640, 360, 640, 384}, layOut(1920, 1080, 640))
	require.Equal(t, geometry{640, 360, 640, 360, 640, 384}, layOut(640, 360, 640))
	require.Equal(t, geometry{1080, 1920, 360, 640, 384, 640}, layOut(1080, 1920, 640))
	require.Equal(t, geometry{33, 1, 33, 1, 64, 64}, layOut(33, 1, 640))
	require.Equal(t, geometry{4096, 2, 640, 1, 640, 64}, layOut(4096, 2, 640))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 192, 127}, uint8(1))
	f.Fuzz(func(t *testing.T, raw []byte, which uint8) {
		outs := blank(64, 64)
		at := 0
		for i := 0; i+4 <= len(raw); i += 4 {
			v := math.Float32frombits(uint32(raw[i]) | uint32(raw[i+1])<<8 | uint32(raw[i+2])<<16 | uint32(raw[i+3])<<24)
			o := outs[(int(which)+i/4)%len(outs)]
			o[at%len(o)] = v
			at++
		}
		found, err := decode(nil, outs, 64, 64, 0.3)
		if err != nil {
			require.Nil(t, found)
			return
		}
		for _, c := range found {
			require.False(t, math.IsNaN(float64(c.x+c.y+c.w+c.h+c.score)))
			require.LessOrEqual(t, c.score, float32(1))
		}
	})
}

func TestCandidateBelowTheThresholdIsWeak(t *testing.T) {
	outs := blank(64, 32)
	for i, score := range []float32{0.31, 0.29, 0.11, 0.09} {
		outs[0][2*i], outs[3][2*i] = score, score
	}
	found, err := decode(nil, outs, 64, 32, 0.3)
	require.NoError(t, err)
	require.Len(t, found, 3)
	for i, weak := range []bool{false, true, true} {
		require.Equal(t, weak, found[i].weak, "%v", found[i].score)
	}
	// However many there are, they are no error and cost no face.
	outs = blank(1024, 1024)
	for i := range outs[0] {
		outs[0][i], outs[3][i] = 0.2, 0.2
	}
	last := len(outs[2]) - 1
	outs[2][last], outs[5][last] = 0.9, 0.9
	found, err = decode(nil, outs, 1024, 1024, 0.3)
	require.NoError(t, err)
	require.Len(t, found, maxWeak+1)
	require.False(t, suppress(found)[0].weak)
}

// A face that the edge of a tile cuts stays one beside a whole box that is too
// doubtful to be one.
func TestWeakCandidateSuppressesNoFace(t *testing.T) {
	half := candidate{x: 10, y: 10, w: 30, h: 50, score: 0.8, cut: true}
	weak := candidate{x: 10, y: 10, w: 40, h: 50, score: 0.2, weak: true}
	require.Equal(t, []candidate{half}, suppress([]candidate{weak, half}))
}
