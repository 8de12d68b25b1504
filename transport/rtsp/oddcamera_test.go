package rtsp

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/conn"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// oddCamera is an RTSP server whose answers a test can bend, each as some camera
// gives it.
type oddCamera struct {
	t  *testing.T
	ln net.Listener
	// tls makes it rtsps.
	tls *tls.Config
	// answer, if set, may change an answer before it is sent, or return nil to send
	// none.
	answer func(req *base.Request, res *base.Response) *base.Response
	// sdp is the description's text.
	sdp string
	// send is called after PLAY, and sends what it likes.
	send func(c *oddConn)

	wg   sync.WaitGroup
	mu   sync.Mutex
	seen []*base.Request
	news chan struct{}
}

// oddConn is one connection of it.
type oddConn struct {
	mu sync.Mutex
	*conn.Conn
	ctx context.Context
}

// channel is what the camera sends RTP on.
const channel = 0

// write sends one thing.
func (c *oddConn) write(what any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch what := what.(type) {
	case *base.Response:
		_ = c.WriteResponse(what)
	case *base.InterleavedFrame:
		_ = c.WriteInterleavedFrame(what, make([]byte, 4+len(what.Payload)))
	}
}

// rtp sends packets.
func (c *oddConn) rtp(pkts ...*rtp.Packet) {
	for _, p := range pkts {
		b, err := p.Marshal()
		if err == nil {
			c.write(&base.InterleavedFrame{Channel: channel, Payload: b})
		}
	}
}

// usualSDP is what a camera says of its video.
const (
	usualSDP     = usualSession + usualTrack
	usualSession = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"
	usualTrack   = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:trackID=1\r\n"
)

// pictures sends a key frame and pictures after it, until the connection ends.
func pictures(c *oddConn) {
	c.rtp(packets(0, 0, testSPS, testPPS, []byte{0x65, 0x88, 1, 2, 3})...)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := uint16(1); ; n++ {
		select {
		case <-tick.C:
			c.rtp(packets(2+n, 3000*uint32(n), []byte{0x41, 0x9a, 1})...)
		case <-c.ctx.Done():
			return
		}
	}
}

// start lets it listen; it ends with the test.
func (o *oddCamera) start(t *testing.T) *oddCamera {
	t.Helper()
	var err error
	o.t, o.news = t, make(chan struct{}, 1000)
	o.ln, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if o.tls != nil {
		o.ln = tls.NewListener(o.ln, o.tls)
	}
	if o.sdp == "" {
		o.sdp = usualSDP
	}
	if o.send == nil {
		o.send = pictures
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.wg.Go(func() {
		for {
			c, err := o.ln.Accept()
			if err != nil {
				return
			}
			o.wg.Go(func() { o.serve(ctx, c) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = o.ln.Close()
		o.wg.Wait()
	})
	return o
}

func (o *oddCamera) serve(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { _ = nc.Close() })()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &oddConn{Conn: conn.NewConn(nc), ctx: ctx}
	var sending sync.WaitGroup
	defer sending.Wait()
	defer cancel()
	for {
		what, err := c.Read()
		if err != nil {
			return
		}
		req, ok := what.(*base.Request)
		if !ok {
			continue // its receiver reports
		}
		o.mu.Lock()
		o.seen = append(o.seen, req)
		o.mu.Unlock()
		o.news <- struct{}{}
		res := o.usual(req)
		if o.answer != nil {
			res = o.answer(req, res)
		}
		if res == nil {
			continue
		}
		c.write(res)
		if req.Method == base.Play && res.StatusCode == base.StatusOK {
			sending.Go(func() { o.send(c) })
		}
	}
}

// usual is what most cameras answer.
func (o *oddCamera) usual(req *base.Request) *base.Response {
	res := &base.Response{StatusCode: base.StatusOK, Header: base.Header{"CSeq": req.Header["CSeq"]}}
	switch req.Method {
	case base.Options:
		res.Header["Public"] = base.HeaderValue{"OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"}
	case base.Describe:
		res.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
		res.Header["Content-Base"] = base.HeaderValue{req.URL.String() + "/"}
		res.Body = []byte(o.sdp)
	case base.Setup:
		res.Header["Transport"] = base.HeaderValue{"RTP/AVP/TCP;unicast;interleaved=0-1"}
		res.Header["Session"] = base.HeaderValue{"12345678"}
	case base.Play:
		res.Header["Session"] = base.HeaderValue{"12345678"}
	}
	return res
}

// url is the camera's, with credentials where userinfo is not empty.
func (o *oddCamera) url(userinfo string) string {
	scheme := "rtsp://"
	if o.tls != nil {
		scheme = "rtsps://"
	}
	if userinfo != "" {
		userinfo += "@"
	}
	return scheme + userinfo + o.ln.Addr().String() + "/live"
}

// requests returns those with a method; empty: all.
func (o *oddCamera) requests(method base.Method) (out []*base.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.seen {
		if r.Method == method || method == "" {
			out = append(out, r)
		}
	}
	return out
}

// await waits until it has been asked so many times.
func (o *oddCamera) await(method base.Method, times int) []*base.Request {
	o.t.Helper()
	end := time.After(time.Minute)
	for {
		if got := o.requests(method); len(got) >= times {
			return got
		}
		select {
		case <-o.news:
		case <-end:
			o.t.Fatalf("no %s", method)
		}
	}
}

// take runs a client until so many units have come, and returns them; fewer come
// with the error that ended it.
func take(t *testing.T, cfg Config, count int) ([]transport.CameraUnit, error) {
	t.Helper()
	cfg.Camera, cfg.Log = "odd", slog.New(slog.DiscardHandler)
	c, err := NewClient(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var units []transport.CameraUnit
	err = c.Run(ctx, func(u transport.CameraUnit) {
		if units = append(units, u); len(units) == count {
			cancel()
		}
	})
	if len(units) >= count {
		return units[:count], nil
	}
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
	require.False(t, strings.Contains(err.Error(), "\n"))
	return units, err
}
