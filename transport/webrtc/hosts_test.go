package webrtc

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/transport/transporttest"
)

// ask sends a request with a Host header straight to the handler.
func ask(g *rig, method, path, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(""))
	r.Host = host
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	return w
}

func TestWithoutATokenOnlyKnownHostsAreAnswered(t *testing.T) {
	g := start(t, Options{Hosts: []string{"Gateway", "cams.example.org", "", "192.0.2.1"}})
	for host, ok := range map[string]bool{
		"127.0.0.1:8080": true, "127.0.0.1": true, "192.168.1.7:80": true, "[::1]:8080": true, "[::1]": true, "[fe80::1%25eth0]:80": true,
		"localhost": true, "localhost:8080": true, "LocalHost:1": true, "localhost.": true, "gateway:8080": true, "GATEWAY": true,
		"cams.example.org": true, "cams.example.org.:443": true,
		"": false, ":8080": false, "evil.example.org": false, "evil.example.org:8080": false, "127.0.0.1.evil.example.org": false,
		"localhost.evil.example.org": false, "xlocalhost": false, "127.0.0.1.": false, "[gateway]": false, "gateway:8080:9": false,
		"[127.0.0.1]": false, "gateway/x": false, "a@gateway": false, ".": false, "..": false,
	} {
		for _, request := range []string{
			"GET /", "GET /whep.js", "GET /healthz", "GET /api/cameras", "OPTIONS /whep/gate", "POST /whep/gate", "DELETE /whep/gate/x", "GET /no/such",
		} {
			method, path, _ := strings.Cut(request, " ")
			w := ask(g, method, path, host)
			require.Equal(t, ok, w.Code != http.StatusMisdirectedRequest, "%s for %q: %d", request, host, w.Code)
			if !ok {
				require.Equal(t, 1, strings.Count(w.Body.String(), "\n"), w.Body.String())
				require.Contains(t, w.Body.String(), "token")
				require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			}
		}
	}
}

func TestWithATokenAnyHostIsAnswered(t *testing.T) {
	g := start(t, Options{Token: secret})
	require.Equal(t, http.StatusOK, ask(g, http.MethodGet, "/", "proxy.example.org").Code)
	require.Equal(t, http.StatusUnauthorized, ask(g, http.MethodGet, "/api/cameras", "proxy.example.org").Code)
}

func TestHostsAreChecked(t *testing.T) {
	for _, host := range []string{"http://gateway", "gateway:8080", "*", "a b", "gateway/", "*.example.org", strings.Repeat("a", 300)} {
		_, err := New(Options{Source: transporttest.NewSource(), Hosts: []string{host}})
		require.ErrorContains(t, err, "webrtc: host ", host)
	}
}

func TestASessionsAddressIsRightBelowAnyPath(t *testing.T) {
	g := start(t, Options{})
	for _, below := range []string{"", "/cams", "/a/b"} {
		proxy := httptest.NewServer(http.StripPrefix(below, g.Handler()))
		post, err := url.Parse(proxy.URL + below + "/whep/gate")
		require.NoError(t, err)
		res, body := do(t, http.MethodPost, post.String(), sdpOffer(), "Content-Type", mimeSDP)
		require.Equal(t, http.StatusCreated, res.StatusCode, body)
		session, err := post.Parse(res.Header.Get("Location"))
		require.NoError(t, err)
		require.Regexp(t, `^`+below+`/whep/gate/[A-Z2-7]{26}$`, session.Path)
		res, body = do(t, http.MethodDelete, session.String(), "")
		require.Equal(t, http.StatusOK, res.StatusCode, body)
		proxy.Close()
	}
}
