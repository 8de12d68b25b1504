package rtspserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"golang.org/x/net/netutil"

	"scrim/transport/auth"
	"scrim/transport/fanout"
)

const (
	// DefaultMaxSessions is the default of Options.MaxSessions.
	DefaultMaxSessions = 100
	// maxConnections bounds the connections; a session has one or two.
	maxConnections = 512
	// idleTimeout is how long a connection may stay without a session. gortsplib has no
	// such limit.
	idleTimeout = 30 * time.Second
	// describeTimeout is how long a client waits for a camera's first picture.
	describeTimeout = 5 * time.Second
)

// Source provides the video.
type Source interface {
	fanout.Source
	// Knows reports whether the camera exists.
	Knows(camera string) bool
}

// Options configure a Server.
type Options struct {
	Source Source
	// Listener accepts the connections. The server closes it.
	Listener net.Listener
	// TLS makes it RTSPS; nil: plain RTSP.
	TLS *tls.Config
	// UDPPort is an even port for RTP; RTCP uses the next one. 0: two free ports. With
	// TLS there is no UDP.
	UDPPort int
	// Access decides who may see which camera.
	Access *auth.Control
	// MaxSessions bounds the concurrent sessions; 0: DefaultMaxSessions.
	MaxSessions int
	// Log; nil: slog.Default().
	Log *slog.Logger
}

// Counts are a Server's counters and current values.
type Counts struct {
	// Sessions is the number of open sessions.
	Sessions int
	// Played counts sessions that played. Refused were over the limit. Resized ended
	// after a change of the picture size. Silent ended because their camera sent
	// nothing.
	Played, Refused, Resized, Silent uint64
	// Dropped are units that a slow client missed.
	Dropped uint64
	// Unauthorised requests had a wrong password.
	Unauthorised uint64
}

type counters struct {
	played, refused, resized, silent, unauthorised atomic.Uint64
	fanout                                         fanout.Counters
}

// Server is a running RTSP server. Its methods may be called from many goroutines.
type Server struct {
	o        Options
	log      *slog.Logger
	rtsp     *gortsplib.Server
	hubs     *fanout.Hubs
	count    counters
	describe time.Duration // describeTimeout; tests change it
	idle     time.Duration // idleTimeout
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup // clients

	mu       sync.Mutex
	closed   bool
	streams  map[string]*gortsplib.ServerStream
	sent     map[string]bool // cameras that have been described
	sessions map[*gortsplib.ServerSession]*client
}

// New starts a server, which accepts clients at once. The caller calls Run or Close.
func New(o Options) (*Server, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		s.cancel()
		s.hubs.Close()
		return nil, err
	}
	return s, nil
}

// prepare returns a server that does not accept connections yet.
func prepare(o Options) (*Server, error) {
	if o.Source == nil || o.Listener == nil || o.Access == nil {
		return nil, errors.New("RTSP: source, listener and access control are required")
	}
	if o.UDPPort%2 != 0 || o.UDPPort < 0 || o.UDPPort > 65534 {
		return nil, fmt.Errorf("RTSP: invalid UDP port %d: must be even, from 2 to 65534, because the next port is used too", o.UDPPort)
	}
	o.MaxSessions = cmp.Or(o.MaxSessions, DefaultMaxSessions)
	o.Log = cmp.Or(o.Log, slog.Default())
	s := &Server{
		o: o, log: o.Log, describe: describeTimeout, idle: idleTimeout,
		streams: map[string]*gortsplib.ServerStream{}, sent: map[string]bool{}, sessions: map[*gortsplib.ServerSession]*client{},
	}
	s.rtsp = &gortsplib.Server{
		Handler: s, RTSPAddress: o.Listener.Addr().String(), TLSConfig: o.TLS, DisableRTCPSenderReports: true,
		Listen: func(string, string) (net.Listener, error) {
			return netutil.LimitListener(retryListener{o.Listener}, maxConnections), nil
		},
	}
	s.hubs = fanout.New(o.Source, &s.count.fanout, o.Log)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// start accepts connections.
func (s *Server) start() error {
	if s.o.TLS == nil {
		if err := s.openUDP(); err != nil {
			return err
		}
	}
	if err := s.rtsp.Start(); err != nil {
		return fmt.Errorf("RTSP: %w", err)
	}
	return nil
}

// Run waits until ctx ends, then closes the server and returns nil. If the server fails
// before, it returns the error.
func (s *Server) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.rtsp.Wait() }()
	select {
	case <-ctx.Done():
		s.Close()
		s.log.Debug("RTSP server ended", "reason", <-ended)
		return nil
	case err := <-ended:
		s.Close()
		return fmt.Errorf("RTSP: %w", err)
	}
}

// Close ends all sessions and waits for their end.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.rtsp.Close()
	s.wg.Wait()
	s.hubs.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range s.streams {
		stream.Close()
	}
	clear(s.streams)
}

// Counts returns the current counters.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	sessions := len(s.sessions)
	s.mu.Unlock()
	c := &s.count
	return Counts{
		Sessions: sessions, Played: c.played.Load(), Refused: c.refused.Load(), Resized: c.resized.Load(), Silent: c.silent.Load(),
		Dropped: c.fanout.Dropped.Load(), Unauthorised: c.unauthorised.Load(),
	}
}

// stream returns the stream that gortsplib needs for a camera, with its media and an
// SSRC. Its description is never sent.
func (s *Server) stream(camera string) (*gortsplib.ServerStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("server is shutting down")
	}
	if stream := s.streams[camera]; stream != nil {
		return stream, nil
	}
	desc := &description.Session{Medias: []*description.Media{mediaOf(nil, nil)}}
	stream := &gortsplib.ServerStream{Server: s.rtsp, Desc: desc}
	if err := stream.Initialize(); err != nil {
		return nil, err
	}
	s.streams[camera] = stream
	return stream, nil
}
