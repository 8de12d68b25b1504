package rtsp

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport/tlstrust"

	"scrim/transport"
)

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
	_, err = take(t, Config{URL: down.start(t).url("admin:hunter2"), Trust: tlstrust.Trust{Fingerprint: tlstrust.Fingerprint(web.Certificate())}}, 1)
	require.ErrorIs(t, err, ErrProtocol)
}

// Other tracks are not set up, and their packets do not disturb the video.
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
		require.Empty(t, u.Gap.Kind)
	}
	setup := cam.requests(base.Setup)
	require.Len(t, setup, 1)
	require.Contains(t, setup[0].URL.String(), "trackID=1")
	require.NotContains(t, fmt.Sprint(cam.requests("")), "backchannel")
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
	require.Equal(t, "connected", units[0].Gap.Text)
	require.True(t, strings.HasPrefix(string(units[0].Data), string(annexB(testSPS, testPPS))))
	for i, u := range units[1:] {
		require.Empty(t, u.Gap.Kind)
		require.Equal(t, units[i].PTS+3000, u.PTS)
		require.WithinDuration(t, u.Arrived, u.Captured, time.Second, "without a sender report it is the arrival")
	}
}
