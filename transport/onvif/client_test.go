package onvif

import (
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport/auth/digest"
	"scrim/transport/onvif/onviftest"
	"scrim/transport/onvif/soap"
	"scrim/transport/tlstrust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func device() *onviftest.Device {
	return &onviftest.Device{
		Manufacturer: "Acme\n Cameras", Model: "A1", Firmware: "1.2", Serial: "42", User: "viewer", Password: "hunter2",
		Stream: "rtsp://admin:old@203.0.113.9:8554/live?x=1", Skew: 90 * time.Minute,
	}
}

func TestDeviceIsAskedWhoItIsAndWhereItsStreamsAre(t *testing.T) {
	for name, change := range map[string]func(*onviftest.Device){
		"WS-Security": func(*onviftest.Device) {},
		"HTTP digest": func(d *onviftest.Device) { d.HTTPDigest = true },
		"old":         func(d *onviftest.Device) { d.Old = true },
		"open":        func(d *onviftest.Device) { d.User = "" },
	} {
		t.Run(name, func(t *testing.T) {
			d := device()
			change(d)
			c := newClient(t, Config{Address: d.Start(t), User: "viewer", Password: "hunter2"})
			at, err := c.DateAndTime(t.Context())
			require.NoError(t, err)
			require.WithinDuration(t, time.Now().Add(d.Skew), at, time.Minute)
			info, err := c.Information(t.Context())
			require.NoError(t, err)
			require.Equal(t, Information{Manufacturer: "Acme Cameras", Model: "A1", Firmware: "1.2", Serial: "42"}, info)
			profiles, err := c.Profiles(t.Context())
			require.NoError(t, err)
			require.Equal(t, []Profile{{Token: "main", Name: "mainStream", Encoding: "H264", Width: 1920, Height: 1080, FPS: 25, Bitrate: 4096}}, profiles)
			uri, err := c.StreamURI(t.Context(), "main")
			require.NoError(t, err)
			require.Equal(t, "rtsp://127.0.0.1:8554/live?x=1", uri, "the host that was asked, and no user")
			require.Equal(t, d.User != "", c.protected)
		})
	}
}

func TestWrongCredentialsAreTriedOnce(t *testing.T) {
	for _, http := range []bool{false, true} {
		d := device()
		d.HTTPDigest = http
		c := newClient(t, Config{Address: d.Start(t), User: "guest", Password: "wrong"})
		for range 3 {
			_, err := c.Information(t.Context())
			require.ErrorIs(t, err, ErrCredentials)
			require.NotContains(t, err.Error(), "wrong")
			_, err = c.Profiles(t.Context())
			require.ErrorIs(t, err, ErrCredentials)
		}
		require.True(t, c.Refused())
		_, logins := d.Asked()
		require.Equal(t, 1, logins)
	}
}

func TestCredentialsAreNotShownUnlessAskedFor(t *testing.T) {
	d := device()
	d.User = ""
	c := newClient(t, Config{Address: d.Start(t), User: "viewer", Password: "hunter2"})
	_, err := c.Information(t.Context())
	require.NoError(t, err)
	_, logins := d.Asked()
	require.Zero(t, logins)
}

func TestWhatIsNoDeviceIsSaidToBeNone(t *testing.T) {
	for _, answer := range []string{
		"", "hello", "<html/>", "<!DOCTYPE a>", "<s:Envelope xmlns:s='" + soap.Namespace + "'><s:Body/></s:Envelope>",
		strings.Repeat("<a>", 1000),
	} {
		d := &onviftest.Device{Answer: func(string) string { return answer }}
		c := newClient(t, Config{Address: d.Start(t)})
		_, err := c.Information(t.Context())
		require.ErrorIs(t, err, ErrNotONVIF, answer)
		require.NotContains(t, err.Error(), "\n")
	}
	c := newClient(t, Config{Address: "http://127.0.0.1:1/"})
	_, err := c.Information(t.Context())
	require.ErrorIs(t, err, ErrUnreachable)
	for _, address := range []string{"", "rtsp://a/", "http://", "http://u:p@a/", ":"} {
		_, err := New(Config{Address: address})
		require.Error(t, err, address)
	}
}

func TestCertificateOfADeviceIsPinnedAsACamerasIs(t *testing.T) {
	d := device()
	address, certificate := d.StartTLS(t)
	sha := tlstrust.Fingerprint(certificate)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	for _, good := range []tlstrust.Trust{{Fingerprint: sha}, {CA: ca}} {
		c := newClient(t, Config{Address: address, User: "viewer", Password: "hunter2", Trust: good})
		_, err := c.DateAndTime(t.Context())
		require.NoError(t, err)
		profiles, err := c.Profiles(t.Context())
		require.NoError(t, err)
		require.Len(t, profiles, 1)
	}
	before, _ := d.Asked()
	for pinned, bad := range map[bool]tlstrust.Trust{false: {}, true: {Fingerprint: strings.Repeat("0a", 32), CA: ca}} {
		c := newClient(t, Config{Address: address, User: "viewer", Password: "hunter2", Trust: bad})
		_, err := c.Information(t.Context())
		require.ErrorIs(t, err, ErrCertificate)
		e, ok := errors.AsType[*CertificateError](err)
		require.True(t, ok)
		require.Equal(t, sha, e.Fingerprint)
		require.Equal(t, pinned, e.Pinned)
		require.NotContains(t, err.Error(), "\n")
	}
	asked, _ := d.Asked()
	require.Equal(t, before, asked, "nothing is asked of a stranger")
	_, err := New(Config{Address: address, Trust: tlstrust.Trust{Fingerprint: "AB"}})
	require.Error(t, err)
}

func TestOnlyTheHostThatWasAskedIsCalled(t *testing.T) {
	c := newClient(t, Config{Address: "http://192.0.2.10:8000/onvif/device_service"})
	for given, want := range map[string]string{
		"http://192.0.2.10/onvif/media":        "http://192.0.2.10/onvif/media",
		"http://192.0.2.99/onvif/media?a=b":    "http://192.0.2.10:8000/onvif/media?a=b",
		"http://169.254.169.254/latest":        "http://192.0.2.10:8000/latest",
		"http://user:pass@192.0.2.10:81/media": "http://192.0.2.10:81/media",
	} {
		require.Equal(t, want, c.at(given).String())
	}
	c = newClient(t, Config{Address: "https://192.0.2.10:8443/onvif/device_service"})
	for given, want := range map[string]string{
		"http://192.0.2.10/onvif/media":       "https://192.0.2.10:8443/onvif/media",
		"https://192.0.2.10:8444/onvif/media": "https://192.0.2.10:8444/onvif/media",
	} {
		require.Equal(t, want, c.at(given).String(), "what was asked by TLS is not asked in the clear")
	}
	for _, bad := range []string{"", "file:///etc/passwd", "media", "http://%zz/"} {
		require.Nil(t, c.at(bad), bad)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("<a><Manufacturer>x</Manufacturer></a>", "Digest realm=\"a\", nonce=b, qop=\"auth,auth-int\"")
	f.Add("<a><Profiles token='t'><VideoEncoderConfiguration><Resolution><Width>1e9</Width></Resolution></VideoEncoderConfiguration></Profiles></a>", "Digest ")
	f.Add("<a><MediaUri><Uri>rtsp://a:b@[::1]:1/%zz</Uri></MediaUri></a>", "Basic")
	f.Add("<!DOCTYPE x [<!ENTITY y 'z'>]><a>&y;</a>", "")
	f.Fuzz(func(t *testing.T, content, offered string) {
		d := &onviftest.Device{Answer: func(string) string {
			return "<s:Envelope xmlns:s='" + soap.Namespace + "'><s:Body>" + content + "</s:Body></s:Envelope>"
		}}
		if c := digest.Choose([]string{offered}); c != nil && !strings.Contains(offered, "hunter2") {
			require.NotContains(t, c.Answer("POST", "/", "u", "hunter2"), "hunter2")
		}
		c, err := New(Config{Address: "http://192.0.2.1/"})
		require.NoError(t, err)
		c.http.Transport = serve{d}
		_, _ = c.DateAndTime(t.Context())
		info, _ := c.Information(t.Context())
		require.NotContains(t, info.Manufacturer+info.Model, "\n")
		_, _ = c.Profiles(t.Context())
		if uri, err := c.StreamURI(t.Context(), "a"); err == nil {
			require.Regexp(t, `^rtsps?://192\.0\.2\.1[:/?]?`, uri)
		}
	})
}
