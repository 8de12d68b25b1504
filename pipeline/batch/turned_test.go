package batch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
)

// frameOf is a picture with faces that lie so, each of two rectangles.
func frameOf(lie ...geom.Rotation) (f ipc.FileFrame) {
	for i, r := range lie {
		for range 2 {
			f.Regions = append(f.Regions, geom.RegionRecord{Source: geom.Detected, Track: uint64(i + 1), Rotation: r, Score: sureFace})
		}
	}
	f.Regions = append(f.Regions, geom.RegionRecord{Source: geom.Zone, Track: 9}, geom.RegionRecord{Source: geom.Held, Track: 8},
		geom.RegionRecord{Source: geom.Detected, Track: 7, Score: sureFace - 0.1})
	return f
}

func TestRotationIsSuggestedIfMostFacesLieThatWay(t *testing.T) {
	const up, left, down = geom.Upright, geom.Turned90, geom.Turned180
	for name, c := range map[string]struct {
		frames []ipc.FileFrame
		want   string
	}{
		"none":           {nil, ""},
		"upright":        {[]ipc.FileFrame{frameOf(up, up), frameOf(up, left)}, ""},
		"too few":        {[]ipc.FileFrame{frameOf(left), frameOf(left)}, ""},
		"half":           {[]ipc.FileFrame{frameOf(left, up), frameOf(left, up), frameOf(left, up)}, ""},
		"different ways": {[]ipc.FileFrame{frameOf(left, down, left, down, up)}, ""},
		"most":           {[]ipc.FileFrame{frameOf(left), frameOf(left, up), frameOf(left)}, "3 of 4 faces are not upright; if the file is turned, --rotate 90"},
		"all":            {[]ipc.FileFrame{frameOf(down, down, down)}, "3 of 3 faces are not upright; if the file is turned, --rotate 180"},
	} {
		n := turnedFaces{}
		for _, f := range c.frames {
			n.add(f)
		}
		if c.want == "" {
			require.Empty(t, n.advice(), name)
		} else {
			require.Contains(t, n.advice(), c.want, name)
		}
	}
}
