package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
	"scrim/redact/zone"
)

func TestZonesOfAConfigurationAreCheckedOnceMore(t *testing.T) {
	corners := [][2]float64{{0, 0}, {1, 0}, {0.5, 1}}
	got, err := zonesOf([]wire.ZoneConfig{
		{Kind: "mask", Polygon: corners}, {Kind: "ignore", Name: "tv", Reason: "own_screen", Polygon: corners},
	})
	require.NoError(t, err)
	polygon := []zone.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 0.5, Y: 1}}
	require.Equal(t, []zone.Zone{
		{Kind: zone.Mask, Polygon: polygon}, {Kind: zone.Ignore, Name: "tv", Reason: "own_screen", Polygon: polygon},
	}, got)
	for _, bad := range []wire.ZoneConfig{
		{}, {Kind: "mask"}, {Kind: "ignore", Name: "tv", Reason: "boring", Polygon: corners},
		{Kind: "mask", Polygon: [][2]float64{{0, 0}, {math.Inf(1), 0}, {0.5, 1}}},
	} {
		_, err := zonesOf([]wire.ZoneConfig{{Kind: "mask", Polygon: corners}, bad})
		require.ErrorContains(t, err, "zone 2: ")
	}
}
