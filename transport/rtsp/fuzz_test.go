package rtsp

import (
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"
)

// FuzzResponse takes the headers of a camera's answers: where it sends the client,
// what it calls the session, where packets are to come from.
func FuzzResponse(f *testing.F) {
	f.Add("rtsp://camera/other", "12;timeout=60", "RTP/AVP;unicast;source=192.0.2.9;client_port=1-2", "rtsp://camera/", 302)
	f.Add("rtsps://elsewhere/", "a;timeout=99999999999", "RTP/AVP/TCP;interleaved=0-1; Source = x", "/live", 200)
	f.Add("http://camera:80/\r\n", ";", ";;", "rtsp:%zz", 401)
	f.Add("rtsp://user:secret@camera:99999/", "", "SOURCE=1;source=2", "rtsp", 0)
	f.Add("", "", "RTP/AVP;unicast;source=192.0.2.9", "", 461)
	f.Fuzz(func(t *testing.T, location, id, transports, contentBase string, code int) {
		c, err := NewClient(Config{Camera: "door", URL: "rtsp://u:hunter2@camera/stream"})
		require.NoError(t, err)
		s := newSession(c, c.url, TransportTCP, nil)
		res := &base.Response{StatusCode: base.StatusCode(code), Header: base.Header{ //nolint:gosec // any number
			"Location": {location}, "Session": {id}, "Transport": {transports}, "Content-Base": {contentBase},
		}}
		for _, s.method = range []base.Method{base.Describe, base.Setup} {
			s.onResponse(res)
		}
		if s.redirect != nil {
			require.True(t, strings.EqualFold("camera", s.redirect.Hostname()), s.redirect.Host)
			require.Contains(t, []string{"rtsp", "rtsps"}, s.redirect.Scheme)
		}
		for part := range strings.SplitSeq(res.Header["Transport"][0], ";") {
			require.False(t, strings.HasPrefix(strings.ToLower(strings.TrimSpace(part)), "source="), part)
		}
		require.NotContains(t, s.explain(errSilent).Reason, "hunter2")
	})
}
