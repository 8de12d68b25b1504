package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/zone"
)

func TestZonesOfAConfigurationAreCheckedOnceMore(t *testing.T) {
	corners := []zone.Point{{X: 0, Y: 0}, {X: 0.2, Y: 0}, {X: 0.1, Y: 1}}
	require.NoError(t, checkZones([]zone.Zone{
		{Kind: "mask", Polygon: corners}, {Kind: "ignore", Name: "tv", Reason: "own_screen", Polygon: corners},
	}))
	for _, bad := range []zone.Zone{
		{}, {Kind: "mask"}, {Kind: "ignore", Name: "tv", Reason: "boring", Polygon: corners},
		{Kind: "mask", Polygon: []zone.Point{{X: 0, Y: 0}, {X: math.Inf(1), Y: 0}, {X: 0.5, Y: 1}}},
	} {
		require.ErrorContains(t, checkZones([]zone.Zone{{Kind: "mask", Polygon: corners}, bad}), "zone 2: ")
	}
	var tiling []zone.Zone
	for i := range 16 {
		x, y := float64(i%4)/4, float64(i/4)/4
		tiling = append(tiling, zone.Zone{Kind: "ignore", Name: "all", Reason: "public_display",
			Polygon: []zone.Point{{X: x, Y: y}, {X: x + 0.25, Y: y}, {X: x + 0.25, Y: y + 0.25}, {X: x, Y: y + 0.25}}})
	}
	require.ErrorContains(t, checkZones(tiling), "zone 5: ")
}
