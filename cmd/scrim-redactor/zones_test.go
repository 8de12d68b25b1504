package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/zone"
)

func TestZonesOfAConfigurationAreCheckedOnceMore(t *testing.T) {
	corners := [][2]float64{{0, 0}, {0.2, 0}, {0.1, 1}}
	got, err := zonesOf([]ipc.ZoneConfig{
		{Kind: "mask", Polygon: corners}, {Kind: "ignore", Name: "tv", Reason: "own_screen", Polygon: corners},
	})
	require.NoError(t, err)
	polygon := []zone.Point{{X: 0, Y: 0}, {X: 0.2, Y: 0}, {X: 0.1, Y: 1}}
	require.Equal(t, []zone.Zone{
		{Kind: zone.Mask, Polygon: polygon}, {Kind: zone.Ignore, Name: "tv", Reason: "own_screen", Polygon: polygon},
	}, got)
	for _, bad := range []ipc.ZoneConfig{
		{}, {Kind: "mask"}, {Kind: "ignore", Name: "tv", Reason: "boring", Polygon: corners},
		{Kind: "mask", Polygon: [][2]float64{{0, 0}, {math.Inf(1), 0}, {0.5, 1}}},
	} {
		_, err := zonesOf([]ipc.ZoneConfig{{Kind: "mask", Polygon: corners}, bad})
		require.ErrorContains(t, err, "zone 2: ")
	}
	var tiling []ipc.ZoneConfig
	for i := range 16 {
		x, y := float64(i%4)/4, float64(i/4)/4
		tiling = append(tiling, ipc.ZoneConfig{Kind: "ignore", Name: "all", Reason: "public_display",
			Polygon: [][2]float64{{x, y}, {x + 0.25, y}, {x + 0.25, y + 0.25}, {x, y + 0.25}}})
	}
	_, err = zonesOf(tiling)
	require.ErrorContains(t, err, "zone 5: ")
}
