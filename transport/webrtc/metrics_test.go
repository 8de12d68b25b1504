package webrtc

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

func TestMetricsTellTheStateOfEveryCamera(t *testing.T) {
	m := newMemory(camera)
	m.set(transport.Status{
		Site: "plant", Camera: camera, State: transport.StateObscured, FPS: 12.5,
		SelfTest: &transport.SelfTest{At: time.Unix(1700000000, 0), OK: true},
		Counters: transport.Counters{Pictures: 7, Slates: 3},
	})
	g := start(t, Options{Source: m})
	res, body := do(t, http.MethodGet, g.url+"/metrics", "")
	require.Equal(t, http.StatusOK, res.StatusCode)
	for _, line := range []string{
		`scrim_camera_state{camera="gate",site="plant",state="obscured"} 1`,
		`scrim_camera_state{camera="gate",site="plant",state="live"} 0`,
		`scrim_camera_pictures_total{camera="gate",site="plant"} 7`,
		`scrim_camera_slates_total{camera="gate",site="plant"} 3`,
		`scrim_camera_pictures_per_second{camera="gate",site="plant"} 12.5`,
		`scrim_camera_selftest_ok{camera="gate",site="plant"} 1`,
		`scrim_camera_selftest_timestamp_seconds{camera="gate",site="plant"} 1.7e+09`,
		`scrim_gateway_viewers 0`,
	} {
		require.Contains(t, body, line+"\n")
	}
}

func TestMetricsAskForTheToken(t *testing.T) {
	g := start(t, Options{Token: "secret"})
	res, _ := do(t, http.MethodGet, g.url+"/metrics", "")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
}

func TestHealthSaysThatASelfTestFailed(t *testing.T) {
	m := newMemory(camera)
	m.set(transport.Status{Camera: camera, State: transport.StateObscured, SelfTest: &transport.SelfTest{At: time.Unix(1, 0), Reason: "no face"}})
	g := start(t, Options{Source: m})
	res, body := do(t, http.MethodGet, g.url+"/healthz", "")
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.Contains(t, body, `"self_tests_failed":1`)
}
