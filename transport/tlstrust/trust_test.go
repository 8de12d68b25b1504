package tlstrust

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCertificatesThatAreAccepted(t *testing.T) {
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	defer web.Close()
	sha := Fingerprint(web.Certificate())
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}))
	for name, c := range map[string]struct {
		trust  Trust
		reason string // empty: it is taken
		pinned bool
	}{
		"pinned":              {Trust{Fingerprint: sha}, "", false},
		"authority":           {Trust{CA: ca}, "", false},
		"nobody":              {Trust{}, "unknown authority", false},
		"the pin counts more": {Trust{Fingerprint: strings.Repeat("0", 64), CA: ca}, "not the pinned one", true},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.trust.Check())
			hc := &http.Client{Transport: &http.Transport{TLSClientConfig: c.trust.ClientConfig("127.0.0.1")}}
			defer hc.CloseIdleConnections()
			res, err := hc.Get(web.URL)
			if c.reason == "" {
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				require.NoError(t, c.trust.Verify(*res.TLS, "127.0.0.1"))
				return
			}
			r := Refused(err)
			require.NotNil(t, r, "%v", err)
			require.Contains(t, r.Reason, c.reason)
			require.Equal(t, sha, r.Fingerprint)
			require.Equal(t, c.pinned, r.Pinned)
			// The greeting takes any certificate, and says what is wrong with it.
			hc.Transport = web.Client().Transport
			res, err = hc.Get(web.URL)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.ErrorContains(t, c.trust.Verify(*res.TLS, "127.0.0.1"), c.reason)
		})
	}
	require.Nil(t, Refused(errors.New("no TLS")))
	require.Nil(t, Refused(nil))
}

func TestFingerprintsAreTakenAsOthersWriteThem(t *testing.T) {
	sha := strings.Repeat("0a", 32)
	same, err := ParseFingerprint("SHA256:" + strings.ToUpper(regexp.MustCompile(`..`).ReplaceAllString(sha, "$0:")[:95]))
	require.NoError(t, err)
	require.Equal(t, sha, same)
	for _, bad := range []Trust{{Fingerprint: "AB"}, {Fingerprint: strings.ToUpper(sha)}, {CA: "x"}} {
		require.Error(t, bad.Check())
	}
}
