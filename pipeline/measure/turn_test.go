package measure

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
)

// TestTruthOfATurnedCamera scores the upright video of a camera whose heads are on the left.
func TestTruthOfATurnedCamera(t *testing.T) {
	upright := watched(0, 100)
	p := script(3, func(int) []TrueFace { return []TrueFace{upright} }, func(int) []Region { return []Region{veil(upright)} })
	want := score(t, Options{}, p)
	for _, r := range geom.Rotations {
		turned, err := p.Truth.turned(r.Inverse())
		require.NoError(t, err)
		got := score(t, Options{Rotate: r}, Pair{turned, p.Report})
		require.Equal(t, want.Headline, got.Headline, r)
		back, err := turned.turned(r)
		require.NoError(t, err)
		require.InDelta(t, upright.Box.X, back.Frames[0].Faces[0].Box.X, 1e-9)
	}
	_, err := Score([]Pair{p}, Options{Filter: DefaultFilter, Rotate: 90})
	require.ErrorContains(t, err, "pixels")
	_, err = Score([]Pair{p}, Options{Filter: DefaultFilter, Rotate: 45})
	require.ErrorContains(t, err, "0, 90, 180 or 270")
	_, err = (&Truth{Path: "faces.json", Still: true}).turned(geom.Turned90)
	require.ErrorContains(t, err, "cannot be turned")
}
