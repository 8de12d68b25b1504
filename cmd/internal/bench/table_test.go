package bench

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/measure"
)

// table returns the table of a result.
func table(t *testing.T, r *Result) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteTable(&b))
	return b.String()
}

func TestTableNamesFacesThatAreNotDrawn(t *testing.T) {
	clip := SourceClip{Name: "20 people", Width: 1920, Height: 1080, FPS: 30, MinFace: 33, MaxFace: 360}
	text := table(t, &Result{Source: Source{Clips: []SourceClip{clip}}})
	require.Contains(t, text, "faces of 33 to 360 pixels")
	require.Contains(t, text, "faces below 33 pixels are not drawn; to include them: --min-face 12 --tiles")
	clip.MinFace = 12
	require.NotContains(t, table(t, &Result{Source: Source{Clips: []SourceClip{clip}}}), "are not drawn")
	require.NotContains(t, table(t, &Result{Source: Source{Clips: []SourceClip{{Name: "a file"}}}}), "are not drawn")
}

func TestTableGivesTheReasonWhyCamerasDidNotHold(t *testing.T) {
	r := &Result{Cameras: 2, Capacity: &Capacity{Trials: []Trial{
		{Cameras: 2, Held: true, In: 60, Faces: 100}, {Cameras: 4, In: 120, Faces: 200, Exposed: 3, Why: "3 of 200 faces exposed"}, {Cameras: 3, Held: true, In: 90},
	}}}
	text := table(t, r)
	require.Contains(t, text, "3 of 200 faces exposed")
	require.Contains(t, text, "unknown", "exposed faces without a truth")
	require.Regexp(t, `exposed face +2\n`, text)
}

func TestTableShowsUnknownMemoryAsUnknown(t *testing.T) {
	text := table(t, &Result{Live: &Live{Memory: Sizes{RedactorPrivate: 61, RedactorPeak: 180}}})
	require.Regexp(t, `PSS, private, peak RSS +unknown, 61, 180 MiB`, text)
	text = table(t, &Result{
		Live: &Live{Memory: Sizes{RedactorPSS: 97, Total: 300}}, Leaks: &Leaks{ObscuredArea: 0.1, FalseArea: 0.02, ExposedShare: measure.Number(math.NaN())},
	})
	require.Regexp(t, `PSS, private, peak RSS +97, 0, 0 MiB`, text)
	require.Contains(t, text, "without a face 2.0 %")
}

func TestMemoryIsRecordedOverTime(t *testing.T) {
	var s Sizes
	s.SetTotals(nil)
	require.Zero(t, s)
	totals := make([]float64, 30)
	for i := range totals {
		totals[i] = 100 + float64(i)
	}
	s.SetTotals(totals)
	require.Equal(t, Sizes{Total: 129, Early: 101, Late: 128}, s)
	require.Regexp(t, `first and the last tenth of the run +101, 128 MiB`, table(t, &Result{Live: &Live{Memory: s}}))
}
