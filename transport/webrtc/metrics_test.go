package webrtc

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

func TestMetricsTellTheStateOfEveryCamera(t *testing.T) {
	m := transporttest.NewSource(camera)
	m.Set(transport.Status{
		Site: "plant", Camera: camera, State: transport.StateOffline, FPS: 12.5, ExpectedFPS: 25,
		SelfTest: &transport.SelfTest{At: time.Unix(1700000000, 0), OK: true},
		DelayMS:  350,
		Counters: transport.Counters{Pictures: 7, Slates: 3, Faults: map[transport.Fault]uint64{transport.FaultLoss: 2, "packet loss of 5": 9},
			BlindSeconds: map[transport.BlindReason]float64{transport.BlindDark: 12.5, "fog": 1}},
		Sight: &transport.Sight{Size: 34, Need: 48},
	})
	g := start(t, Options{Source: m})
	res, body := do(t, http.MethodGet, g.url+"/metrics", "")
	require.Equal(t, http.StatusOK, res.StatusCode)
	for _, line := range []string{
		`scrim_camera_state{camera="gate",site="plant",state="offline"} 1`,
		`scrim_camera_state{camera="gate",site="plant",state="obscured"} 0`,
		`scrim_camera_expected_pictures_per_second{camera="gate",site="plant"} 25`,
		`scrim_camera_state{camera="gate",site="plant",state="live"} 0`,
		`scrim_camera_pictures_total{camera="gate",site="plant"} 7`,
		`scrim_camera_slates_total{camera="gate",site="plant"} 3`,
		`scrim_camera_pictures_per_second{camera="gate",site="plant"} 12.5`,
		`scrim_camera_delay_seconds{camera="gate",site="plant"} 0.35`,
		`scrim_camera_faults_total{camera="gate",reason="loss",site="plant"} 2`,
		`scrim_camera_faults_total{camera="gate",reason="hang",site="plant"} 0`,
		`scrim_camera_blind_seconds_total{camera="gate",reason="too dark",site="plant"} 12.5`,
		`scrim_camera_blind_seconds_total{camera="gate",reason="blurred",site="plant"} 0`,
		`scrim_camera_state{camera="gate",site="plant",state="blind"} 0`,
		`scrim_camera_sight_pixels{camera="gate",site="plant"} 34`,
		`scrim_camera_need_pixels{camera="gate",site="plant"} 48`,
		`scrim_camera_selftest_ok{camera="gate",site="plant"} 1`,
		`scrim_camera_selftest_timestamp_seconds{camera="gate",site="plant"} 1.7e+09`,
		`scrim_gateway_viewers 0`,
	} {
		require.Contains(t, body, line+"\n")
	}
	require.NotContains(t, body, "packet loss of 5", "reasons are a closed set")
	require.NotContains(t, body, "fog", "reasons are a closed set")
}

func TestMetricsAskForTheToken(t *testing.T) {
	g := start(t, Options{Token: "secret"})
	res, _ := do(t, http.MethodGet, g.url+"/metrics", "")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
}

func TestHealthTellsTroubleFromAFaultThatPasses(t *testing.T) {
	tested := func(ok bool) *transport.SelfTest { return &transport.SelfTest{At: time.Unix(1, 0), OK: ok} }
	good := transport.Status{State: transport.StateLive, SelfTest: tested(true)}
	for name, c := range map[string]struct {
		cameras []transport.Status
		status  int
		says    string
	}{
		"no cameras":             {nil, 200, `{"status":"ok","cameras":0,"live":0,"blind":0,"obscured":0,"offline":0,"failed":0,"self_tests_failed":0,"states":{}}`},
		"self-test fails":        {[]transport.Status{good, {State: transport.StateObscured, SelfTest: tested(false)}}, 503, `"self_tests_failed":1`},
		"blind":                  {[]transport.Status{{State: transport.StateBlind, Fault: transport.FaultBlind}}, 200, `"live":0,"blind":1`},
		"no connection":          {[]transport.Status{{State: transport.StateOffline, Fault: transport.FaultCamera}}, 200, `"obscured":0,"offline":1`},
		"starting":               {[]transport.Status{{State: transport.StateStarting}}, 200, `"status":"ok"`},
		"one of two failed":      {[]transport.Status{good, {State: transport.StateFailed}}, 200, `"failed":1`},
		"all failed":             {[]transport.Status{{State: transport.StateFailed}, {State: transport.StateFailed}}, 503, `"status":"all cameras failed"`},
		"redactors cannot start": {[]transport.Status{{State: transport.StateObscured, Fault: transport.FaultCrash}}, 503, `"failed":1`},
	} {
		t.Run(name, func(t *testing.T) {
			m := transporttest.NewSource()
			for i, s := range c.cameras {
				s.Camera = "c" + itoa(i)
				m.Set(s)
			}
			g := start(t, Options{Source: m})
			res, body := do(t, http.MethodGet, g.url+"/healthz", "")
			require.Equal(t, c.status, res.StatusCode, body)
			require.Contains(t, body, c.says)
		})
	}
}

func TestHealthNamesCamerasToThoseWhoMayKnow(t *testing.T) {
	g := start(t, Options{Token: secret})
	_, body := do(t, http.MethodGet, g.url+"/healthz", "")
	require.Contains(t, body, `"live":2`)
	require.NotContains(t, body, camera)
	_, body = do(t, http.MethodGet, g.url+"/healthz", "", "Authorization", "Bearer "+secret)
	require.Contains(t, body, `"states":{"gate":"live","yard":"live"}`)
}
