package rtsp

import (
	"crypto/md5" //nolint:gosec // what cameras ask for
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"

	"scrim/transport/tlstrust"
)

// webTLS returns a certificate that nobody vouches for, as PEM and fingerprint.
func webTLS(t *testing.T) (server *httptest.Server, pem, sha string) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	return web, certificatePEM(web.Certificate().Raw), tlstrust.Fingerprint(web.Certificate())
}

func TestCertificatesThatAreTrusted(t *testing.T) {
	web, ca, sha := webTLS(t)
	cam := (&oddCamera{tls: web.TLS}).start(t)
	for name, tt := range map[string]struct {
		trust tlstrust.Trust
		short string // what viewers are told; empty: it works
	}{
		"pinned":              {tlstrust.Trust{Fingerprint: sha}, ""},
		"authority":           {tlstrust.Trust{CA: ca}, ""},
		"the pin counts more": {tlstrust.Trust{Fingerprint: strings.Repeat("0", 64), CA: ca}, "certificate mismatch"},
		"nobody":              {tlstrust.Trust{}, "certificate not trusted"},
		"another authority":   {tlstrust.Trust{CA: otherAuthority}, "certificate not trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			units, err := take(t, Config{URL: cam.url("admin:hunter2"), Trust: tt.trust}, 3)
			if tt.short == "" {
				require.NoError(t, err)
				require.Equal(t, "connected", units[0].Gap.Text)
				return
			}
			require.ErrorIs(t, err, ErrUnreachable)
			require.Equal(t, tt.short, err.(*Error).Public()) //nolint:errorlint,forcetypeassert // of this package
			require.Contains(t, err.Error(), "tls.fingerprint")
			require.NotContains(t, err.Error(), "set `tls.fingerprint` to it", "it may be an attacker's")
		})
	}
	for _, bad := range []tlstrust.Trust{{Fingerprint: "AB"}, {Fingerprint: strings.ToUpper(sha)}, {CA: "x"}} {
		require.ErrorIs(t, Config{Camera: "odd", URL: cam.url(""), Trust: bad}.Check(), ErrConfig)
	}
	for _, unused := range []tlstrust.Trust{{Fingerprint: sha}, {CA: ca}} {
		err := Config{Camera: "odd", URL: "rtsp://192.0.2.1/", Trust: unused}.Check()
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, "tls requires an rtsps url")
	}
}

// digestLogin lets in who proves the password by the rules of RFC 7616, and nobody
// who answers otherwise.
func digestLogin(challenge string) func(*base.Request, *base.Response) *base.Response {
	const user, password = "admin", "hunter2"
	parameters := func(s string) map[string]string {
		out := map[string]string{}
		for _, m := range regexp.MustCompile(`([a-z]+)=(?:"([^"]*)"|([^,\s]+))`).FindAllStringSubmatch(s, -1) {
			out[m[1]] = m[2] + m[3]
		}
		return out
	}
	asked := parameters(challenge)
	sum := func(s string) string {
		if asked["algorithm"] == "SHA-256" {
			return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))
		}
		return fmt.Sprintf("%x", md5.Sum([]byte(s))) //nolint:gosec // what cameras ask for
	}
	return func(req *base.Request, res *base.Response) *base.Response {
		if req.Method == base.Options {
			return res
		}
		if a := req.Header["Authorization"]; len(a) == 1 {
			got := parameters(a[0])
			middle := ":" + asked["nonce"] + ":"
			if asked["qop"] != "" {
				middle += got["nc"] + ":" + got["cnonce"] + ":" + got["qop"] + ":"
			}
			want := sum(sum(user+":"+asked["realm"]+":"+password) + middle + sum(string(req.Method)+":"+got["uri"]))
			if got["username"] == user && got["nonce"] == asked["nonce"] && got["response"] == want {
				return res
			}
		}
		res.StatusCode, res.Body = base.StatusUnauthorized, nil
		res.Header["WWW-Authenticate"] = base.HeaderValue{challenge}
		return res
	}
}

func TestLoginsThatCamerasAskFor(t *testing.T) {
	for name, challenge := range map[string]string{
		"MD5":              `Digest realm="cam", nonce="abc"`,
		"MD5 with qop":     `Digest realm="cam", nonce="abc", algorithm=MD5, qop="auth"`,
		"SHA-256":          `Digest realm="cam", nonce="abc", algorithm=SHA-256`,
		"SHA-256 with qop": `Digest realm="cam", nonce="abc", algorithm=SHA-256, qop="auth"`,
	} {
		t.Run(name, func(t *testing.T) {
			cam := (&oddCamera{answer: digestLogin(challenge)}).start(t)
			_, err := take(t, Config{URL: cam.url("admin:hunter2")}, 2)
			require.NoError(t, err)
			_, err = take(t, Config{URL: cam.url("admin:wrong")}, 1)
			require.ErrorIs(t, err, ErrCredentials)
		})
	}
}

// A login that cannot be answered rightly is not tried: cameras count bad ones.
func TestALoginThatProtectsTheBodyIsNotTried(t *testing.T) {
	cam := (&oddCamera{answer: digestLogin(`Digest realm="cam", nonce="abc", qop="auth-int"`)}).start(t)
	_, err := take(t, Config{URL: cam.url("admin:hunter2")}, 1)
	require.ErrorIs(t, err, ErrCredentials)
	require.ErrorContains(t, err, "login scheme not supported")
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok)
	require.False(t, e.LoginRefused)
	for _, r := range cam.requests(base.Describe) {
		require.Empty(t, r.Header["Authorization"])
	}
	cam = (&oddCamera{answer: digestLogin(`Digest realm="cam", nonce="abc"`)}).start(t)
	_, err = take(t, Config{URL: cam.url("admin:wrong")}, 1)
	e, ok = errors.AsType[*Error](err)
	require.True(t, ok)
	require.True(t, e.LoginRefused)
}

func TestBasicNeedsTLSOrPermission(t *testing.T) {
	login := func(req *base.Request, res *base.Response) *base.Response {
		if req.Method != base.Options && (len(req.Header["Authorization"]) == 0 || req.Header["Authorization"][0] != "Basic YWRtaW46aHVudGVyMg==") {
			res.StatusCode, res.Body = base.StatusUnauthorized, nil
			res.Header["WWW-Authenticate"] = base.HeaderValue{`Basic realm="cam"`}
		}
		return res
	}
	plain := (&oddCamera{answer: login}).start(t)
	_, err := take(t, Config{URL: plain.url("admin:hunter2")}, 1)
	require.ErrorIs(t, err, ErrCredentials)
	require.ErrorContains(t, err, "only Basic")
	for _, r := range plain.requests(base.Describe) {
		require.Empty(t, r.Header["Authorization"], "the password was sent in the clear")
	}
	_, err = take(t, Config{URL: plain.url("admin:hunter2"), AllowBasic: true}, 1)
	require.NoError(t, err)

	web, _, sha := webTLS(t)
	secure := (&oddCamera{answer: login, tls: web.TLS}).start(t)
	_, err = take(t, Config{URL: secure.url("admin:hunter2"), Trust: tlstrust.Trust{Fingerprint: sha}}, 1)
	require.NoError(t, err)
}
