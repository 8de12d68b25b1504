package webrtc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"scrim/transport"
	"scrim/transport/fanout"
)

// DefaultMaxViewers is the default of Options.MaxViewers.
const DefaultMaxViewers = 100

// Limits on what a client may send or hold.
const (
	maxOfferBytes    = 64 << 10
	maxFragmentBytes = 16 << 10
	maxCandidates    = 64  // of a session, in the offer and trickled
	maxSections      = 8   // of an offer: one video; audio is refused
	maxEventStreams  = 256 // of all clients
)

// Times.
const (
	// connectTimeout bounds the time from the answer to the connection: a session that
	// never connects costs sockets and goroutines.
	connectTimeout = 10 * time.Second
	gatherTimeout  = 5 * time.Second
	// heartbeat is the interval of comments on an event stream, which show clients and
	// proxies that it is alive. The page gives up on a stream that is silent for 5
	// seconds.
	heartbeat = time.Second
	// statusInterval is how often event streams poll the state of the cameras.
	statusInterval = time.Second
	// eventInterval is the time from an event to the next poll of the cameras.
	eventInterval = 200 * time.Millisecond
	// listAge is the maximum age of the list of cameras that event streams share. It is
	// less than eventInterval, so that the list contains the change that caused an
	// event.
	listAge    = 100 * time.Millisecond
	retryAfter = 5 * time.Second
	// snapshotTimeout is how long a client waits for a snapshot.
	snapshotTimeout = 5 * time.Second
)

// Source provides video and states. Its methods may be called from many goroutines.
type Source interface {
	// Cameras returns the state of all known cameras, sorted by name. The caller
	// owns the slice.
	Cameras() []transport.Status
	fanout.Source
	// Snapshot returns a camera's picture as viewers see it, and an error that wraps
	// fanout.ErrNoCamera for an unknown camera.
	Snapshot(ctx context.Context, camera string) (*transport.Snapshot, error)
	// Events returns events from now on. The channel is closed when ctx ends. A slow
	// reader loses events.
	Events(ctx context.Context) <-chan transport.Event
}

// ICEServer is a STUN or TURN server for viewers. The gateway does not use it.
type ICEServer struct {
	// URL such as "turn:turn.example.org:3478?transport=udp".
	URL string
	// User and Password are for TURN. Every viewer learns them.
	User, Password string
}

// Options configure a Gateway.
type Options struct {
	// Source is required.
	Source Source
	// Token that clients must send as bearer token (RFC 6750). Empty: none.
	Token string
	// Hosts are names without port under which the gateway may be called without a
	// Token, in addition to IP addresses and "localhost". Empty names are ignored.
	// Requests for other names get 421: any page on the Internet could otherwise read
	// the cameras by resolving its own name to the gateway (DNS rebinding). With a
	// Token, every name is allowed.
	Hosts []string
	// ICEServers for viewers.
	ICEServers []ICEServer
	// PublicIPs are addresses of the gateway in addition to those of its interfaces:
	// the public addresses of a NAT that maps ports one to one.
	PublicIPs []netip.Addr
	// UDPPort carries the media of all viewers. 0: a free port for each viewer.
	UDPPort int
	// MaxViewers bounds the concurrent sessions. 0: DefaultMaxViewers.
	MaxViewers int
	// AllowOrigins are the origins of other sites whose pages may use the API, such as
	// "https://wall.example.org"; "*" allows all. The gateway's own pages always may.
	AllowOrigins []string
	// Log; nil: slog.Default().
	Log *slog.Logger
}

func (o *Options) check() error {
	if o.Source == nil {
		return errors.New("webrtc: source is required")
	}
	if o.UDPPort < 0 || o.UDPPort > 65535 {
		return fmt.Errorf("webrtc: invalid UDP port %d: must be 0 to 65535", o.UDPPort)
	}
	if o.MaxViewers < 0 {
		return fmt.Errorf("webrtc: invalid limit of %d viewers: must be positive, or 0 for %d", o.MaxViewers, DefaultMaxViewers)
	}
	for i, ip := range o.PublicIPs {
		if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return fmt.Errorf("webrtc: invalid public address %d (%s): viewers cannot reach it", i+1, ip)
		}
	}
	for _, s := range o.ICEServers {
		if err := s.check(); err != nil {
			return err
		}
	}
	for _, host := range o.Hosts {
		if err := checkHost(host); err != nil {
			return err
		}
	}
	for _, origin := range o.AllowOrigins {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	return nil
}

func (s ICEServer) check() error {
	scheme, rest, _ := strings.Cut(s.URL, ":")
	switch scheme {
	case "stun", "stuns", "turn", "turns":
	default:
		return fmt.Errorf("webrtc: ICE server %q: the scheme of the URL must be stun, stuns, turn or turns", s.URL)
	}
	if rest == "" || strings.ContainsFunc(s.URL, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"`, r) }) {
		return fmt.Errorf("webrtc: ICE server %q: invalid URL", s.URL)
	}
	if strings.ContainsFunc(s.User+s.Password, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("webrtc: ICE server %q: user and password must not contain control characters", s.URL)
	}
	return nil
}

func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf(`webrtc: origin %q: write scheme and host only, such as "https://wall.example.org", or "*"`, origin)
	}
	return nil
}
