package bench

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/measure"
)

// table is a result as people see it.
func table(t *testing.T, r *Result) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.Table(&b))
	return b.String()
}

func TestTableSaysWhichFacesAreNotDrawn(t *testing.T) {
	clip := SourceClip{Name: "20 people", Width: 1920, Height: 1080, FPS: 30, MinFace: 33, MaxFace: 360}
	text := table(t, &Result{Source: Source{Clips: []SourceClip{clip}}})
	require.Contains(t, text, "faces of 33 to 360 pixels")
	require.Contains(t, text, "faces below 33 pixels are not drawn; --min-face 12 --tiles for those")
	clip.MinFace = 12
	require.NotContains(t, table(t, &Result{Source: Source{Clips: []SourceClip{clip}}}), "are not drawn")
	require.NotContains(t, table(t, &Result{Source: Source{Clips: []SourceClip{{Name: "a file"}}}}), "are not drawn")
}

func TestTableSaysWhyCamerasDidNotHold(t *testing.T) {
	r := &Result{Cameras: 2, Capacity: &Capacity{Tries: []Try{
		{Cameras: 2, Held: true, In: 60, Faces: 100}, {Cameras: 4, In: 120, Faces: 200, Exposed: 3, Why: "3 of 200 faces exposed"}, {Cameras: 3, Held: true, In: 90},
	}}}
	text := table(t, r)
	require.Contains(t, text, "3 of 200 faces exposed")
	require.Contains(t, text, "unknown", "of a number of cameras whose faces nobody knows")
	require.Regexp(t, `nothing exposed +2\n`, text)
}

func TestTableDoesNotMakeUpMemory(t *testing.T) {
	text := table(t, &Result{Live: &Live{Memory: Sizes{RedactorPrivate: 61, RedactorPeak: 180}}})
	require.Regexp(t, `PSS, private, peak RSS +unknown, 61, 180 MiB`, text)
	text = table(t, &Result{
		Live: &Live{Memory: Sizes{RedactorPSS: 97, Total: 300}}, Leaks: &Leaks{ObscuredArea: 0.1, FalseArea: 0.02, ExposedShare: measure.Number(math.NaN())},
	})
	require.Regexp(t, `PSS, private, peak RSS +97, 0, 0 MiB`, text)
	require.Contains(t, text, "for no face 2.0 %")
}

func TestMemoryIsFollowedOverTime(t *testing.T) {
	var s Sizes
	s.Follow(nil)
	require.Zero(t, s)
	totals := make([]float64, 30)
	for i := range totals {
		totals[i] = 100 + float64(i)
	}
	s.Follow(totals)
	require.Equal(t, Sizes{Total: 129, Early: 101, Late: 128}, s)
	require.Regexp(t, `first and the last tenth of the time +101, 128 MiB`, table(t, &Result{Live: &Live{Memory: s}}))
}
