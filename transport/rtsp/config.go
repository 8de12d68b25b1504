package rtsp

import (
	"cmp"
	"log/slog"
	"time"

	"scrim/transport"
	"scrim/transport/tlstrust"
)

// Transport is how the RTP packets are carried.
type Transport string

// The transports.
const (
	// TransportTCP interleaves RTP with RTSP on one connection. It is the default:
	// gortsplib truncates UDP packets over 1472 bytes, and each loss costs a group of
	// pictures, because nothing is shown until the next IDR.
	TransportTCP Transport = "tcp"
	// TransportUDP uses two UDP ports. It is not allowed with rtsps: the video would be
	// unencrypted.
	TransportUDP Transport = "udp"
	// TransportMulticast joins the camera's multicast group, over UDP and IPv4. It is
	// never chosen automatically: switches may flood the network, and everybody there
	// can watch.
	TransportMulticast Transport = "multicast"
	// TransportAuto tries TCP, then UDP if the camera refuses TCP.
	TransportAuto Transport = "auto"
)

// Defaults and limits of a Config.
const (
	// DefaultReadTimeout bounds connecting, and each answer.
	DefaultReadTimeout = 10 * time.Second
	// DefaultStallTimeout is how long a stream may lack a complete access unit before
	// Run fails.
	DefaultStallTimeout = 5 * time.Second
	// maxTimeout bounds both: a typo must not disable the watchdog.
	maxTimeout = 5 * time.Minute
)

// Config describes how to reach one camera.
type Config struct {
	// Camera is the camera's name; it appears in every error.
	Camera string
	// URL is rtsp://user:password@host:port/path, or rtsps.
	URL string
	// Transport; empty: TransportTCP.
	Transport Transport
	// AllowBasic allows Basic authentication over rtsp without TLS, which sends the
	// password in clear.
	AllowBasic bool
	// ReadTimeout; 0: DefaultReadTimeout.
	ReadTimeout time.Duration
	// StallTimeout; 0: DefaultStallTimeout.
	StallTimeout time.Duration
	// Trust applies to rtsps and is refused with rtsp.
	Trust tlstrust.Trust
	// OnPlaying, if set, is called whenever the camera has accepted the login and plays.
	// It must not block.
	OnPlaying func()
	// Log; nil: slog.Default().
	Log *slog.Logger
}

// Check returns the error that NewClient would return, without using the network: nil,
// or an *Error of class ErrConfig.
func (c Config) Check() error {
	_, err := NewClient(c)
	return err
}

// validate sets defaults. It returns what is wrong, without the camera's name and
// without quoting the URL.
func (c *Config) validate() (reason, advice string) {
	if err := transport.CheckName(c.Camera); err != nil {
		return err.Error(), "give the camera a name like 'front-door'"
	}
	u, err := parseURL(c.URL)
	if err != nil {
		return "url " + err.Error(), "correct the camera's url"
	}
	switch c.Transport {
	case "":
		c.Transport = TransportTCP
	case TransportTCP:
	case TransportUDP, TransportMulticast, TransportAuto:
		if u.Scheme == "rtsps" {
			if c.Transport != TransportAuto {
				return "transport " + string(c.Transport) + " with rtsps would send the video unencrypted", "set `transport: tcp`"
			}
			c.Transport = TransportTCP
		}
	default:
		return "transport " + quote(string(c.Transport)) + " is unknown", "set `transport: tcp`, `udp` or `multicast`"
	}
	if c.Trust != (tlstrust.Trust{}) && u.Scheme != "rtsps" {
		return "tls requires an rtsps url", "write rtsps:// if the camera has TLS, or remove the camera's tls"
	}
	if err := c.Trust.Check(); err != nil {
		return "tls: " + err.Error(), "correct the camera's tls"
	}
	c.ReadTimeout = cmp.Or(c.ReadTimeout, DefaultReadTimeout)
	c.StallTimeout = cmp.Or(c.StallTimeout, DefaultStallTimeout)
	for _, d := range []time.Duration{c.ReadTimeout, c.StallTimeout} {
		if d < 0 || d > maxTimeout {
			return "timeout " + d.String() + " is not between 0 and " + maxTimeout.String(), "correct the timeout"
		}
	}
	c.Log = cmp.Or(c.Log, slog.Default())
	return "", ""
}
