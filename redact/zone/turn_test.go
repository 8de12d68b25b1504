package zone

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
)

// A turned zone covers the pixels that the zone covered before.
func TestTurnedZonesLieWhereTheirPixelsGo(t *testing.T) {
	const w, h = 160, 90
	// Its corners lie between pixels, whatever the direction.
	list := []Zone{{Kind: Mask, Name: "a", Polygon: []Point{{X: 0.25, Y: 0}, {X: 0.5, Y: 0}, {X: 0.5, Y: 0.2}, {X: 0.25, Y: 0.2}}}}
	before := Compile(list, w, h).Masks()[0].Rect
	for _, r := range geom.Rotations {
		turned := Turn(list, r)
		require.NoError(t, turned[0].Check())
		require.Equal(t, "a", turned[0].Name)
		tw, th := r.Size(w, h)
		require.Equal(t, r.Box(geom.BoxOf(before), w, h), geom.BoxOf(Compile(turned, tw, th).Masks()[0].Rect), "%d", r)
	}
	require.Equal(t, Point{X: 0.25}, list[0].Polygon[0], "the zones themselves are not changed")
}
