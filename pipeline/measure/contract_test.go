package measure

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
)

// What the redactor writes into reports is what is read here.
func TestRecordOfARedactedFileIsALineOfAReport(t *testing.T) {
	f := ipc.FileFrame{File: "a.mp4", Frame: 3, PTS: 0.12, Width: 640, Height: 360, Regions: []geom.RegionRecord{
		{X: 1, Y: 2, W: 30, H: 40, Face: geom.Box{X: 5.5, Y: 6, W: 20, H: 25}, Score: 0.5, Source: "backfilled", Track: 9},
		{W: 640, H: 360, Source: "failsafe"},
	}}
	line, err := json.Marshal(f)
	require.NoError(t, err)
	got, err := ReadReport(bytes.NewReader(line), "r")
	require.NoError(t, err)
	require.Equal(t, []ReportFrame{{Frame: 3, PTS: 0.12, Width: 640, Height: 360, Line: 1, Regions: []Region{
		{Box: geom.Box{X: 1, Y: 2, W: 30, H: 40}, Face: geom.Box{X: 5.5, Y: 6, W: 20, H: 25}, Score: 0.5, Source: "backfilled", Track: 9},
		{Box: geom.Box{W: 640, H: 360}, Source: "failsafe"},
	}}}, got[0].Frames)
	require.False(t, got[0].Frames[0].Regions[1].hasFace())
}
