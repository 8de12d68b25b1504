package webrtc

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport/transporttest"
)

const secret = "correct horse"

func TestStatuses(t *testing.T) {
	g := start(t, Options{})
	location, etag := open(t, g, camera)
	elsewhere := strings.Replace(location, "/"+camera+"/", "/yard/", 1)
	const candidate = "a=candidate:1 1 udp 2122260223 10.0.0.1 1000 typ host\r\n"
	patch := func(body string, more ...string) []string {
		return append([]string{http.MethodPatch, location, body, "Content-Type", mimeFragment}, more...)
	}
	for _, c := range []struct {
		name    string
		request []string // method, URL, body, headers
		status  int
		says    string
	}{
		{"offer", []string{"POST", "/whep/gate", sdpOffer(), "Content-Type", "application/sdp; charset=utf-8"}, 201, "v=0"},
		{"unknown camera", []string{"POST", "/whep/nowhere", sdpOffer(), "Content-Type", mimeSDP}, 404, "unknown camera"},
		{"strange camera", []string{"POST", "/whep/%2e%2e%00", sdpOffer(), "Content-Type", mimeSDP}, 404, "unknown camera"},
		{"no type", []string{"POST", "/whep/gate", sdpOffer()}, 415, mimeSDP},
		{"wrong type", []string{"POST", "/whep/gate", sdpOffer(), "Content-Type", "application/json"}, 415, mimeSDP},
		{"too large", []string{"POST", "/whep/gate", strings.Repeat("x", maxOfferBytes+1), "Content-Type", mimeSDP}, 413, "65536"},
		{"empty", []string{"POST", "/whep/gate", "", "Content-Type", mimeSDP}, 406, "not supported"},
		{"not SDP", []string{"POST", "/whep/gate", "hello", "Content-Type", mimeSDP}, 400, "not an SDP offer"},
		{"other codec", []string{"POST", "/whep/gate", sdpOffer("H264", "H265"), "Content-Type", mimeSDP}, 406, "H.264"},
		{"data channel", []string{"POST", "/whep/gate", sdpOffer("m=video", "m=application"), "Content-Type", mimeSDP}, 400, "data channel"},
		{"section without mid", []string{"POST", "/whep/gate", sdpOffer("a=mid:0\r\n", ""), "Content-Type", mimeSDP}, 400, "mid"},
		{"get", []string{"GET", "/whep/gate", ""}, 405, "POST"},
		{"put", []string{"PUT", "/whep/gate", ""}, 405, "POST"},
		{"post to session", []string{"POST", location, ""}, 405, "PATCH"},
		{"get session", []string{"GET", location, ""}, 405, "PATCH"},
		{"write to page", []string{"POST", "/", ""}, 405, "GET"},
		{"delete cameras", []string{"DELETE", "/api/cameras", ""}, 405, "GET"},
		{"options", []string{"OPTIONS", "/whep/gate", ""}, 204, ""},
		{"trickle", patch(candidate, "If-Match", etag), 204, ""},
		{"trickle to any version", patch(candidate, "If-Match", "*"), 204, ""},
		{"trickle, several tags", patch(candidate, "If-Match", `"x", `+etag), 204, ""},
		{"trickle, own fragment", patch("a=ice-ufrag:EsAw\r\n"+candidate, "If-Match", etag), 204, ""},
		{"ICE restart", patch("a=ice-ufrag:Other\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n"+candidate, "If-Match", "*"), 422, "restart"},
		{"no If-Match", patch(candidate), 428, "If-Match"},
		{"other If-Match", patch(candidate, "If-Match", `"x"`), 412, "If-Match"},
		{"rubbish", patch("rubbish", "If-Match", etag), 422, "invalid line of SDP"},
		{"empty fragment", patch("", "If-Match", etag), 422, "no ICE candidates"},
		{"large fragment", patch(strings.Repeat("a", maxFragmentBytes+1), "If-Match", etag), 413, "16384"},
		{"candidates without end", patch(manyCandidates(maxCandidates), "If-Match", etag), 422, "more than"},
		{"fragment of wrong type", []string{"PATCH", location, candidate, "Content-Type", mimeSDP, "If-Match", etag}, 415, mimeFragment},
		{"patch no session", []string{"PATCH", "/whep/gate/XYZ", candidate, "Content-Type", mimeFragment, "If-Match", etag}, 404, "session"},
		{"patch by another camera", []string{"PATCH", elsewhere, candidate, "Content-Type", mimeFragment, "If-Match", etag}, 404, "session"},
		{"delete by another camera", []string{"DELETE", elsewhere, ""}, 404, "session"},
		{"delete", []string{"DELETE", location, ""}, 200, ""},
		{"delete again", []string{"DELETE", location, ""}, 404, "session"},
		{"health", []string{"GET", "/healthz", ""}, 200, `{"status":"ok","cameras":2,"live":2,"blind":0,"obscured":0,"offline":0,"failed":0,"self_tests_failed":0,`},
		{"no such page", []string{"GET", "/secret.txt", ""}, 404, ""},
		{"page", []string{"GET", "/", ""}, 200, "<title>Scrim</title>"},
		{"script of the page", []string{"GET", "/wall.js", ""}, 200, "dialog"},
		{"script for any page", []string{"GET", "/whep.js", ""}, 200, "RTCPeerConnection"},
		{"script of the events", []string{"GET", "/events.js", ""}, 200, "api/events"},
		{"test of a script", []string{"GET", "/whep.test.js", ""}, 404, ""},
		{"what tests need", []string{"GET", "/package.json", ""}, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := c.request[1]
			if strings.HasPrefix(url, "/") {
				url = g.url + url
			}
			res, body := do(t, c.request[0], url, c.request[2], c.request[3:]...)
			require.Equal(t, c.status, res.StatusCode, body)
			require.Contains(t, body, c.says)
			require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
			require.Contains(t, res.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
			require.NotContains(t, res.Header.Get("Content-Security-Policy"), "unsafe")
			if c.status == http.StatusMethodNotAllowed {
				require.NotEmpty(t, res.Header.Get("Allow"))
			}
			if c.status >= 400 && c.name != "no such page" {
				require.Equal(t, 1, strings.Count(body, "\n"), "one line")
			}
		})
	}
}

func TestSessionHeaders(t *testing.T) {
	g := start(t, Options{Token: secret, ICEServers: []ICEServer{
		{URL: "stun:stun.example.org"},
		{URL: "turn:turn.example.org?transport=udp", User: "me", Password: `a"b\c`},
	}})
	links := []string{
		`<stun:stun.example.org>; rel="ice-server"`,
		`<turn:turn.example.org?transport=udp>; rel="ice-server"; username="me"; credential="a\"b\\c"; credential-type="password"`,
	}
	res, body := do(t, http.MethodPost, g.url+"/whep/gate", sdpOffer(), "Content-Type", mimeSDP, "Authorization", "bearer "+secret)
	require.Equal(t, http.StatusCreated, res.StatusCode, body)
	require.Equal(t, mimeSDP, res.Header.Get("Content-Type"))
	require.Regexp(t, `^gate/[A-Z2-7]{26}$`, res.Header.Get("Location"))
	require.Regexp(t, `^"[A-Z2-7]{26}"$`, res.Header.Get("ETag"))
	require.Equal(t, links, res.Header.Values("Link"))
	require.Contains(t, body, "a=sendonly")
	require.Contains(t, body, "H264/90000")
	require.NotContains(t, body, "VP8")
	require.NotContains(t, body, "packetization-mode=0")

	res, _ = do(t, http.MethodOptions, g.url+"/whep/gate", "", "Authorization", "Bearer "+secret)
	require.Equal(t, links, res.Header.Values("Link"))
	require.Equal(t, mimeSDP, res.Header.Get("Accept-Post"))
	res, _ = do(t, http.MethodOptions, g.url+"/whep/gate", "")
	require.Equal(t, http.StatusNoContent, res.StatusCode)
	require.Equal(t, mimeSDP, res.Header.Get("Accept-Post"))
	require.Empty(t, res.Header.Values("Link"), "not for everybody")
}

func TestToken(t *testing.T) {
	g := start(t, Options{Token: secret})
	for _, given := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + secret + "x", "Basic " + secret, secret} {
		for _, at := range []string{"POST /whep/gate", "POST /whep/nowhere", "PATCH /whep/gate/x", "DELETE /whep/gate/x", "GET /api/cameras", "GET /api/events"} {
			method, path, _ := strings.Cut(at, " ")
			// The body would be refused with another status if it were looked at.
			res, body := do(t, method, g.url+path, "rubbish", "Authorization", given)
			require.Equal(t, http.StatusUnauthorized, res.StatusCode, "%s with %q", at, given)
			require.Equal(t, `Bearer realm="scrim"`, res.Header.Get("WWW-Authenticate"))
			require.NotContains(t, body, secret)
		}
	}
	for _, open := range []string{"/", "/healthz", "/style.css"} {
		res, _ := do(t, http.MethodGet, g.url+open, "")
		require.Equal(t, http.StatusOK, res.StatusCode, open)
	}
	c := newClient(t)
	c.token = secret
	c.post(t, g.url, camera, c.offer(t))
}

func TestOtherOrigins(t *testing.T) {
	const wall, evil = "https://wall.example.org", "https://evil.example.org"
	for _, c := range []struct {
		allow  []string
		origin string
		want   string
	}{
		{nil, wall, ""},
		{[]string{wall}, wall, wall},
		{[]string{wall}, evil, ""},
		{[]string{wall}, "", ""},
		{[]string{"*"}, evil, "*"},
	} {
		g := start(t, Options{AllowOrigins: c.allow})
		headers := []string{"Content-Type", mimeSDP}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		for _, request := range [][2]string{{"POST", "/whep/gate"}, {"POST", "/whep/nowhere"}, {"GET", "/api/cameras"}} {
			res, _ := do(t, request[0], g.url+request[1], sdpOffer(), headers...)
			require.Equal(t, c.want, res.Header.Get("Access-Control-Allow-Origin"), "%v", request)
			require.Contains(t, res.Header.Values("Vary"), "Origin")
			if c.want != "" {
				for _, h := range []string{"Location", "Link", "ETag"} {
					require.Contains(t, res.Header.Get("Access-Control-Expose-Headers"), h)
				}
			}
		}
		for path, methods := range map[string][]string{"/whep/gate": {"POST"}, "/whep/gate/x": {"PATCH", "DELETE"}, "/api/events": {"GET"}} {
			res, _ := do(t, http.MethodOptions, g.url+path, "", append(headers, "Access-Control-Request-Method", methods[0])...)
			require.Equal(t, http.StatusNoContent, res.StatusCode)
			require.Equal(t, c.want, res.Header.Get("Access-Control-Allow-Origin"))
			for _, m := range methods {
				require.Equal(t, c.want != "", strings.Contains(res.Header.Get("Access-Control-Allow-Methods"), m))
			}
			require.Equal(t, c.want != "", strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "If-Match"))
		}
	}
}

func TestPlacesAreLimited(t *testing.T) {
	g := start(t, Options{MaxViewers: 2})
	first, _ := open(t, g, camera)
	_, _ = open(t, g, "yard")
	res, body := do(t, http.MethodPost, g.url+"/whep/gate", sdpOffer(), "Content-Type", mimeSDP)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode, body)
	require.Equal(t, "5", res.Header.Get("Retry-After"))
	require.EqualValues(t, 1, g.Counts().Refused)
	require.Equal(t, 2, g.Counts().Sessions)
	do(t, http.MethodDelete, first, "")
	transporttest.Eventually(t, func() bool { return g.Counts().Sessions == 1 }, "place is free again")
	_, _ = open(t, g, camera)
	require.EqualValues(t, 3, g.Counts().Opened)
}

func TestRefusedOffersTakeNoPlace(t *testing.T) {
	g := start(t, Options{MaxViewers: 1}, func(g *Gateway) { g.hubs.Times.Linger = time.Millisecond })
	for range 3 {
		res, _ := do(t, http.MethodPost, g.url+"/whep/gate", sdpOffer("a=mid:0\r\n", ""), "Content-Type", mimeSDP)
		require.Equal(t, http.StatusBadRequest, res.StatusCode)
	}
	require.Zero(t, g.Counts().Sessions)
	require.Zero(t, g.Counts().Opened)
	transporttest.Eventually(t, func() bool { return g.Counts().Subscriptions == 0 }, "subscription ends")
}

func TestOptionsAreChecked(t *testing.T) {
	source := transporttest.NewSource()
	for name, o := range map[string]Options{
		"no source":         {},
		"port":              {Source: source, UDPPort: 70000},
		"viewers":           {Source: source, MaxViewers: -1},
		"address":           {Source: source, PublicIPs: mustAddr(t, "0.0.0.0")},
		"ICE scheme":        {Source: source, ICEServers: []ICEServer{{URL: "http://x"}}},
		"ICE URL":           {Source: source, ICEServers: []ICEServer{{URL: "turn:x>; rel=y"}}},
		"ICE password":      {Source: source, ICEServers: []ICEServer{{URL: "turn:x", User: "a", Password: "b\r\nX: y"}}},
		"origin":            {Source: source, AllowOrigins: []string{"wall.example.org"}},
		"origin with slash": {Source: source, AllowOrigins: []string{"https://wall.example.org/"}},
	} {
		_, err := New(o)
		require.ErrorContains(t, err, "webrtc: ", name)
		require.NotContains(t, err.Error(), "\n")
	}
	g, err := New(Options{Source: source, MaxViewers: 3, AllowOrigins: []string{"http://localhost:8080"}, PublicIPs: mustAddr(t, "2001:db8::1")})
	require.NoError(t, err)
	require.NoError(t, g.Close())
}

func TestPageIsWhatTestsAndPolicyExpect(t *testing.T) {
	g := start(t, Options{})
	_, page := do(t, http.MethodGet, g.url+"/", "")
	for _, want := range []string{"<video muted autoplay playsinline>", `src="wall.js"`, `href="style.css"`} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "<script>")
	require.NotContains(t, page, "style=\"")
	require.NotContains(t, page, "onclick")
	var scripts strings.Builder
	for _, name := range []string{"wall.js", "whep.js", "events.js"} {
		res, script := do(t, http.MethodGet, g.url+"/"+name, "")
		// Browsers run no module of another type, and nosniff holds them to it.
		require.Equal(t, "text/javascript; charset=utf-8", res.Header.Get("Content-Type"), name)
		require.Equal(t, "no-cache", res.Header.Get("Cache-Control"), name)
		scripts.WriteString(script)
	}
	require.Contains(t, scripts.String(), "dataset.camera")
	require.NotContains(t, scripts.String(), "innerHTML", "what a camera says is text")
}
