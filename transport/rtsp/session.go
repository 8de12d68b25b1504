package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"scrim/transport"
	"scrim/transport/auth/digest"
	"scrim/transport/rtsp/depacketize"
)

const (
	// udpBufferBytes is asked of the operating system for each UDP socket: a key
	// frame of a 4K camera comes in one burst. It may give less.
	udpBufferBytes = 4 << 20
	// maxForeignTime is how long nothing but packets that gortsplib refuses may
	// come, those of a new SSRC for instance.
	maxForeignTime = time.Second
	// maxDialTime bounds a connection's three-way handshake, which is the other
	// kernel's: a system that is not there yet would be asked again only after
	// 1, 2, 4, 8 … seconds. TLS and the answers to requests get ReadTimeout.
	maxDialTime = 2 * time.Second
	// watchPeriod is how often the watchdog looks, at most.
	watchPeriod = 250 * time.Millisecond
)

// stage is what a session is doing, as errors name it.
type stage string

const (
	stageConnect  stage = "connecting to"
	stageDescribe stage = "asking for the description of"
	stageSetup    stage = "setting up"
	stagePlay     stage = "starting"
	stageStream   stage = "receiving"
)

// session is one connection to a camera.
type session struct {
	client *Client
	url    *base.URL
	proto  Transport
	onUnit func(transport.CameraUnit)
	gc     *gortsplib.Client

	// Written by callbacks on gortsplib's goroutine; read when it has ended, or
	// after the request that they belong to.
	stage            stage
	dialErr          error
	wire             *statusLineConn // nil before there is a connection
	method           base.Method
	challenge        challenges
	digest           *digest.Challenge
	loginSent        bool // the camera was shown user and password
	described        bool
	desc             description
	redirect         *base.URL
	location         string
	transportRefused bool
	noGroup          bool // the camera was asked for multicast and names no group

	asm *depacketize.Assembler
	// failed gets the assembler's verdict.
	failed chan error

	// Written by the reading goroutine, read by the watchdog. Times count from
	// born, on the monotonic clock: a step of the wall clock is no stall.
	born      time.Time
	units     atomic.Uint64
	firstUnit atomic.Int64 // nanoseconds, 0 is none yet
	lastUnit  atomic.Int64 // nanoseconds, 0 is none yet
	busy      atomic.Bool  // onUnit is running

	// What gortsplib dropped, told by its decode errors.
	mu           sync.Mutex
	refused      uint64    // its count of RTP packets in error
	refusedSince time.Time // zero when a good packet came since
	lost         string    // reason for the assembler
}

func newSession(c *Client, u *base.URL, proto Transport, onUnit func(transport.CameraUnit)) *session {
	s := &session{client: c, url: u, proto: proto, onUnit: onUnit, stage: stageConnect, failed: make(chan error, 1), born: time.Now()}
	t := gortsplib.TransportTCP
	switch proto {
	case TransportUDP:
		t = gortsplib.TransportUDP
	case TransportMulticast:
		t = gortsplib.TransportUDPMulticast
	}
	s.gc = &gortsplib.Client{
		// TLS is this package's (see dial), so that the status lines can be mended
		// inside it, and the caller's tls.Config stays untouched.
		Scheme:       "rtsp",
		Host:         u.Host,
		Transport:    &t,
		ReadTimeout:  c.cfg.ReadTimeout,
		WriteTimeout: c.cfg.ReadTimeout,
		UserAgent:    "scrim",
		DialContext:  s.dial,
		ListenPacket: listenPacket,
		OnRequest:    s.onRequest,
		OnResponse:   s.onResponse,
		// Loss is read from the sequence numbers, exactly.
		OnPacketsLost:     func(uint64) {},
		OnTransportSwitch: func(error) {},
		OnDecodeError:     s.onDecodeError,
	}
	return s
}

// run connects, delivers, and cleans up. The result is nil only when ctx ended.
func (s *session) run(ctx context.Context) error {
	if err := s.gc.Start2(); err != nil {
		return s.failure(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.gc.Wait() }()
	err := s.stream(ctx, ended)
	s.gc.Close()
	<-ended //nolint:errcheck // why it ended is known by now
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the caller asked for the end
	}
	return s.failure(err)
}

func (s *session) stream(ctx context.Context, ended chan error) error {
	// gortsplib's requests know no context: end them by closing.
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.gc.Close()
		close(closed)
	})
	defer func() {
		if !stop() {
			<-closed
		}
	}()

	desc, _, err := s.gc.Describe(s.url)
	if err != nil {
		return err
	}
	// Keep-alives are gortsplib's: it sends OPTIONS or GET_PARAMETER at 80 % of
	// the session's timeout.
	media := desc.Medias[0]
	// gortsplib ignores an unreadable control URL and dereferences nil.
	if u, err := media.URL(desc.BaseURL); err != nil || u == nil {
		return errors.New("the description names its track by something that is no URL")
	}
	s.asm = depacketize.New(s.desc.Codec, s.desc.Sets, s.client.cfg.Log.With("camera", s.client.cfg.Camera), s.deliver)
	if _, err = s.gc.Setup(desc.BaseURL, media, 0, 0); err != nil {
		if s.noGroup {
			return errNoGroup
		}
		return err
	}
	s.gc.OnPacketRTP(media, media.Formats[0], s.onPacket)
	s.gc.OnPacketRTCP(media, s.onReport)
	if _, err = s.gc.Play(nil); err != nil {
		return err
	}
	if f := s.client.cfg.OnPlaying; f != nil {
		f()
	}
	return s.watch(ctx, ended)
}

// watch waits for the end. TRAPS: gortsplib's own TCP timeout never fires while
// packets come that it drops, so the watchdog counts complete access units.
func (s *session) watch(ctx context.Context, ended chan error) error {
	limit := s.client.cfg.StallTimeout
	tick := time.NewTicker(min(watchPeriod, limit/4))
	defer tick.Stop()
	s.lastUnit.CompareAndSwap(0, int64(time.Since(s.born)))
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			ended <- err
			return err
		case err := <-s.failed:
			return err
		case now := <-tick.C:
			if s.busy.Load() {
				continue
			}
			if s.onlyForeign(now) {
				return errForeign
			}
			if now.Sub(s.born)-time.Duration(s.lastUnit.Load()) > limit {
				return errSilent
			}
		}
	}
}

// onlyForeign reports whether nothing has come for a while but packets that
// gortsplib refuses.
func (s *session) onlyForeign(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.refusedSince.IsZero() && now.Sub(s.refusedSince) > maxForeignTime
}

// deliver hands one unit over.
func (s *session) deliver(u transport.CameraUnit) {
	s.firstUnit.CompareAndSwap(0, int64(time.Since(s.born)))
	s.units.Add(1)
	s.busy.Store(true)
	s.onUnit(u)
	s.lastUnit.Store(int64(time.Since(s.born)))
	s.busy.Store(false)
}

func (s *session) onPacket(pkt *rtp.Packet) {
	now := time.Now()
	s.mu.Lock()
	lost := s.lost
	s.lost, s.refusedSince = "", time.Time{}
	s.mu.Unlock()
	if lost != "" {
		s.asm.Lose(lost)
	}
	if err := s.asm.Push(pkt, now); err != nil {
		select {
		case s.failed <- err:
		default:
		}
	}
}

func (s *session) onReport(pkt rtcp.Packet) {
	if sr, ok := pkt.(*rtcp.SenderReport); ok {
		s.asm.Report(sr, time.Now())
	}
}

// onDecodeError is told of every packet that gortsplib drops. TRAPS: after an
// SSRC change those are all packets, for ever.
func (s *session) onDecodeError(err error) {
	// The errors do not say whether the packet was RTP; the counters do. A camera
	// whose RTCP is broken loses nothing by it.
	n := s.gc.Stats().Session.RTPPacketsInError
	s.mu.Lock()
	defer s.mu.Unlock()
	if n == s.refused {
		return
	}
	s.refused = n
	if s.refusedSince.IsZero() {
		s.refusedSince = time.Now()
	}
	if s.lost == "" {
		s.lost = dropReason(err)
	}
}

// dial connects, with TLS for rtsps. The address comes from the checked URL.
func (s *session) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	d := net.Dialer{Timeout: min(maxDialTime, s.client.cfg.ReadTimeout)}
	conn, err := d.DialContext(ctx, "tcp", address(s.url))
	if err != nil {
		s.dialErr = err
		return nil, err
	}
	if s.url.Scheme == "rtsps" {
		// TRAPS: gortsplib writes into the caller's tls.Config: this one is new each time.
		tc := tls.Client(conn, s.client.cfg.Trust.Client(s.url.Hostname()))
		if err := tc.HandshakeContext(ctx); err != nil {
			s.dialErr = err
			_ = conn.Close()
			return nil, err
		}
		conn = tc
	}
	s.stage = stageDescribe
	s.wire = newStatusLineConn(conn)
	return s.wire, nil
}

func listenPacket(network, addr string) (net.PacketConn, error) {
	pc, err := net.ListenPacket(network, addr)
	if err != nil {
		return nil, err
	}
	if u, ok := pc.(*net.UDPConn); ok {
		_ = u.SetReadBuffer(udpBufferBytes) // as much as the system allows
	}
	return pc, nil
}
