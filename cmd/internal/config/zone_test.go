package config

import (
	"fmt"
	"scrim/redact/zone"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZonesReachTheRedactor(t *testing.T) {
	cfg, err := Parse("f", []byte(oneCamera+`    zones:
      - {kind: mask, polygon: [[0, 0], [0.5, 0], [0.5, 1]]}
      - kind: ignore
        name: lobby screen
        reason: public_display
        polygon:
          - [0.5, 0.25]
          - [0.75, 0.25]
          - [0.75, 1]
  - {name: yard, url: "rtsp://192.0.2.2/"}
`))
	require.NoError(t, err)
	require.Equal(t, []zone.Zone{
		{Kind: "mask", Polygon: []zone.Point{{X: 0, Y: 0}, {X: 0.5, Y: 0}, {X: 0.5, Y: 1}}},
		{Kind: "ignore", Name: "lobby screen", Reason: "public_display", Polygon: []zone.Point{{X: 0.5, Y: 0.25}, {X: 0.75, Y: 0.25}, {X: 0.75, Y: 1}}},
	}, cfg.Redactor(&cfg.Cameras[0]).Zones)
	require.Empty(t, cfg.Redactor(&cfg.Cameras[1]).Zones)
	require.Equal(t, `mask, 3 points`, cfg.Cameras[0].Zones[0].String())
	require.Equal(t, `ignore, public_display "lobby screen", 3 points; faces are not searched for there, and viewers are told`, cfg.Cameras[0].Zones[1].String())
}

// ignored is a zone of kind ignore with the frame's whole height.
func ignored(from, to float64) string {
	return fmt.Sprintf("\n      - {kind: ignore, reason: billboard, name: b, polygon: [[%g, 0], [%g, 0], [%g, 1], [%g, 1]]}", from, to, to, from)
}

func TestEveryMistakeInAZoneIsNamedWithLineAndColumn(t *testing.T) {
	const triangle = "polygon: [[0, 0], [1, 0], [1, 1]]"
	for name, c := range map[string]struct{ zones, want string }{
		"no list":    {" 3", "f.yaml:4:12: `cameras[0].zones` must be a list"},
		"no kind":    {"\n      - " + triangle, "f.yaml:5:9: zone without `kind`"},
		"no polygon": {"\n      - kind: mask", "f.yaml:5:9: zone without `polygon`"},
		"typo":       {"\n      - kind: maks", "f.yaml:5:15: `cameras[0].zones[0].kind`: invalid zone kind \"maks\": must be one of mask, tiles, ignore"},
		"key":        {"\n      - {kind: mask, polygn: []}", "f.yaml:5:22: unknown key `polygn`; did you mean `polygon`?"},
		"reason": {"\n      - {kind: ignore, reason: boring, " + triangle + "}",
			"f.yaml:5:32: `cameras[0].zones[0].reason`: invalid reason \"boring\": must be one of public_display, billboard, painting, own_screen"},
		"no reason": {"\n      - {kind: ignore, name: tv, " + triangle + "}",
			"f.yaml:5:10: a zone where nothing is looked for needs a `reason`: one of public_display, billboard, painting, own_screen"},
		"no name": {"\n      - {kind: ignore, reason: billboard, " + triangle + "}",
			"f.yaml:5:10: a zone where nothing is looked for needs a `name`, which viewers are shown"},
		"reason without use": {"\n      - {kind: mask, reason: billboard, " + triangle + "}",
			"f.yaml:5:30: a zone of kind mask takes no `reason`; it is for zones of kind ignore"},
		"long name": {"\n      - {kind: mask, name: " + strings.Repeat("x", 41) + ", " + triangle + "}",
			"f.yaml:5:28: the zone's name is longer than 40 characters; shorten it"},
		"bad name": {"\n      - {kind: mask, name: \"a\\u0007b\", " + triangle + "}",
			"f.yaml:5:28: the zone's name holds characters that cannot be shown; use letters, digits and spaces"},
		"one number": {"\n      - kind: mask\n        polygon: [[0, 0], [1], [1, 1]]",
			"f.yaml:6:27: invalid point: must be two numbers, [x, y], not 1"},
		"no point": {"\n      - kind: mask\n        polygon: [[0, 0], 1, [1, 1]]",
			"f.yaml:6:27: `cameras[0].zones[0].polygon[1]` must be a list"},
		"pixels": {"\n      - kind: mask\n        polygon: [[0, 0], [640, 0], [1, 1]]",
			"f.yaml:6:28: `cameras[0].zones[0].polygon[1][0]`: invalid coordinate \"640\": must be a fraction of the frame from 0 to 1, such as 0.25"},
		"not a number": {"\n      - kind: mask\n        polygon: [[0, 0], [.nan, 0], [1, 1]]",
			"f.yaml:6:28: `cameras[0].zones[0].polygon[1][0]` must be a single value, not a list or mapping"},
		"two points": {"\n      - kind: mask\n        polygon: [[0, 0], [1, 1]]", "f.yaml:6:18: the polygon has 2 points; it may have 3 to 64"},
		"bow tie": {"\n      - kind: mask\n        polygon: [[0, 0], [1, 1], [1, 0], [0, 1]]",
			"f.yaml:6:18: the polygon crosses or touches itself: the side after point 1 and the side after point 3 meet; list its corners in order"},
		"whole frame": {"\n      - {kind: ignore, reason: public_display, name: all, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}",
			"f.yaml:5:68: faces would be left out in 100.0 % of the frame, at most 10 % in a zone of kind ignore; draw it closely around what shows the faces"},
		"tiling": {ignored(0, 0.1) + ignored(0.1, 0.2) + ignored(0.2, 0.3),
			"f.yaml:7:61: with this zone faces would be left out in 30.1 % of the frame, at most 25 % in all zones of kind ignore; remove or shrink some"},
		"too many": {strings.Repeat("\n      - {kind: mask, "+triangle+"}", 17), "f.yaml:5:7: camera hall has 17 zones: at most 16 are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(oneCamera+"    zones:"+c.zones+"\n"))
			require.EqualError(t, err, c.want)
		})
	}
}
