package bus

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// MaxPayload is the largest message in bytes of an embedded server. Units over
	// MaxPartBytes are split, so there is ample room for headers.
	MaxPayload = 2 << 20
	// maxPendingBytes is how much the server buffers for a client before it disconnects
	// it. The default is 64 MiB: a minute of video.
	maxPendingBytes = 16 << 20
	// writeDeadline bounds one write of the server to a client.
	writeDeadline = 2 * time.Second
	// pingInterval finds dead connections, of clients and of the server.
	pingInterval = 10 * time.Second
	// maxPings may remain unanswered.
	maxPings = 2
	// startTimeout bounds the server's start.
	startTimeout = 10 * time.Second
)

// User is a login of an embedded server.
type User struct {
	Name, Password string
	// Permissions of the user; nil: everything is allowed.
	Permissions *Permissions
}

// ServerConfig configures an embedded server.
type ServerConfig struct {
	// Listen is the TCP address "host:port"; port 0 selects a free one. Empty: only
	// connections within this process.
	Listen string
	// Users or Token decide who may connect over TCP; not both. With neither, only a
	// loopback address is allowed. Connections within the process (Config.Server) never
	// need a login.
	Users []User
	Token string
	// MaxPayload in bytes; 0: MaxPayload.
	MaxPayload int
	// Log receives the server's log; nil: slog.Default().
	Log *slog.Logger
}

// Server is a NATS server within this process.
type Server struct {
	srv *server.Server
	// The login of Connect within the process.
	user, password, token string
}

// StartServer starts a server and returns when it accepts connections. It sets no
// signal handlers, reads no configuration file, and serves no websocket, MQTT or
// monitoring. If the address is in use, the error wraps syscall.EADDRINUSE.
func StartServer(c ServerConfig) (*Server, error) {
	c.Log = cmp.Or(c.Log, slog.Default())
	s := &Server{}
	o, err := s.options(c)
	if err != nil {
		return nil, err
	}
	s.srv, err = server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("NATS server: %w", err)
	}
	log := &serverLog{log: c.Log}
	s.srv.SetLoggerV2(log, false, false, false)
	s.srv.Start()
	if reason := log.reason(); reason != "" {
		s.Close()
		return nil, fmt.Errorf("NATS server: %s", reason)
	}
	if !s.srv.ReadyForConnections(startTimeout) {
		s.Close()
		return nil, fmt.Errorf("NATS server did not start within %v", startTimeout)
	}
	return s, nil
}

func (s *Server) options(c ServerConfig) (*server.Options, error) {
	c.MaxPayload = cmp.Or(c.MaxPayload, MaxPayload)
	if c.MaxPayload < MinPayload || c.MaxPayload > 64<<20 {
		return nil, fmt.Errorf("NATS server: invalid max payload of %d bytes: must be %d to %d",
			c.MaxPayload, MinPayload, 64<<20)
	}
	o := &server.Options{
		ServerName:   "scrim-" + rand.Text()[:8],
		DontListen:   c.Listen == "",
		NoSigs:       true,
		NoLog:        true,
		MaxPayload:   int32(c.MaxPayload), //nolint:gosec // bounded above
		MaxPending:   maxPendingBytes,
		PingInterval: pingInterval, MaxPingsOut: maxPings,
		WriteDeadline: writeDeadline,
		// One slow gateway must not delay the workers: by default, the server throttles
		// a publisher whose readers are late.
		NoFastProducerStall: true,
	}
	if c.Listen != "" {
		if err := listen(o, c); err != nil {
			return nil, err
		}
	}
	return o, s.auth(o, c)
}

// listen sets the address in the options. It tries it first, because the server reports
// a failure as text only.
func listen(o *server.Options, c ServerConfig) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("NATS server: invalid address %q: must be host:port", c.Listen)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("NATS server: invalid port of address %q", c.Listen)
	}
	if len(c.Users) == 0 && c.Token == "" && !loopback(host) {
		return fmt.Errorf("NATS server: %s can be reached from other machines: set users or a token, or listen on 127.0.0.1", c.Listen)
	}
	l, err := net.Listen("tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("NATS server: %s is in use by another program; choose another address: %w", c.Listen, syscall.EADDRINUSE)
	}
	if err != nil {
		return fmt.Errorf("NATS server: %w", err)
	}
	_ = l.Close()
	o.Host, o.Port = host, int(n)
	if n == 0 {
		o.Port = server.RANDOM_PORT
	}
	return nil
}

// loopback reports whether host is this machine only. A name other than localhost may
// resolve to anything.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// auth sets who may connect. With users, the process gets a user of its own, whose
// random password only works within the process.
func (s *Server) auth(o *server.Options, c ServerConfig) error {
	switch {
	case len(c.Users) > 0 && c.Token != "":
		return errors.New("NATS server: set users or a token, not both")
	case c.Token != "":
		o.Authorization, s.token = c.Token, c.Token
	case len(c.Users) > 0:
		s.user, s.password = "scrim-internal", rand.Text()
		names := map[string]bool{s.user: true}
		for _, u := range c.Users {
			if u.Name == "" || u.Password == "" {
				return fmt.Errorf("NATS server: user %q needs a name and a password", u.Name)
			}
			if names[u.Name] {
				return fmt.Errorf("NATS server: user %q appears twice or is reserved", u.Name)
			}
			names[u.Name] = true
			o.Users = append(o.Users, &server.User{Username: u.Name, Password: u.Password, Permissions: u.Permissions.forServer()})
		}
		o.Users = append(o.Users, &server.User{
			Username: s.user, Password: s.password,
			AllowedConnectionTypes: map[string]struct{}{"IN_PROCESS": {}},
		})
	}
	return nil
}

// Addr returns the server's address; nil if it does not listen.
func (s *Server) Addr() net.Addr { return s.srv.Addr() }

// URL returns the address for Config.URL without secrets; empty if the server does not
// listen.
func (s *Server) URL() string {
	a := s.srv.Addr()
	if a == nil {
		return ""
	}
	return "nats://" + a.String()
}

// Close ends the server and all connections to it.
func (s *Server) Close() {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
}
