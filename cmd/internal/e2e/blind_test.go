package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/transport"
)

// get returns what a path of the gateway answers.
func (s *server) get(ctx context.Context, path string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, http.NoBody)
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err, s.output())
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, string(data)
}

// A camera in the dark is blind, and told as that everywhere; its neighbour sees. Neither
// is disturbed.
func TestCameraInTheDarkIsBlindAndItsNeighbourSees(t *testing.T) {
	dark := drawnScene
	dark.Light, dark.NoStamp = 1, true
	var urls []any
	for _, s := range []scene.Options{drawnScene, dark} {
		cam, err := simcam.Start(simcam.Options{Listen: "127.0.0.1:0", Scene: s, Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		t.Cleanup(cam.Close)
		urls = append(urls, cam.URL())
	}
	s := serveCameras(t, nil, fmt.Sprintf("  - {name: hall, url: '%s', need: 36px}\n  - {name: cellar, url: '%s'}\n", urls...))
	ctx := deadline(t, waiting)
	hall := s.await(ctx, "hall", "proved to see", func(c transport.Status) bool {
		return c.State == transport.StateLive && c.Sight != nil && c.Sight.Proved && c.Sight.Size > 0
	})
	require.Equal(t, transport.CoveredByFaces, hall.CoveredBy)
	require.Empty(t, hall.Sight.Parts, "the list has none")

	s.await(ctx, "cellar", "blind", func(c transport.Status) bool { return c.State == transport.StateBlind })
	const long = 7 * time.Second  // a camera without a picture for 5 s is connected to again
	var why transport.BlindReason // the picture's condition is bad in more than one way
	cellar := s.await(ctx, "cellar", "blind for long", func(c transport.Status) bool {
		why = transport.BlindReason(c.Reason)
		return c.State == transport.StateBlind && c.Counters.BlindSeconds[why] > long.Seconds()
	})
	require.Equal(t, transport.StateBlind, cellar.State)
	require.Equal(t, transport.FaultBlind, cellar.Fault)
	require.Contains(t, []transport.BlindReason{transport.BlindDark, transport.BlindContrast, transport.BlindCovered}, why)
	require.Equal(t, transport.CoveredBySlate, cellar.CoveredBy, "no background was ever seen")
	require.GreaterOrEqual(t, cellar.BlindLastDay[why], long.Seconds())
	require.Zero(t, cellar.Counters.Reconnects)
	require.Zero(t, cellar.Counters.Restarts)
	require.Zero(t, cellar.Counters.Pictures)
	s.awaitLine(ctx, `level=WARN msg="camera is blind.*camera=cellar .*covered_by=slate`)

	status, body := s.get(ctx, "/api/cameras/hall/sight")
	require.Equal(t, http.StatusOK, status, body)
	var sight struct {
		Size, Need float64
		Parts      []struct{ Size float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &sight))
	require.InDelta(t, 36, sight.Need, 0)
	require.LessOrEqual(t, sight.Size, sight.Need)
	require.Len(t, sight.Parts, 12)
	status, body = s.get(ctx, "/api/cameras/cellar/sight")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"proved":false`)
	_, body = s.get(ctx, "/metrics")
	require.Contains(t, body, `scrim_camera_state{camera="cellar",site="test",state="blind"} 1`)
	series := `scrim_camera_blind_seconds_total{camera=%q,reason=%q,site="test"} `
	require.Contains(t, body, fmt.Sprintf(series, "cellar", why))
	require.NotContains(t, body, fmt.Sprintf(series+"0\n", "cellar", why))
	status, body = s.get(ctx, "/healthz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"live":1,"blind":1`)
}
