package rtspserver

import (
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
	// DefaultMaxSessions is how many sessions there may be at once if Options does
	// not say.
	DefaultMaxSessions = 100
	// maxConnections bounds the connections, of which a session has one or two.
	maxConnections = 512
	// idleTimeout is how long a connection may be without a session: gortsplib lets
	// it stay for ever.
	idleTimeout = 30 * time.Second
	// describeTimeout is how long a client may wait for a camera's first picture.
	describeTimeout = 5 * time.Second
)

// Source is where the server gets video from.
type Source interface {
	fanout.Source
	// Knows reports whether there is a camera.
	Knows(camera string) bool
}

// Options say what a Server serves, and to whom.
type Options struct {
	Source Source
	// Listener takes the connections; the server closes it.
	Listener net.Listener
	// TLS makes it RTSPS; nil: plain RTSP.
	TLS *tls.Config
	// UDPPort is an even port for RTP, with RTCP on the next; 0 takes two free ones.
	// With TLS there is no UDP.
	UDPPort int
	// Access says who may see which camera.
	Access *auth.Control
	// MaxSessions bounds the sessions at one time; 0: DefaultMaxSessions.
	MaxSessions int
	// Log; nil: slog.Default().
	Log *slog.Logger
}

// Counts are what a Server has done, and what it holds now.
type Counts struct {
	// Sessions are open now.
	Sessions int
	// Played sessions since the beginning; Refused for want of room; Resized ended
	// because the size changed; Silent because their camera sent nothing any more.
	Played, Refused, Resized, Silent uint64
	// Dropped are units that a client missed because it was slow.
	Dropped uint64
	// Unauthorised requests showed a wrong password.
	Unauthorised uint64
}

type counters struct {
	played, refused, resized, silent, unauthorised atomic.Uint64
	fanout                                         fanout.Counters
}

// Server is an RTSP server that runs. Its methods may be called from many
// goroutines.
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

// New starts a server; the caller calls Run or Close. Clients are served from
// now on.
func New(o Options) (*Server, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		s.cancel()
		s.hubs.Close()
		return nil, err
	}
	return s, nil
}

// prepare makes a server that does not take connections yet.
func prepare(o Options) (*Server, error) {
	if o.Source == nil || o.Listener == nil || o.Access == nil {
		return nil, errors.New("RTSP: needs a source, a listener and who may watch")
	}
	if o.UDPPort%2 != 0 || o.UDPPort < 0 || o.UDPPort > 65534 {
		return nil, fmt.Errorf("RTSP: UDP port %d must be even, from 2 to 65534, because the next one is used as well", o.UDPPort)
	}
	if o.MaxSessions == 0 {
		o.MaxSessions = DefaultMaxSessions
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Server{
		o: o, log: o.Log, describe: describeTimeout, idle: idleTimeout,
		streams: map[string]*gortsplib.ServerStream{}, sent: map[string]bool{}, sessions: map[*gortsplib.ServerSession]*client{},
	}
	s.rtsp = &gortsplib.Server{
		Handler: s, RTSPAddress: o.Listener.Addr().String(), TLSConfig: o.TLS, DisableRTCPSenderReports: true,
		Listen: func(string, string) (net.Listener, error) {
			return netutil.LimitListener(patient{o.Listener}, maxConnections), nil
		},
	}
	s.hubs = fanout.New(o.Source, &s.count.fanout, o.Log)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// begin takes connections.
func (s *Server) begin() error {
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

// Run waits until ctx ends, then closes the server and returns nil. It returns
// an error when the server ends by itself.
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

// Close ends all sessions and waits until nothing of them is left.
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

// Counts returns what has been counted so far.
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

// stream returns what gortsplib needs to know of a camera: there is a media, and
// an SSRC. Its description is never sent.
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
