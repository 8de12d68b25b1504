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

// DefaultMaxViewers is how many sessions there may be at once if Options does
// not say.
const DefaultMaxViewers = 100

// Limits on what a client may send or hold.
const (
	maxOfferBytes    = 64 << 10
	maxFragmentBytes = 16 << 10
	maxCandidates    = 64  // of one session: in the offer and trickled
	maxSections      = 8   // of an offer: one video, the rest audio that is refused
	maxEventStreams  = 256 // of all clients
)

// Times that a session may take.
const (
	// connectTimeout bounds the time from the answer to the first packet: a
	// session that never connects costs sockets and goroutines.
	connectTimeout = 10 * time.Second
	gatherTimeout  = 5 * time.Second
	// heartbeat is the time between comments on an event stream. They tell clients and
	// proxies that it is alive; the page gives up a stream that is silent for 5 seconds.
	heartbeat = time.Second
	// statusInterval is how often the state of the cameras is looked at for those
	// who follow it.
	statusInterval = time.Second
	// eventInterval is the least time between an event and the look at the cameras
	// that follows it, whatever else happens meanwhile.
	eventInterval = 200 * time.Millisecond
	// snapshotAge is how old the state may be that event streams share. It is less
	// than eventInterval, so that what an event was about is in it.
	snapshotAge = 100 * time.Millisecond
	retryAfter  = 5 * time.Second
	// stillTimeout is how long a client waits for a camera's picture.
	stillTimeout = 5 * time.Second
)

// Source is where the gateway gets video and state from. Its methods may be
// called from many goroutines.
type Source interface {
	// Cameras returns the state of all known cameras, sorted by name. The caller
	// owns the slice.
	Cameras() []transport.Status
	// Source is where the video comes from.
	fanout.Source
	// Snapshot returns a camera's picture as viewers see it, an error that wraps
	// fanout.ErrNoCamera when there is no such camera.
	Snapshot(ctx context.Context, camera string) (*transport.Snapshot, error)
	// Events returns what happens from now on. The channel is closed when ctx
	// ends; a slow reader loses events.
	Events(ctx context.Context) <-chan transport.Event
}

// ICEServer is a STUN or TURN server that viewers are told about. The gateway
// does not use it.
type ICEServer struct {
	// URL such as "turn:turn.example.org:3478?transport=udp".
	URL string
	// User and Password are for TURN. Every viewer gets to know them.
	User, Password string
}

// Options configure a Gateway.
type Options struct {
	// Source of video and state; needed.
	Source Source
	// Token that clients must present as bearer token (RFC 6750). Empty: none.
	Token string
	// Hosts are names, without a port, by which the gateway may be called when
	// there is no Token, besides any IP address and "localhost"; empty ones are
	// ignored. Requests for other names get 421, because any page on the Internet
	// could otherwise read the cameras by having its own name resolve to the
	// gateway (DNS rebinding). With a Token every name will do.
	Hosts []string
	// ICEServers for viewers.
	ICEServers []ICEServer
	// PublicIPs at which the gateway can be reached besides the addresses of its
	// own interfaces: those of a NAT that maps ports one to one.
	PublicIPs []netip.Addr
	// UDPPort carries the media of all viewers. 0: any free port per viewer.
	UDPPort int
	// MaxViewers bounds the sessions at one time. 0: DefaultMaxViewers.
	MaxViewers int
	// AllowOrigins are the origins, such as "https://wall.example.org", of other
	// sites whose pages may use the API; "*" allows all. Pages of the gateway
	// itself always may.
	AllowOrigins []string
	// Log; nil: slog.Default().
	Log *slog.Logger
}

func (o *Options) check() error {
	if o.Source == nil {
		return errors.New("webrtc: no source given")
	}
	if o.UDPPort < 0 || o.UDPPort > 65535 {
		return fmt.Errorf("webrtc: UDP port %d is not between 0 and 65535", o.UDPPort)
	}
	if o.MaxViewers < 0 {
		return fmt.Errorf("webrtc: at most %d viewers makes no sense; give a positive number, or 0 for %d", o.MaxViewers, DefaultMaxViewers)
	}
	for i, ip := range o.PublicIPs {
		if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return fmt.Errorf("webrtc: public address %d (%s) is not one that a viewer can reach", i+1, ip)
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
		return fmt.Errorf("webrtc: ICE server %q: the URL must begin with stun:, stuns:, turn: or turns: as its scheme", s.URL)
	}
	if rest == "" || strings.ContainsFunc(s.URL, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"`, r) }) {
		return fmt.Errorf("webrtc: ICE server %q: not a URL", s.URL)
	}
	if strings.ContainsFunc(s.User+s.Password, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("webrtc: ICE server %q: user and password must not hold control characters", s.URL)
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
