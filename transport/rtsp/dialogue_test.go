package rtsp

import (
	"context"
	"crypto/md5" //nolint:gosec // what cameras ask for
	"crypto/sha256"
	"fmt"
	"net"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/ipv4"

	"scrim/transport"
)

// webTLS returns a certificate that nobody vouches for, as PEM and fingerprint.
func webTLS(t *testing.T) (server *httptest.Server, pem, sha string) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	return web, certificatePEM(web.Certificate().Raw), fingerprint(web.Certificate())
}

func TestCertificatesThatAreTrusted(t *testing.T) {
	web, ca, sha := webTLS(t)
	cam := (&oddCamera{tls: web.TLS}).start(t)
	for name, tt := range map[string]struct {
		trust Trust
		short string // what viewers are told; empty: it works
	}{
		"pinned":              {Trust{Fingerprint: sha}, ""},
		"authority":           {Trust{CA: ca}, ""},
		"the pin counts more": {Trust{Fingerprint: strings.Repeat("0", 64), CA: ca}, "another certificate"},
		"nobody":              {Trust{}, "certificate not trusted"},
		"another authority":   {Trust{CA: otherAuthority}, "certificate not trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			units, err := take(t, Config{URL: cam.url("admin:hunter2"), Trust: tt.trust}, 3)
			if tt.short == "" {
				require.NoError(t, err)
				require.Equal(t, "connected", units[0].Discontinuity)
				return
			}
			require.ErrorIs(t, err, ErrUnreachable)
			require.Equal(t, tt.short, err.(*Error).Public()) //nolint:errorlint,forcetypeassert // of this package
			require.Contains(t, err.Error(), "tls.fingerprint")
		})
	}
	for _, bad := range []Trust{{Fingerprint: "AB"}, {Fingerprint: strings.ToUpper(sha)}, {CA: "x"}} {
		require.ErrorIs(t, Config{Camera: "odd", URL: cam.url(""), Trust: bad}.Check(), ErrConfig)
	}
	same, err := NormalFingerprint("SHA256:" + strings.ToUpper(regexp.MustCompile(`..`).ReplaceAllString(sha, "$0:")[:95]))
	require.NoError(t, err)
	require.Equal(t, sha, same)
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
	_, err = take(t, Config{URL: secure.url("admin:hunter2"), Trust: Trust{Fingerprint: sha}}, 1)
	require.NoError(t, err)
}

func TestKeepAliveIsWhatTheCameraKnows(t *testing.T) {
	for method, public := range map[base.Method]string{
		base.GetParameter: "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER",
		base.Options:      "OPTIONS, DESCRIBE, SETUP, PLAY",
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			cam := (&oddCamera{answer: func(req *base.Request, res *base.Response) *base.Response {
				switch req.Method {
				case base.Options:
					res.Header["Public"] = base.HeaderValue{public}
				case base.Setup:
					res.Header["Session"] = base.HeaderValue{"12345678;timeout=1"}
				}
				if len(req.Header["Session"]) > 0 && req.Method == method {
					res.StatusCode = base.StatusNotImplemented // it keeps the session all the same
				}
				return res
			}}).start(t)
			c, err := NewClient(Config{Camera: "odd", URL: cam.url("")})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- c.Run(ctx, func(transport.CameraUnit) {}) }()
			var alive []*base.Request
			for n := 1; len(alive) < 2; n++ {
				alive = nil
				for _, r := range cam.await(method, n) {
					if len(r.Header["Session"]) > 0 {
						alive = append(alive, r)
					}
				}
			}
			require.Equal(t, base.HeaderValue{"12345678"}, alive[1].Header["Session"])
			require.Len(t, cam.requests(base.Play), 1, "the answer ended nothing")
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
		})
	}
}

func TestRedirectsStayAtTheirHost(t *testing.T) {
	web, _, _ := webTLS(t)
	target := (&oddCamera{answer: digestLogin(`Digest realm="cam", nonce="abc"`)}).start(t)
	to := func(location string) *oddCamera {
		return (&oddCamera{answer: func(req *base.Request, res *base.Response) *base.Response {
			if req.Method == base.Describe {
				res.StatusCode, res.Body = base.StatusFound, nil
				res.Header["Location"] = base.HeaderValue{location}
			}
			return res
		}}).start(t)
	}
	_, err := take(t, Config{URL: to(target.url("")).url("admin:hunter2")}, 2)
	require.NoError(t, err, "another port of the same host, with the credentials")

	elsewhere := strings.Replace(target.url(""), "127.0.0.1", "127.0.0.2", 1)
	before := len(target.requests(base.Describe))
	for _, location := range []string{elsewhere, "http://127.0.0.1/", "file:///etc/passwd", ""} {
		_, err = take(t, Config{URL: to(location).url("admin:hunter2")}, 1)
		require.ErrorIs(t, err, ErrProtocol, location)
	}
	require.Len(t, target.requests(base.Describe), before, "nobody went elsewhere")

	// In a circle, and from TLS to plain.
	var circle *oddCamera
	circle = (&oddCamera{answer: func(req *base.Request, res *base.Response) *base.Response {
		if req.Method == base.Describe {
			res.StatusCode, res.Body = base.StatusMovedPermanently, nil
			res.Header["Location"] = base.HeaderValue{circle.url("")}
		}
		return res
	}}).start(t)
	_, err = take(t, Config{URL: circle.url("")}, 1)
	require.ErrorIs(t, err, ErrProtocol)
	require.Len(t, circle.requests(base.Describe), 1+maxRedirects)
	down := &oddCamera{tls: web.TLS, answer: to(target.url("")).answer}
	_, err = take(t, Config{URL: down.start(t).url("admin:hunter2"), Trust: Trust{Fingerprint: fingerprint(web.Certificate())}}, 1)
	require.ErrorIs(t, err, ErrProtocol)
}

// What a camera announces of multicast groups is not followed: others in the
// network would get the raw video.
func TestMulticastIsJoinedOnlyWhereItIsAskedFor(t *testing.T) {
	cam := (&oddCamera{sdp: strings.Replace(usualSDP, "t=0 0\r\n", "c=IN IP4 239.1.2.3/32\r\nt=0 0\r\n", 1)}).start(t)
	_, err := take(t, Config{URL: cam.url("")}, 2)
	require.NoError(t, err)
	require.Regexp(t, `unicast`, cam.requests(base.Setup)[0].Header["Transport"][0])

	group := (&oddCamera{answer: func(req *base.Request, res *base.Response) *base.Response {
		if req.Method == base.Setup {
			res.Header["Transport"] = base.HeaderValue{"RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001;ttl=1"}
		}
		return res
	}}).start(t)
	for transport, want := range map[Transport]string{
		TransportTCP: "refuses TCP", TransportUDP: "multicast, which is not asked for", TransportAuto: "multicast, which is not asked for",
	} {
		_, err = take(t, Config{URL: group.url(""), Transport: transport}, 1)
		require.ErrorIs(t, err, ErrProtocol, transport)
		require.ErrorContains(t, err, want, transport)
	}
}

// groupPort returns a port of this machine's that nobody uses, even, with a socket
// from which a camera sends.
func groupPort(t *testing.T) (int, *net.UDPConn) {
	t.Helper()
	for {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		require.NoError(t, err)
		if port := c.LocalAddr().(*net.UDPAddr).Port; port%2 == 0 {
			t.Cleanup(func() { _ = c.Close() })
			return port, c
		}
		_ = c.Close()
	}
}

func TestMulticast(t *testing.T) {
	port, out := groupPort(t)
	lo := ipv4.NewPacketConn(out)
	loopback, err := net.InterfaceByName("lo")
	if err == nil {
		err = lo.SetMulticastInterface(loopback)
	}
	if err != nil {
		t.Skipf("no multicast here: %v", err)
	}
	const group = "239.7.7.7"
	setup := func(transport string) *oddCamera {
		return (&oddCamera{
			answer: func(req *base.Request, res *base.Response) *base.Response {
				if req.Method == base.Setup {
					res.Header["Transport"] = base.HeaderValue{transport}
				}
				return res
			},
			send: func(c *oddConn) {
				to := &net.UDPAddr{IP: net.ParseIP(group), Port: port}
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for seq := uint16(0); ; seq++ { // key frames only: who joins late gets one, too
					for _, p := range packets(3*seq, 3000*uint32(seq), testSPS, testPPS, []byte{0x65, 0x88, 1, 2, 3}) {
						b, err := p.Marshal()
						if err == nil {
							_, _ = out.WriteTo(b, to)
						}
					}
					select {
					case <-tick.C:
					case <-c.ctx.Done():
						return
					}
				}
			},
		}).start(t)
	}
	cam := setup(fmt.Sprintf("RTP/AVP;multicast;destination=%s;source=192.0.2.99;port=%d-%d;ttl=1", group, port, port+1))
	units, err := take(t, Config{URL: cam.url(""), Transport: TransportMulticast}, 5)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(units[0].Data), string(annexB(testSPS, testPPS))))
	require.Contains(t, cam.requests(base.Setup)[0].Header["Transport"][0], "multicast")

	for header, want := range map[string]string{
		"RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001":                   "no multicast",
		fmt.Sprintf("RTP/AVP;multicast;destination=127.0.0.1;port=%d-%d", port, port+1): "no multicast",
		fmt.Sprintf("RTP/AVP;multicast;port=%d-%d", port, port+1):                       "no multicast",
	} {
		_, err = take(t, Config{URL: setup(header).url(""), Transport: TransportMulticast}, 1)
		require.ErrorIs(t, err, ErrProtocol, header)
		require.ErrorContains(t, err, want, header)
	}
}

// Tracks besides the video are neither set up nor do their packets disturb it.
func TestOtherTracksAreLeftAlone(t *testing.T) {
	cam := (&oddCamera{
		sdp: usualSession +
			"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/nonsense\r\na=fmtp:97 config=zz\r\na=control:trackID=0\r\n" +
			"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:trackID=2\r\n" +
			usualTrack +
			"m=audio 0 RTP/AVP 0\r\na=sendonly\r\na=control:trackID=3\r\n",
		send: func(c *oddConn) {
			c.write(&base.InterleavedFrame{Channel: 7, Payload: []byte("of a track that nobody asked for")})
			pictures(c)
		},
	}).start(t)
	units, err := take(t, Config{URL: cam.url("")}, 5)
	require.NoError(t, err)
	for _, u := range units[1:] {
		require.Empty(t, u.Discontinuity)
	}
	setup := cam.requests(base.Setup)
	require.Len(t, setup, 1)
	require.Contains(t, setup[0].URL.String(), "trackID=1")
	require.NotContains(t, fmt.Sprint(cam.seen), "backchannel")
}

// Parameter sets are only in the stream, several NAL units lie in one packet
// (STAP-A), sequence numbers and timestamps wrap: nothing of it is a loss.
func TestUsualOdditiesOfPacketsAreNoLoss(t *testing.T) {
	stap := func(nalus ...[]byte) []byte {
		b := []byte{24}
		for _, n := range nalus {
			b = append(append(b, byte(len(n)>>8), byte(len(n))), n...)
		}
		return b
	}
	cam := (&oddCamera{send: func(c *oddConn) {
		seq, ts := uint16(0xfff0), uint32(0xffff_0000)
		for n := range 60 {
			var pkts []*rtp.Packet
			if n%30 == 0 {
				pkts = packets(seq, ts, stap(testSPS, testPPS), []byte{0x65, 0x88, 1, 2, 3})
			} else {
				pkts = packets(seq, ts, stap([]byte{0x41, 0x9a, 1}))
			}
			c.rtp(pkts...)
			seq, ts = seq+uint16(len(pkts)), ts+3000 //nolint:gosec // few
		}
		<-c.ctx.Done()
	}}).start(t)
	units, err := take(t, Config{URL: cam.url("")}, 55)
	require.NoError(t, err)
	require.Equal(t, "connected", units[0].Discontinuity)
	require.True(t, strings.HasPrefix(string(units[0].Data), string(annexB(testSPS, testPPS))))
	for i, u := range units[1:] {
		require.Empty(t, u.Discontinuity)
		require.Equal(t, units[i].PTS+3000, u.PTS)
		require.WithinDuration(t, u.Arrived, u.Captured, time.Second, "without a sender report it is the arrival")
	}
}
