package detect

import (
	"image"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/yuv"
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

// A weak candidate is only a hint: one without a place is none, and no reason to
// show nothing. What is not a number is.
func TestWeakCandidateWithoutASaneBoxIsLeftOut(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, box := range map[string][]float32{
		"huge": {0, 0, 20, 0}, "infinite": {0, 0, 0, inf}, "far away": {1e6, 0, 0, 0}, "infinitely far": {0, -inf, 0, 0},
	} {
		outs := blank(64, 32)
		outs[0][0], outs[3][0] = 0.2, 0.2
		outs[0][3], outs[3][3] = 0.9, 0.9
		copy(outs[6], box)
		found, err := decode(nil, outs, 64, 32, 0.3)
		require.NoError(t, err, name)
		require.Len(t, found, 1, name)
		require.InDelta(t, 0.9, found[0].score, 1e-6)
		outs[0][0], outs[3][0] = 0.5, 0.5
		_, err = decode(nil, outs, 64, 32, 0.3)
		require.ErrorIs(t, err, errOutput, name)
	}
	outs := blank(64, 32)
	outs[0][0], outs[3][0], outs[6][0] = 0.2, 0.2, nan
	_, err := decode(nil, outs, 64, 32, 0.3)
	require.ErrorIs(t, err, errOutput)
}

// However many weak candidates there are, the best are kept, and not those that
// come first: these are the smallest.
func TestBestWeakCandidatesAreKept(t *testing.T) {
	outs := blank(1024, 1024)
	for i := range outs[0] {
		outs[0][i], outs[3][i] = 0.12, 0.12
	}
	last := len(outs[2]) - 1
	outs[2][last], outs[5][last] = 0.28, 0.28
	found, err := decode(nil, outs, 1024, 1024, 0.3)
	require.NoError(t, err)
	require.Len(t, found, maxWeak)
	require.InDelta(t, 0.28, found[0].score, 1e-6)

	many := make([]candidate, 0, 20*maxWeak)
	for i := range cap(many) { // none overlaps another
		many = append(many, candidate{x: 10 * float32(i), w: 8, h: 8, score: 0.1 + 0.1*float32(i)/float32(cap(many)), weak: true})
	}
	best := many[len(many)-1]
	kept := suppress(many)
	require.Len(t, kept, maxWeak)
	require.Equal(t, best, kept[0])
}

// crowd is an engine whose network half believes in a face in every cell.
type crowd struct{}

func (crowd) run(_ *view, r image.Rectangle) ([][]float32, error) {
	outs := blank(r.Dx(), r.Dy())
	for i := range 2 * len(strides) {
		for k := range outs[i] {
			outs[i][k] = 0.15
		}
	}
	n := len(outs[2]) - 1
	outs[2][n], outs[5][n], outs[8][4*n+2], outs[8][4*n+3] = 0.25, 0.25, math.Ln2, math.Ln2
	return outs, nil
}
func (crowd) sides() []int { return nil }

func (crowd) name() string { return "crowd" }
func (crowd) close()       {}

func TestPassesKeepFewWeakCandidates(t *testing.T) {
	d := &yuNet{c: Config{Size: 640, Threshold: 0.3, Tiles: true}, now: time.Now, engine: crowd{}}
	im, err := yuv.New(1920, 1080)
	require.NoError(t, err)
	faces, err := d.Detect(im)
	require.NoError(t, err)
	require.NotEmpty(t, faces)
	require.LessOrEqual(t, len(faces), maxFaces)
	require.InDelta(t, 0.25, faces[0].Score, 1e-6)
	for i := range d.passes.all {
		p := &d.passes.all[i]
		require.LessOrEqual(t, len(p.found), maxPassWeak)
		require.InDelta(t, 0.25, p.found[0].score, 1e-6, "pass %d", i)
	}
}

func BenchmarkSuppressOfManyWeakCandidates(b *testing.B) {
	many := make([]candidate, 0, 20*maxWeak)
	for i := range cap(many) {
		many = append(many, candidate{x: 10 * float32(i), w: 8, h: 8, score: float32(i%977) / 1e4, weak: true})
	}
	in := make([]candidate, len(many))
	b.ReportAllocs()
	for b.Loop() {
		copy(in, many)
		suppress(in)
	}
}

// A face that the edge of a tile cuts stays one next to a whole box that is too
// doubtful to be one.
func TestWeakCandidateSuppressesNoFace(t *testing.T) {
	half := candidate{x: 10, y: 10, w: 30, h: 50, score: 0.8, cut: true}
	weak := candidate{x: 10, y: 10, w: 40, h: 50, score: 0.2, weak: true}
	require.Equal(t, []candidate{half}, suppress([]candidate{weak, half}))
}
