package device

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/models/testenv"
	"scrim/transport"
	"scrim/transport/auth"
	"scrim/transport/fanout"
	"scrim/transport/onvif/soap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "vms"
	password = "correct-horse & battery"
)

// device returns a device with three cameras. The user may see two of them.
func device(t testing.TB, users ...auth.User) *Device {
	t.Helper()
	if users == nil {
		users = []auth.User{{Name: user, Password: password, Cameras: []string{"gate", "hall"}}}
	}
	control, err := auth.New(users, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	d, err := New(Options{
		Cameras: func() []transport.Status {
			var all []transport.Status
			for _, name := range []string{"gate", "hall", "vault"} {
				all = append(all, transport.Status{Camera: name, Width: 1920, Height: 1080, FPS: 24.9})
			}
			return all
		},
		Snapshot: func(_ context.Context, camera string) (*transport.Snapshot, error) {
			if camera != "gate" {
				return nil, fanout.ErrNoCamera
			}
			return &transport.Snapshot{Camera: camera, JPEG: []byte("picture of " + camera)}, nil
		},
		Access: control, StreamScheme: "rtsp", StreamPort: 8554, Site: "plant-1", Version: "1.2", Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return d
}

func serve(t *testing.T, d *Device) string {
	t.Helper()
	s := httptest.NewServer(d)
	t.Cleanup(func() {
		s.Client().CloseIdleConnections()
		http.DefaultClient.CloseIdleConnections()
		s.Close()
	})
	return s.URL
}

// ask calls an operation.
func ask(t *testing.T, base string, token *soap.Security, body string) (int, string) {
	t.Helper()
	var header any
	if token != nil {
		header = *token
	}
	data, err := soap.Envelope(header, struct {
		XMLName xml.Name `xml:"wrap"`
		Inner   string   `xml:",innerxml"`
	}{Inner: body})
	require.NoError(t, err)
	text := strings.NewReplacer("<wrap>", "", "</wrap>", "").Replace(string(data))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+servicePath, strings.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("Content-Type", soap.ContentType)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(answer)
}

func token(password string, at time.Time) *soap.Security {
	s := soap.NewSecurity(user, password, at)
	return &s
}

const (
	deviceNS = `xmlns="http://www.onvif.org/ver10/device/wsdl"`
	mediaNS  = `xmlns="http://www.onvif.org/ver10/media/wsdl"`
)

func TestWhatAVMSAsksWhenItAddsACamera(t *testing.T) {
	base := serve(t, device(t))
	host := strings.TrimPrefix(base, "http://")
	for _, c := range []struct {
		body   string
		public bool
		want   []string
	}{
		{"<GetSystemDateAndTime " + deviceNS + "/>", true, []string{"UTCDateTime", fmt.Sprintf("<Year>%d</Year>", time.Now().UTC().Year())}},
		{"<GetCapabilities " + deviceNS + "><Category>All</Category></GetCapabilities>", true, []string{base + mediaPath, "<RTP_RTSP_TCP>true"}},
		{"<GetServices " + deviceNS + "><IncludeCapability>false</IncludeCapability></GetServices>", true, []string{nsMedia, base + mediaPath}},
		{"<GetDeviceInformation " + deviceNS + "/>", false, []string{"<Manufacturer>Scrim<", "<SerialNumber>plant-1<", "<FirmwareVersion>1.2<"}},
		{"<GetProfiles " + mediaNS + "/>", false, []string{`token="gate"`, `token="hall"`, "<Width>1920<", "<FrameRateLimit>25<", "<Encoding>H264<"}},
		{"<GetVideoSources " + mediaNS + "/>", false, []string{`token="gate"`}},
		{"<GetStreamUri " + mediaNS + "><ProfileToken>gate</ProfileToken></GetStreamUri>", false, []string{"rtsp://127.0.0.1:8554/gate"}},
		{"<GetSnapshotUri " + mediaNS + "><ProfileToken>hall</ProfileToken></GetSnapshotUri>", false, []string{"http://" + host + "/onvif/snapshot/hall"}},
	} {
		if c.public {
			status, answer := ask(t, base, nil, c.body)
			require.Equal(t, http.StatusOK, status, answer)
		} else {
			status, answer := ask(t, base, nil, c.body)
			require.Equal(t, http.StatusUnauthorized, status)
			require.Contains(t, answer, "ter:NotAuthorized")
		}
		status, answer := ask(t, base, token(password, time.Now()), c.body)
		require.Equal(t, http.StatusOK, status, answer)
		for _, want := range c.want {
			require.Contains(t, answer, want)
		}
		require.NotContains(t, answer, "vault", "it is not for this user")
		_, err := soap.Parse([]byte(answer))
		require.NoError(t, err)
	}
}

func TestTokensAreTakenOnceAndInTime(t *testing.T) {
	base := serve(t, device(t))
	const body = "<GetProfiles " + mediaNS + "/>"
	once := token(password, time.Now())
	status, _ := ask(t, base, once, body)
	require.Equal(t, http.StatusOK, status)
	for name, bad := range map[string]*soap.Security{
		"used before":            once,
		"wrong user or password": token("guess", time.Now()),
		"time":                   token(password, time.Now().Add(-2*maxSkew)),
		"the token":              token(password, time.Now().Add(2*maxSkew)),
	} {
		status, answer := ask(t, base, bad, body)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, answer, "ter:NotAuthorized")
		require.Contains(t, answer, name)
	}
}

func TestProfilesOfOthersAreNotThere(t *testing.T) {
	base := serve(t, device(t))
	for _, profile := range []string{"vault", "absent", ""} {
		status, answer := ask(t, base, token(password, time.Now()), "<GetStreamUri "+mediaNS+"><ProfileToken>"+profile+"</ProfileToken></GetStreamUri>")
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, answer, "ter:NoProfile")
	}
	status, answer := ask(t, base, nil, "<Reboot/>")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, answer, "ter:ActionNotSupported")
}

// A recorder that asks for multicast and got the unicast URI would wait for packets
// that never come.
func TestMulticastIsRefusedAndUnicastIsNot(t *testing.T) {
	base := serve(t, device(t))
	for stream, want := range map[string]int{"RTP-Multicast": http.StatusBadRequest, "RTP-Unicast": http.StatusOK} {
		status, answer := ask(t, base, token(password, time.Now()), "<GetStreamUri "+mediaNS+"><StreamSetup>"+
			"<Stream xmlns='http://www.onvif.org/ver10/schema'>"+stream+"</Stream>"+
			"<Transport xmlns='http://www.onvif.org/ver10/schema'><Protocol>UDP</Protocol></Transport>"+
			"</StreamSetup><ProfileToken>gate</ProfileToken></GetStreamUri>")
		require.Equal(t, want, status, answer)
		require.Equal(t, want == http.StatusOK, strings.Contains(answer, "rtsp://127.0.0.1:8554/gate"))
		if want != http.StatusOK {
			require.Regexp(t, "ter:InvalidArgVal.*ter:InvalidStreamSetup", answer)
		}
	}
}

func TestHostileRequestsAreRefused(t *testing.T) {
	d := device(t)
	for name, body := range map[string]string{
		"entities": `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, "nothing": "", "text": "GetProfiles", "HTML": "<html/>",
		"no call": "<Envelope><Body></Body></Envelope>", "length": strings.Repeat("<a>", maxRequestBytes),
	} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodPost, servicePath, strings.NewReader(body)))
		require.GreaterOrEqual(t, w.Code, 400, name)
		require.Less(t, w.Code, 500, name)
	}
}

func TestWithoutUsersEverythingIsOpen(t *testing.T) {
	d := device(t, []auth.User{}...)
	control, err := auth.New(nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	d.o.Access = control
	status, answer := ask(t, serve(t, d), nil, "<GetProfiles "+mediaNS+"/>")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, answer, "vault")
}

// Recorders fetch the picture with the same user, by HTTP Digest, as curl does.
func TestSnapshotByDigest(t *testing.T) {
	curl := testenv.Path(t, testenv.Curl)
	base := serve(t, device(t))
	get := func(credentials, camera string) string {
		out, err := exec.CommandContext(t.Context(), curl, "-s", "--digest", "-u", credentials, "-w", " %{http_code}", base+"/onvif/snapshot/"+camera).Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	require.Equal(t, "picture of gate 200", get(user+":"+password, "gate"))
	require.Contains(t, get(user+":"+password, "vault"), "403")
	require.Contains(t, get(user+":"+password, "hall"), "404")
	require.Contains(t, get(user+":wrong", "gate"), "401")
}

func TestHostOfTheAnswerIsTheClientsOwn(t *testing.T) {
	for host, want := range map[string]string{
		"cams.example.org:8000": "cams.example.org", "192.0.2.1": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", `evil"><x:80`: "localhost", "": "localhost",
	} {
		r := httptest.NewRequest(http.MethodPost, servicePath, http.NoBody)
		r.Host = host
		require.Equal(t, want, hostOf(r), host)
	}
	c := call{host: "2001:db8::1"}
	require.Equal(t, "http://[2001:db8::1]/x", c.base("", "/x"))
	require.Equal(t, "http://[2001:db8::1]:81/x", c.base("81", "/x"))
}

func TestNoncesAreBounded(t *testing.T) {
	n := newNonces()
	now := time.Now()
	for i := range maxNonces {
		require.True(t, n.fresh(&soap.Security{Nonce: fmt.Sprint(i)}, now))
	}
	require.False(t, n.fresh(&soap.Security{Nonce: "one more"}, now), "none is forgotten while it could be used again")
	require.True(t, n.fresh(&soap.Security{Nonce: "one more"}, now.Add(3*maxSkew)))
}

func FuzzServe(f *testing.F) {
	d := device(f)
	for _, body := range []string{
		"<GetProfiles/>", "<GetStreamUri><ProfileToken>gate</ProfileToken></GetStreamUri>", "<GetSystemDateAndTime/>", "<GetServices/>", "<a", "",
	} {
		data, err := soap.Envelope(soap.NewSecurity(user, password, time.Now()), nil)
		require.NoError(f, err)
		f.Add([]byte(strings.Replace(string(data), "</s:Envelope>", "<s:Body>"+body+"</s:Body></s:Envelope>", 1)))
	}
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><Envelope><Body>&b;</Body></Envelope>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodPost, mediaPath, strings.NewReader(string(data))))
		if w.Code >= 500 {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		if _, err := soap.Parse(w.Body.Bytes()); err != nil {
			t.Fatalf("answer is not XML: %v", err)
		}
	})
}
