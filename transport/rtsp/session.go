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
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"scrim/transport"
	"scrim/transport/auth/digest"
	"scrim/transport/rtsp/depacketize"
)

const (
	// udpBufferBytes is requested for each UDP socket: a key frame of a 4K camera
	// arrives in one burst. The operating system may grant less.
	udpBufferBytes = 4 << 20
	// maxForeignTime bounds the time in which only packets arrive that gortsplib
	// drops, such as those of a new SSRC.
	maxForeignTime = time.Second
	// maxDialTime bounds the three-way handshake of TCP, which the other kernel
	// answers: for a system that is not up yet, TCP repeats it only after 1, 2, 4,
	// 8 … seconds. TLS and the answers to requests have ReadTimeout.
	maxDialTime = 2 * time.Second
	// watchPeriod is the longest time between two checks of the watchdog.
	watchPeriod = 250 * time.Millisecond
)

// stage is the current step of a session, in the words of errors.
type stage string

const (
	stageConnect  stage = "connecting to"
	stageDescribe stage = "requesting the description of"
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

	// Written by callbacks on gortsplib's goroutine. Read after its end, or after the
	// request to which they belong.
	stage            stage
	dialErr          error
	conn             *statusLineConn // nil before there is a connection
	method           base.Method
	challenge        challenges
	digest           *digest.Challenge
	loginSent        bool // user and password were sent
	described        bool
	desc             videoDescription
	redirect         *base.URL
	location         string
	transportRefused bool
	noGroup          bool // the camera accepted multicast without naming a group

	asm *depacketize.Assembler
	// failed receives the assembler's error.
	failed chan error

	// Written by the reading goroutine, read by the watchdog. Times count from start,
	// on the monotonic clock: a step of the wall clock is not a stall.
	start     time.Time
	units     atomic.Uint64
	firstUnit atomic.Int64 // nanoseconds; 0: none yet
	lastUnit  atomic.Int64 // nanoseconds; 0: none yet
	busy      atomic.Bool  // onUnit is running

	// What gortsplib dropped, from its decode errors.
	mu           sync.Mutex
	dropped      uint64    // its count of RTP packets in error
	droppedSince time.Time // zero after a good packet
	lost         string    // reason for the assembler
}

func newSession(c *Client, u *base.URL, proto Transport, onUnit func(transport.CameraUnit)) *session {
	s := &session{client: c, url: u, proto: proto, onUnit: onUnit, stage: stageConnect, failed: make(chan error, 1), start: time.Now()}
	t := gortsplib.TransportTCP
	switch proto {
	case TransportUDP:
		t = gortsplib.TransportUDP
	case TransportMulticast:
		t = gortsplib.TransportUDPMulticast
	}
	s.gc = &gortsplib.Client{
		// dial does TLS: the status lines inside it can be repaired, and the caller's
		// tls.Config is not changed.
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
		// Sequence numbers show losses exactly.
		OnPacketsLost:     func(uint64) {},
		OnTransportSwitch: func(error) {},
		OnDecodeError:     s.onDecodeError,
	}
	return s
}

// run connects and delivers units. The result is nil only when ctx has ended.
func (s *session) run(ctx context.Context) error {
	err := s.connect(ctx, s.stream)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the caller asked for the end
	}
	return s.failure(err)
}

// connect calls use with a started gortsplib client, which it closes when use
// returns or ctx ends: gortsplib's requests have no context. It sends the client's
// error to ended.
func (s *session) connect(ctx context.Context, use func(ctx context.Context, ended chan error) error) error {
	if err := s.gc.Start2(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.gc.Wait() }()
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.gc.Close()
		close(closed)
	})
	err := use(ctx, ended)
	if !stop() {
		<-closed
	}
	s.gc.Close()
	<-ended //nolint:errcheck // use has reported it
	return err
}

// setup sets up the only track of a description.
func (s *session) setup(desc *description.Session) (*description.Media, error) {
	media := desc.Medias[0]
	// Quirk (gortsplib v4.16.2): it ignores an unreadable control URL and dereferences
	// nil; see docs/quirks.md.
	if u, err := media.URL(desc.BaseURL); err != nil || u == nil {
		return nil, errors.New("the description names its track by an invalid URL")
	}
	_, err := s.gc.Setup(desc.BaseURL, media, 0, 0)
	if err != nil && s.noGroup {
		err = errNoGroup
	}
	return media, err
}

// stream receives units. Keep-alives are gortsplib's: it sends OPTIONS or
// GET_PARAMETER at 80 % of the session's timeout.
func (s *session) stream(ctx context.Context, ended chan error) error {
	desc, _, err := s.gc.Describe(s.url)
	if err != nil {
		return err
	}
	media, err := s.setup(desc)
	if err != nil {
		return err
	}
	s.asm = depacketize.New(s.desc.Codec, s.desc.Sets, s.client.cfg.Log.With("camera", s.client.cfg.Camera), s.deliver)
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

// watch waits for the end. Quirk (gortsplib v4.16.2): its TCP timeout never fires while
// packets arrive that it drops, so this watchdog counts complete access units; see
// docs/quirks.md.
func (s *session) watch(ctx context.Context, ended chan error) error {
	limit := s.client.cfg.StallTimeout
	tick := time.NewTicker(min(watchPeriod, limit/4))
	defer tick.Stop()
	s.lastUnit.CompareAndSwap(0, int64(time.Since(s.start)))
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
			if now.Sub(s.start)-time.Duration(s.lastUnit.Load()) > limit {
				return errSilent
			}
		}
	}
}

// onlyForeign reports whether gortsplib has dropped every packet for a while.
func (s *session) onlyForeign(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.droppedSince.IsZero() && now.Sub(s.droppedSince) > maxForeignTime
}

// deliver passes one unit on.
func (s *session) deliver(u transport.CameraUnit) {
	s.firstUnit.CompareAndSwap(0, int64(time.Since(s.start)))
	s.units.Add(1)
	s.busy.Store(true)
	s.onUnit(u)
	s.lastUnit.Store(int64(time.Since(s.start)))
	s.busy.Store(false)
}

func (s *session) onPacket(pkt *rtp.Packet) {
	now := time.Now()
	s.mu.Lock()
	lost := s.lost
	s.lost, s.droppedSince = "", time.Time{}
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

// onDecodeError is called for every packet that gortsplib drops. Quirk (gortsplib
// v4.16.2): after a change of the SSRC it drops all packets, forever; see
// docs/quirks.md.
func (s *session) onDecodeError(err error) {
	// The counters say whether the packet was RTP, the errors do not. Broken RTCP is
	// not a loss.
	n := s.gc.Stats().Session.RTPPacketsInError
	s.mu.Lock()
	defer s.mu.Unlock()
	if n == s.dropped {
		return
	}
	s.dropped = n
	if s.droppedSince.IsZero() {
		s.droppedSince = time.Now()
	}
	if s.lost == "" {
		s.lost = dropReason(err)
	}
}

// dial connects, with TLS for rtsps. The address is from the checked URL.
func (s *session) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	d := net.Dialer{Timeout: min(maxDialTime, s.client.cfg.ReadTimeout)}
	conn, err := d.DialContext(ctx, "tcp", address(s.url))
	if err != nil {
		s.dialErr = err
		return nil, err
	}
	if s.url.Scheme == "rtsps" {
		// Quirk (gortsplib v4.16.2): it changes the caller's tls.Config, so it never sees
		// this one; see docs/quirks.md.
		tc := tls.Client(conn, s.client.cfg.Trust.ClientConfig(s.url.Hostname()))
		if err := tc.HandshakeContext(ctx); err != nil {
			s.dialErr = err
			_ = conn.Close()
			return nil, err
		}
		conn = tc
	}
	s.stage = stageDescribe
	s.conn = newStatusLineConn(conn)
	return s.conn, nil
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
