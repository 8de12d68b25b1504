package rtspserver

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/senderreport"
	"scrim/transport/transporttest"
)

// player is a client of gortsplib.
type player struct {
	*gortsplib.Client
	sps     []byte // of the description
	units   chan [][]byte
	stamps  chan uint32
	reports chan *rtcp.SenderReport
	ended   chan error
}

// open connects and describes.
func open(t *testing.T, url string, change ...func(*gortsplib.Client)) (*player, *description.Session, *base.URL, error) {
	t.Helper()
	p := &player{
		Client: &gortsplib.Client{TLSConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // of the test
		units:  make(chan [][]byte, 1<<16), stamps: make(chan uint32, 1<<16), reports: make(chan *rtcp.SenderReport, 1<<10), ended: make(chan error, 1),
	}
	for _, f := range change {
		f(p.Client)
	}
	u, err := base.ParseURL(url)
	require.NoError(t, err)
	p.Scheme, p.Host = u.Scheme, u.Host
	if err := p.Start2(); err != nil {
		return nil, nil, nil, err
	}
	t.Cleanup(p.Close)
	desc, _, err := p.Describe(u)
	return p, desc, u, err
}

// play opens a session that plays.
func play(t *testing.T, url string, change ...func(*gortsplib.Client)) *player {
	t.Helper()
	p, desc, _, err := open(t, url, change...)
	require.NoError(t, err)
	var f *format.H264
	media := desc.FindFormat(&f)
	require.NotNil(t, media)
	require.Len(t, desc.Medias, 1)
	require.Equal(t, 1, f.PacketizationMode)
	p.sps = f.SPS
	_, err = p.Setup(desc.BaseURL, media, 0, 0)
	require.NoError(t, err)
	dec, err := f.CreateDecoder()
	require.NoError(t, err)
	p.OnPacketRTP(media, f, func(pkt *rtp.Packet) {
		if nalus, err := dec.Decode(pkt); err == nil {
			p.stamps <- pkt.Timestamp
			p.units <- nalus
		}
	})
	p.OnPacketRTCP(media, func(pkt rtcp.Packet) {
		if r, ok := pkt.(*rtcp.SenderReport); ok {
			p.reports <- r
		}
	})
	_, err = p.Play(nil)
	require.NoError(t, err)
	go func() { p.ended <- p.Wait() }()
	return p
}

// next returns the next access unit and its timestamp.
func (p *player) next(t *testing.T) ([][]byte, uint32) {
	t.Helper()
	select {
	case u := <-p.units:
		return u, <-p.stamps
	case <-transporttest.Context(t).Done():
		require.Fail(t, "nothing comes")
		return nil, 0
	}
}

func (r *rig) url(scheme, credentials, name string) string {
	return scheme + "://" + credentials + "@" + r.addr + "/" + name
}

func over(transport gortsplib.Transport) func(*gortsplib.Client) {
	return func(c *gortsplib.Client) { c.Transport = &transport }
}

const mine = user + ":" + password

func TestAClientBeginsWithAKeyFrameAndKnowsWhenItWasCaptured(t *testing.T) {
	for name, c := range map[string]struct {
		scheme    string
		transport gortsplib.Transport
	}{
		"TCP": {"rtsp", gortsplib.TransportTCP}, "UDP": {"rtsp", gortsplib.TransportUDP}, "TLS": {"rtsps", gortsplib.TransportTCP},
	} {
		t.Run(name, func(t *testing.T) {
			var o Options
			if c.scheme == "rtsps" {
				o.TLS = certificate(t)
			}
			r := start(t, o)
			r.show(t, pattern(t))
			p := play(t, r.url(c.scheme, mine, camera), over(c.transport))
			unit, first := p.next(t)
			require.True(t, h264.IsRandomAccess(unit))
			require.Equal(t, p.sps, unit[0], "the description and the video have the same parameters")
			require.Equal(t, h264.NALUTypePPS, h264.NALUType(unit[1][0]&0x1f), "in-band before the key frame")
			last := first
			for range 30 {
				_, stamp := p.next(t)
				require.EqualValues(t, 1800, stamp-last, "nothing is missing")
				last = stamp
			}
			select {
			case sr := <-p.reports:
				require.Equal(t, senderreport.NTP(captured(uint64(sr.RTPTime)/1800)), sr.NTPTime)
			case <-transporttest.Context(t).Done():
				require.Fail(t, "no sender report")
			}
		})
	}
}

func TestAClientAsksForTheKeyFrameThatItNeeds(t *testing.T) {
	r := start(t, Options{})
	f := pattern(t)
	asked := func(n int) func() bool {
		return func() bool { _, _, keyframes := r.source.Counts(camera); return keyframes >= n }
	}
	described := make(chan *player)
	go func() { described <- play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP)) }()
	transporttest.Eventually(t, asked(1), "for the description")
	transporttest.Eventually(t, func() bool { open, _, _ := r.source.Counts(camera); return open == 1 }, "subscribed")
	r.one(f, 0)
	p := <-described
	transporttest.Eventually(t, asked(2), "for the first picture")
	r.one(f, 1) // which it cannot decode
	r.one(f, 0)
	unit, stamp := p.next(t)
	require.True(t, h264.IsRandomAccess(unit))
	require.EqualValues(t, 3*1800, stamp)
}

func status(t *testing.T, err error) base.StatusCode {
	t.Helper()
	var bad liberrors.ErrClientBadStatusCode
	require.ErrorAs(t, err, &bad)
	return bad.Code
}

func TestWhoMayNotIsRefused(t *testing.T) {
	r := start(t, Options{}, func(s *Server) { s.describe = 50 * time.Millisecond })
	for _, c := range []struct {
		credentials, camera string
		want                base.StatusCode
	}{
		{user + ":wrong", camera, base.StatusUnauthorized},
		{"nobody:" + password, camera, base.StatusUnauthorized},
		{"other:secret", camera, base.StatusForbidden},
		{"other:secret", "absent", base.StatusForbidden}, // does not reveal whether it exists
		{mine, "absent", base.StatusNotFound},
		{mine, "silent", base.StatusNotFound}, // which has never sent
	} {
		_, _, _, err := open(t, r.url("rtsp", c.credentials, c.camera))
		require.Equal(t, c.want, status(t, err), "%s %s", c.credentials, c.camera)
	}
	u, err := base.ParseURL("rtsp://" + r.addr + "/" + camera)
	require.NoError(t, err)
	c := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host}
	require.NoError(t, c.Start2())
	defer c.Close()
	_, _, err = c.Describe(u)
	require.Equal(t, base.StatusUnauthorized, status(t, err))
	require.EqualValues(t, 2, r.Counts().Unauthorised)
}

// Such a client is refused with the right password as well, and learns nothing of why.
func TestLogSaysThatAClientIsHeldBack(t *testing.T) {
	var log transporttest.Log
	r := start(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 6 {
		_, _, _, err := open(t, r.url("rtsp", user+":wrong", camera))
		require.Equal(t, base.StatusUnauthorized, status(t, err))
	}
	require.Equal(t, 1, strings.Count(log.String(), "too many failed logins"))
	require.Regexp(t, `level=WARN msg="too many failed logins .*" user=`+user+` from=127\.0\.0\.1 until=2`, log.String())
	require.EqualValues(t, 6, r.Counts().Unauthorised)
}

func TestPlacesAreBounded(t *testing.T) {
	r := start(t, Options{MaxSessions: 1})
	r.show(t, pattern(t))
	p := play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP))
	p.next(t)
	second, desc, _, err := open(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP))
	require.NoError(t, err)
	_, err = second.Setup(desc.BaseURL, desc.Medias[0], 0, 0)
	require.Equal(t, base.StatusNotEnoughBandwidth, status(t, err))
	require.EqualValues(t, 1, r.Counts().Refused)
	p.Close()
	transporttest.Eventually(t, func() bool { return r.Counts().Sessions == 0 }, "the place is free")
	play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP)).next(t)
}

// clogged is a connection from which nothing is read while it is held.
type clogged struct {
	net.Conn
	held *sync.Mutex
}

func (c clogged) Read(b []byte) (int, error) {
	c.held.Lock()
	defer c.held.Unlock()
	return c.Conn.Read(b)
}

func TestASlowClientGoesOnAtAKeyFrameAndHindersNobody(t *testing.T) {
	r := start(t, Options{})
	// Large enough that the buffers on the way are full soon.
	f := pattern(t)
	for i := range f.units {
		f.units[i] = slices.Concat(f.units[i], large)
	}
	stop := r.show(t, f)
	var held sync.Mutex
	slow := play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP), func(c *gortsplib.Client) {
		c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err == nil {
				_ = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
			}
			return clogged{conn, &held}, err
		}
	})
	slow.next(t)
	fast := play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP))
	_, last := fast.next(t)
	held.Lock()
	for r.Counts().Dropped == 0 { // until the slow one loses something
		_, stamp := fast.next(t)
		require.EqualValues(t, 1800, stamp-last, "the fast one loses nothing")
		last = stamp
	}
	stop()
	held.Unlock()
	r.one(f, 0)
	now := uint32(r.n) * 1800 //nolint:gosec // few
	var previous uint32
	for stamp := uint32(0); stamp != now; {
		var unit [][]byte
		unit, stamp = slow.next(t)
		if previous != 0 && stamp-previous != 1800 {
			require.True(t, h264.IsRandomAccess(unit), "after a gap")
		}
		previous = stamp
	}
}

// large is a slice that makes a unit bigger, without a start code in it.
var large = func() []byte {
	b := make([]byte, 150_000)
	for i := range b {
		b[i] = byte(0x80 | i)
	}
	copy(b, []byte{0, 0, 0, 1, 0x41})
	return b
}()

func TestAnotherSizeEndsTheSession(t *testing.T) {
	r := start(t, Options{})
	f := pattern(t)
	stop := r.show(t, f)
	p := play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP))
	p.next(t)
	stop()
	f.width = 640 // it says
	r.show(t, f)
	select {
	case err := <-p.ended:
		require.Error(t, err)
	case <-transporttest.Context(t).Done():
		require.Fail(t, "session goes on")
	}
	require.EqualValues(t, 1, r.Counts().Resized)
	play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP)).next(t)
}

// What a blind camera shows is covered, and recorded like any other picture.
func TestABlindCameraIsRecorded(t *testing.T) {
	r := start(t, Options{})
	f := pattern(t)
	stop := r.show(t, f)
	p := play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP))
	_, last := p.next(t)
	stop()
	f.state = transport.StateBlind
	r.show(t, f)
	for range 2 * len(f.units) {
		_, stamp := p.next(t)
		require.EqualValues(t, 1800, stamp-last, "nothing is missing")
		last = stamp
	}
}

func TestASilentCameraEndsTheSession(t *testing.T) {
	r := start(t, Options{}, func(s *Server) { s.hubs.Times.Silence = 200 * time.Millisecond })
	f := pattern(t)
	stop := r.show(t, f)
	p := play(t, r.url("rtsp", mine, camera), over(gortsplib.TransportTCP), func(*gortsplib.Client) {})
	var err error
	select {
	case <-p.units:
		stop()
		select {
		case err = <-p.ended:
		case <-transporttest.Context(t).Done():
			require.Fail(t, "session goes on")
		}
	case err = <-p.ended: // a slow machine is silent for long enough
	case <-transporttest.Context(t).Done():
		require.Fail(t, "nothing comes")
	}
	require.Error(t, err)
	require.EqualValues(t, 1, r.Counts().Silent)
}

func TestAConnectionWithoutASessionIsClosed(t *testing.T) {
	r := start(t, Options{}, func(s *Server) { s.idle = 10 * time.Millisecond })
	conn, err := net.Dial("tcp", r.addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
}
