package rtsp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// doorkeeper lets nobody in.
type doorkeeper struct{ logins int }

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (d *doorkeeper) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	d.logins += len(ctx.Request.Header["Authorization"])
	return &base.Response{StatusCode: base.StatusUnauthorized, Header: base.Header{"WWW-Authenticate": {
		`Basic realm="cam"`, `DIGEST realm="cam", nonce="a", algorithm=SHA-256, qop="auth"`, `Negotiate`,
	}}}, nil, nil
}

func TestDescribeOverTLSShowsTheCertificateAndNoPassword(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &doorkeeper{}
	s := &gortsplib.Server{
		Handler: d, RTSPAddress: ln.Addr().String(), TLSConfig: web.TLS,
		Listen: func(string, string) (net.Listener, error) { return ln, nil },
	}
	require.NoError(t, s.Start())
	defer s.Close()
	c, err := NewClient(Config{Camera: "hall", URL: "rtsps://u:hunter2@" + s.RTSPAddress + "/x", ReadTimeout: 10 * time.Second})
	require.NoError(t, err)
	g, err := c.Describe(t.Context())
	require.NoError(t, err)
	require.Zero(t, d.logins)
	require.Equal(t, 401, g.Status)
	require.Equal(t, []Login{{Scheme: "Basic", Realm: "cam"}, {Scheme: "Digest SHA-256", Realm: "cam", QOP: true}, {Scheme: "Negotiate"}}, g.Logins)
	require.NotNil(t, g.TLS)
	require.Regexp(t, `^[0-9a-f]{64}$`, g.TLS.Fingerprint)
	require.NotEmpty(t, g.TLS.Problem, "nobody vouches for it")
	require.Contains(t, g.Methods, "DESCRIBE")

	// The survey, which would log in, wants to know whom it talks to.
	_, err = c.Analyze(t.Context(), time.Second, nil)
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "certificate")
	require.NotContains(t, err.Error(), "hunter2")
	require.Zero(t, d.logins)
}

func TestDescribeOfAnotherServerIsAnError(t *testing.T) {
	web := httptest.NewServer(nil)
	defer web.Close()
	c, err := NewClient(Config{Camera: "hall", URL: "rtsps://" + web.Listener.Addr().String() + "/", ReadTimeout: 2 * time.Second})
	require.NoError(t, err)
	_, err = c.Describe(t.Context())
	require.ErrorContains(t, err, "no TLS on this port")
}

// say answers every connection with the same, and then waits for the other's end.
func say(t *testing.T, answer string) (u string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				_, _ = io.WriteString(conn, answer)
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); conns.Wait() })
	return "rtsp://" + ln.Addr().String() + "/x"
}

func TestWhatDoesNotSpeakRTSPIsNamedInWords(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(nil)
	t.Cleanup(web.Close)
	for name, tt := range map[string]struct{ url, want string }{
		"web server":           {"rtsp://" + web.Listener.Addr().String() + "/", "speaks HTTP, not RTSP"},
		"HTTP that stays open": {say(t, "HTTP/1.1 400 Bad Request\r\n\r\n"), "speaks HTTP, not RTSP"},
		"HTML":                 {say(t, "<html>400 Bad Request</html>"), "speaks another protocol, not RTSP"},
		"SSH":                  {say(t, "SSH-2.0-OpenSSH_9.7\r\n"), "speaks another protocol, not RTSP"},
		"garbage":              {say(t, "\x00\x01\x02\x03\xff"), "speaks another protocol, not RTSP"},
		"an alert of TLS":      {say(t, "\x15\x03\x01\x00\x02\x02\x46"), "speaks another protocol, not RTSP"},
		"RTSP that is broken":  {say(t, "RTSP/1.0 many\r\n\r\n"), "check that this is the camera's RTSP port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := NewClient(Config{Camera: "hall", URL: tt.url, ReadTimeout: time.Second})
			require.NoError(t, err)
			_, info := c.Describe(t.Context())
			run := c.Run(t.Context(), func(transport.CameraUnit) {})
			for _, err := range []error{info, run} {
				e, ok := errors.AsType[*Error](err)
				require.True(t, ok, "%v", err)
				require.ErrorIs(t, e, ErrProtocol)
				require.NotRegexp(t, `\[\d+ \d+`, e.Error(), "bytes as numbers")
				require.Contains(t, e.Error(), tt.want)
				if e.Public() == "no RTSP" {
					require.Contains(t, e.Error(), "the server at port "+c.url.Port())
					require.Contains(t, e.Advice, "usually 554")
				}
			}
		})
	}
}

func TestTracksOfOddDescriptionsAreListed(t *testing.T) {
	body := []byte("v=0\r\nc=IN \r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-sps=QgEB; sprop-pps=RAHA\r\na=control:trackID=1\r\n" +
		"m=audio 0 RTP/AVP 0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/8000\r\na=sendonly\r\n" +
		"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\nm=\r\n")
	require.Equal(t, []Track{
		{Kind: "video", Codec: "H265"}, {Kind: "audio", Codec: "PCMU"}, {Kind: "back channel", Codec: "MPEG4-GENERIC"},
		{Kind: "application", Codec: "VND.ONVIF.METADATA"},
	}, readTracks(body))
	sdp, codec := describeOther(bytes.ReplaceAll(body, []byte("H265"), []byte("AV1")))
	require.Equal(t, "AV1", codec)
	require.Contains(t, string(sdp), "a=control:trackID=1\r\na=rtpmap:96 SCRIM/90000\r\n")
	require.NotContains(t, string(sdp), "audio")
	sdp, _ = describeOther([]byte("m=audio 0 RTP/AVP 0\r\n"))
	require.Nil(t, sdp)
}

func FuzzTracks(f *testing.F) {
	f.Add([]byte("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-sps=QgEB\r\n"))
	f.Add([]byte("m=video 0 RTP/AVP 96\r\na=rtpmap:96 \x01/90000\r\n")) // a name of nothing that can be printed
	f.Add([]byte("m=video 0 smart/1/90000\r\na=rtpmap:26 JPEG/90000\r\na=control:%zz\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		require.LessOrEqual(t, len(readTracks(body)), maxTracks)
		if sdp, codec := describeOther(body); sdp != nil {
			require.NotEmpty(t, codec)
		}
	})
}
