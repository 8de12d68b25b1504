package rtsp

import (
	"bytes"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"
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

func TestGreetingOverTLSShowsTheCertificateAndNoPassword(t *testing.T) {
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
	g, err := c.Greet(t.Context())
	require.NoError(t, err)
	require.Zero(t, d.logins)
	require.Equal(t, 401, g.Status)
	require.Equal(t, []Login{{Scheme: "Basic", Realm: "cam"}, {Scheme: "Digest SHA-256", Realm: "cam", QOP: true}, {Scheme: "Negotiate"}}, g.Logins)
	require.NotNil(t, g.TLS)
	require.Regexp(t, `^[0-9a-f]{64}$`, g.TLS.Fingerprint)
	require.NotEmpty(t, g.TLS.Problem, "nobody vouches for it")
	require.Contains(t, g.Methods, "DESCRIBE")

	// The survey, which would log in, wants to know whom it talks to.
	_, err = c.Survey(t.Context(), time.Second)
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "certificate")
	require.NotContains(t, err.Error(), "hunter2")
	require.Zero(t, d.logins)
}

func TestGreetingOfNoCameraIsAnError(t *testing.T) {
	web := httptest.NewServer(nil)
	defer web.Close()
	for _, scheme := range []string{"rtsp", "rtsps"} {
		c, err := NewClient(Config{Camera: "hall", URL: scheme + "://" + web.Listener.Addr().String() + "/", ReadTimeout: 2 * time.Second})
		require.NoError(t, err)
		_, err = c.Greet(t.Context())
		var e *Error
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Advice)
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
