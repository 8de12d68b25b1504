package rtsp

import (
	"log/slog"
	"time"

	"scrim/transport"
	"scrim/transport/tlstrust"
)

// Transport is how RTP packets travel.
type Transport string

// The transports.
const (
	// TransportTCP interleaves RTP in the RTSP connection. It is the default:
	// gortsplib cuts UDP packets over 1472 bytes, and a lossy network costs whole
	// groups of pictures, because nothing is shown after loss until the next IDR.
	TransportTCP Transport = "tcp"
	// TransportUDP uses two UDP ports; not with rtsps, which would send the video
	// in clear.
	TransportUDP Transport = "udp"
	// TransportMulticast joins the group that the camera sends to, with UDP over IPv4.
	// It is never chosen by itself: switches may flood a network with it, and everybody
	// there may look on.
	TransportMulticast Transport = "multicast"
	// TransportAuto tries TCP, and UDP where the camera refuses TCP.
	TransportAuto Transport = "auto"
)

// Defaults and limits of a Config.
const (
	// DefaultReadTimeout bounds connecting, and each answer to a request.
	DefaultReadTimeout = 10 * time.Second
	// DefaultStallTimeout is how long a stream may go without a complete access
	// unit before Run gives up.
	DefaultStallTimeout = 5 * time.Second
	// maxTimeout bounds both, so that a typo does not switch the watchdog off.
	maxTimeout = 5 * time.Minute
)

// Config says how to reach one camera.
type Config struct {
	// Camera is the camera's name; it appears in every error.
	Camera string
	// URL is rtsp://user:password@host:port/path, or rtsps.
	URL string
	// Transport is TransportTCP when empty.
	Transport Transport
	// AllowBasic permits sending the password in clear: Basic authentication over
	// rtsp without TLS.
	AllowBasic bool
	// ReadTimeout is DefaultReadTimeout when zero.
	ReadTimeout time.Duration
	// StallTimeout is DefaultStallTimeout when zero.
	StallTimeout time.Duration
	// Trust is for rtsps, and refused with rtsp, where nothing could keep it.
	Trust tlstrust.Trust
	// OnPlaying, if set, is called whenever the camera has accepted the login and plays.
	// It must not block.
	OnPlaying func()
	// Log is slog.Default() when nil.
	Log *slog.Logger
}

// Check returns what NewClient refuses, without the network: nil, or an *Error of
// class ErrConfig.
func (c Config) Check() error {
	_, err := NewClient(c)
	return err
}

// validate fills in defaults and returns what is wrong, without the camera's
// name and without quoting the URL.
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
		return "tls is for rtsps, and the url begins with rtsp", "write rtsps:// where the camera has TLS, or remove the camera's tls"
	}
	if err := c.Trust.Check(); err != nil {
		return "tls: " + err.Error(), "correct the camera's tls"
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = DefaultReadTimeout
	}
	if c.StallTimeout == 0 {
		c.StallTimeout = DefaultStallTimeout
	}
	for _, d := range []time.Duration{c.ReadTimeout, c.StallTimeout} {
		if d < 0 || d > maxTimeout {
			return "timeout " + d.String() + " is not between 0 and " + maxTimeout.String(), "correct it"
		}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return "", ""
}
