package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/transport"
)

func TestMeterCountsPicturesAndSlatesOfItsCameras(t *testing.T) {
	m := NewMeter([]string{"lobby", "corridor"})
	for range 3 {
		m.Observe(&transport.RedactedUnit{Camera: "lobby", Captured: time.Now(), Width: 64, Height: 48, Data: []byte("12345678")},
			&ipc.Record{Regions: make([]geom.RegionRecord, 2)})
	}
	m.Observe(&transport.RedactedUnit{Camera: "corridor", Reason: "starting"}, nil)
	m.Observe(&transport.RedactedUnit{Camera: "another"}, nil)
	s := m.Summary("http://localhost:8080", map[string]string{"lobby": "rtsp://127.0.0.1:1/lobby"})
	require.Len(t, s.Cameras, 2)
	lobby, corridor := s.Cameras[0], s.Cameras[1]
	require.Equal(t, "rtsp://127.0.0.1:1/lobby", lobby.Source)
	require.EqualValues(t, []uint64{3, 6, 0}, []uint64{lobby.Pictures, lobby.Regions, lobby.Slates})
	require.Positive(t, lobby.Bitrate)
	require.EqualValues(t, 1, corridor.Slates)
	require.ErrorContains(t, s.Check(), "camera corridor has shown no picture")
	require.ErrorContains(t, s.Check(), "starting")
	var out strings.Builder
	require.NoError(t, s.Write(&out))
	require.Contains(t, out.String(), "camera lobby: 64×48, 3 pictures")
}
