package bench

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/measure"
)

func TestRepetitionsAreWeightedByTheirPictures(t *testing.T) {
	run := func(frames, people, exposed int, never, area, wrong float64) *Leaks {
		return &Leaks{
			Frames: frames, Faces: 2 * frames, Exposed: exposed, LongestRun: exposed, People: people, NeverExposed: measure.Number(never),
			HardFaces: frames, HardExposed: exposed, ObscuredArea: measure.Number(area), FalseArea: measure.Number(wrong),
		}
	}
	sum := AddLeaks([]*Leaks{run(100, 4, 0, 1, 0.1, 0.01), run(100, 4, 3, 0.5, 0.2, 0.02), run(200, 8, 1, 0.75, 0.3, 0.03)})
	require.Equal(t, []int{400, 800, 4, 3, 16, 400, 4}, []int{
		sum.Frames, sum.Faces, sum.Exposed, sum.LongestRun, sum.People, sum.HardFaces, sum.HardExposed,
	})
	for want, got := range map[float64]measure.Number{0.225: sum.ObscuredArea, 0.0225: sum.FalseArea, 0.75: sum.NeverExposed, 0.005: sum.ExposedShare} {
		require.InDelta(t, want, float64(got), 1e-9)
	}
	equal := AddLeaks([]*Leaks{run(100, 1, 0, 1, 0.1, 0), run(100, 1, 0, 1, 0.1, 0), run(100, 1, 0, 1, 0.4, 0)})
	require.InDelta(t, 0.2, float64(equal.ObscuredArea), 1e-9, "three runs of equal weight")

	// A repetition without people only adds pictures.
	nan := math.NaN()
	sum = AddLeaks([]*Leaks{run(100, 0, 0, nan, 0.1, nan), run(100, 2, 0, 1, 0.3, 0.1)})
	require.InDelta(t, 1, float64(sum.NeverExposed), 1e-9)
	require.InDelta(t, 0.1, float64(sum.FalseArea), 1e-9)
	require.InDelta(t, 0.2, float64(sum.ObscuredArea), 1e-9)
	none := AddLeaks([]*Leaks{{}})
	require.False(t, none.ExposedShare.Known())
	text, err := json.Marshal(none)
	require.NoError(t, err)
	require.Contains(t, string(text), `"runs":[]`)
	require.Nil(t, AddLeaks(nil))
}
