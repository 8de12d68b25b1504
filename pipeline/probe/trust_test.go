package probe

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"

	"scrim/pipeline/simcam"
	"scrim/transport"
	"scrim/transport/auth"
	"scrim/transport/onvif/device"
	"scrim/transport/onvif/onviftest"
	"scrim/transport/tlstrust"
)

var otherPin = strings.Repeat("0a", 32)

// advises returns all advice and the configuration of a report.
func (r *Report) advises() string {
	text := r.YAML
	for _, p := range r.Problems {
		text += p.Do + "\n"
	}
	return text
}

func TestCertificateOtherThanThePinnedOneIsNotRecommended(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	sha := tlstrust.Fingerprint(web.Certificate())
	logins := 0
	u := listen(t, &gortsplib.Server{TLSConfig: web.TLS, Handler: odd{func(req *base.Request) *base.Response {
		logins += len(req.Header["Authorization"])
		return &base.Response{StatusCode: base.StatusUnauthorized, Header: base.Header{"WWW-Authenticate": {`Digest realm="x", nonce="abc"`}}}
	}}})
	u = "rtsps" + strings.TrimPrefix(u, "rtsp") + "/stream"
	d := &onviftest.Device{User: user, Password: password}
	for _, who := range []string{user, ""} {
		o := Options{Target: u, User: who, Password: password, Trust: tlstrust.Trust{Fingerprint: otherPin}, ONVIF: d.Start(t)}
		r := run(t, o)
		require.True(t, r.Failed())
		require.True(t, r.has("which is not the pinned one"))
		require.Equal(t, sha, r.TLS.Fingerprint, "the received one is reported")
		require.NotContains(t, r.advises(), sha)
		require.Contains(t, r.advises(), "a man in the middle")
		require.Len(t, r.Problems, 1)
	}
	asked, _ := d.Asked()
	require.Empty(t, asked, "no request after a wrong certificate")
	// Without a pin, or with the right one, there is no suspicion.
	r := run(t, Options{Target: u, User: user, Password: password, ONVIF: NoONVIF})
	require.True(t, r.Failed())
	require.Contains(t, r.advises(), "probe again with --fingerprint "+sha)
	require.Zero(t, logins, "no password for a certificate that is not trusted")
	r = run(t, Options{Target: u, User: user, Password: password, Trust: tlstrust.Trust{Fingerprint: sha}, ONVIF: NoONVIF})
	require.Equal(t, loginRefused, r.Login)
	require.NotContains(t, r.advises(), "certificate")
}

// ownDevice starts Scrim's ONVIF device with TLS.
func ownDevice(t *testing.T, stream string) (service, sha, ca string) {
	t.Helper()
	u, err := url.Parse(stream)
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(u.Host)
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	control, err := auth.New([]auth.User{{Name: user, Password: password}}, log)
	require.NoError(t, err)
	d, err := device.New(device.Options{
		Cameras: func() []transport.Status {
			return []transport.Status{{Camera: strings.TrimPrefix(u.Path, "/"), Width: 320, Height: 180}}
		},
		Snapshot: func(context.Context, string) (*transport.Snapshot, error) { return nil, context.Canceled },
		Access:   control, StreamScheme: "rtsp", StreamPort: n, Site: "a", Version: "1", Log: log,
	})
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(d)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return s.URL + devicePath, tlstrust.Fingerprint(s.Certificate()), ca
}

func TestONVIFOverHTTPSIsTrustedLikeRTSPS(t *testing.T) {
	t.Parallel()
	cam := camera(t, simcam.Options{User: user, Password: password, Path: "hall"})
	service, sha, ca := ownDevice(t, cam.URL())
	options := func(host bool, tr tlstrust.Trust) Options {
		o := Options{Target: cam.URL(), User: user, Password: password, For: 500 * time.Millisecond, ONVIF: service, Trust: tr}
		if host {
			o.Target = hostOf(t, cam.URL())
		}
		return o
	}
	for _, tr := range []tlstrust.Trust{{Fingerprint: sha}, {CA: ca}} {
		r := run(t, options(true, tr))
		require.False(t, r.Failed(), "%v", r.Problems)
		require.Equal(t, "Scrim", r.Device.Manufacturer)
		require.Equal(t, cam.URL(), r.URL, "ONVIF knows the path")
		require.NotNil(t, r.Stream)
	}

	r := run(t, options(false, tlstrust.Trust{}))
	require.False(t, r.Failed(), "the stream works: %v", r.Problems)
	require.Nil(t, r.Device)
	require.True(t, r.has("its certificate is not trusted"), "%v", r.Problems)
	require.True(t, r.has("its SHA-256 is "+sha))
	require.False(t, r.has("no ONVIF device"))
	require.Contains(t, r.advises(), "probe again with --fingerprint "+sha)

	for _, host := range []bool{false, true} {
		r = run(t, options(host, tlstrust.Trust{Fingerprint: otherPin, CA: ca}))
		require.True(t, r.Failed())
		require.True(t, r.has("which is not the pinned one"), "%v", r.Problems)
		require.NotContains(t, r.advises(), sha)
		require.Equal(t, host, r.Stream == nil, "no request without the pinned certificate")
	}

	// The certificate is reported even if nothing else answers.
	o := options(true, tlstrust.Trust{})
	o.Target = net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
	r = run(t, o)
	require.True(t, r.Failed())
	require.True(t, r.has(sha))
}

func TestSuggestedConfigurationHasTheTrustedCertificate(t *testing.T) {
	for want, o := range map[string]Options{
		"    tls: {fingerprint: \"" + otherPin + "\"}\n": {Trust: tlstrust.Trust{Fingerprint: otherPin}, CAFile: "/etc/ca.pem"},
		"    tls: {ca: \"/etc/ca.pem\"}\n":               {Trust: tlstrust.Trust{CA: "x"}, CAFile: "/etc/ca.pem"},
	} {
		o.Name = "hall"
		p := &prober{o: o, r: &Report{URL: "rtsps://192.0.2.1/", Open: true}}
		require.Contains(t, p.yaml(), want)
		p.r.URL = "rtsp://192.0.2.1/"
		require.NotContains(t, p.yaml(), "tls", "it is for TLS only")
	}
}

func TestReasonWithoutYAMLIsInTheJSON(t *testing.T) {
	web := httptest.NewServer(nil)
	defer web.Close()
	r := run(t, Options{Target: "rtsp://" + web.Listener.Addr().String() + "/", ONVIF: NoONVIF})
	require.True(t, r.has("speaks HTTP, not RTSP"), "%v", r.Problems)
	require.Contains(t, r.advises(), "usually 554")
	data, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(data), `"no_yaml":"no configuration for scrim.yaml`)
	require.NotContains(t, string(data), `"yaml"`)
}
