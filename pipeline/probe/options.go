package probe

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
	"scrim/transport/rtsp"
	"scrim/transport/tlstrust"
)

// DefaultFor is how long a stream is measured.
const DefaultFor = 5 * time.Second

// MaxFor is the longest measurement.
const MaxFor = 10 * time.Minute

// NoONVIF is the value of Options.ONVIF that disables ONVIF.
const NoONVIF = "none"

// Options are the options of Run.
type Options struct {
	// Target is an RTSP URL, or HOST or HOST:PORT.
	Target string
	// User and Password are the camera's credentials; none if User is empty.
	User, Password string
	// AllowBasic allows Basic authentication, which sends the password in the clear.
	AllowBasic bool
	// Trust decides which certificates are accepted, of rtsps and of ONVIF over https.
	Trust tlstrust.Trust
	// CAFile is the file of Trust.CA, for the configuration to paste.
	CAFile string
	// For is how long the stream is measured; 0 means DefaultFor.
	For time.Duration
	// Timeout bounds each connection and response; 0 means rtsp.DefaultReadTimeout.
	Timeout time.Duration
	// ONVIF is the URL of the device service, or NoONVIF. Empty: try the usual ports.
	ONVIF string
	// Transport is how RTP is received; empty means rtsp.TransportAuto.
	Transport rtsp.Transport
	// Redactor is the path of scrim-redactor, which looks for faces in the stream's key
	// frames by Detect, to see whether the camera hangs upright. Empty: this is not checked.
	Redactor string
	Detect   ipc.DetectConfig
	// Name is the camera's name in the configuration to paste; empty: derived from the host.
	Name string
}

// target is the camera to probe.
type target struct {
	url  string // without user; empty if unknown
	host string
	port string // of RTSP; empty if unknown
}

// prepare fills in defaults, checks the options and parses the target.
func (o *Options) prepare() (target, error) {
	o.For = cmp.Or(o.For, DefaultFor)
	o.Timeout = cmp.Or(o.Timeout, rtsp.DefaultReadTimeout)
	o.Transport = cmp.Or(o.Transport, rtsp.TransportAuto)
	if o.For < 0 || o.For > MaxFor || o.Timeout < 0 {
		return target{}, fmt.Errorf("invalid duration: must be positive, and at most %v for a stream", MaxFor)
	}
	t, err := o.split()
	if err != nil {
		return t, err
	}
	o.Name = cmp.Or(o.Name, nameOf(t.host))
	if err := transport.CheckName(o.Name); err != nil {
		return t, err
	}
	if t.url != "" {
		// Report mistakes in the URL before connecting.
		if err := o.config(t.url, false).Check(); err != nil {
			return t, err
		}
		if o.Trust != (tlstrust.Trust{}) && !strings.HasPrefix(t.url, "rtsps:") && !strings.HasPrefix(o.ONVIF, "https:") {
			return t, errors.New("--fingerprint and --ca need TLS: use an rtsps:// URL or --onvif https://, or remove them")
		}
	}
	return t, nil
}

func (o *Options) split() (target, error) {
	if strings.Contains(o.Target, "://") {
		if err := (rtsp.Config{Camera: "probe", URL: o.Target}).Check(); err != nil {
			return target{}, errors.New(strings.TrimPrefix(err.Error(), "camera probe: "))
		}
		u, err := url.Parse(o.Target)
		if err != nil {
			return target{}, errors.New("invalid target: not a URL")
		}
		if u.User != nil {
			if o.User != "" {
				return target{}, errors.New("user both in the URL and in --user; remove one of them")
			}
			o.User = u.User.Username()
			o.Password, _ = u.User.Password()
			u.User = nil
		}
		return target{url: u.String(), host: u.Hostname()}, nil
	}
	t := target{host: strings.Trim(o.Target, "[]")}
	if host, port, err := net.SplitHostPort(o.Target); err == nil {
		t.host, t.port = host, port
	}
	if _, err := netip.ParseAddr(t.host); err != nil && !hostRE.MatchString(t.host) {
		return t, errors.New("invalid target: must be rtsp://HOST/PATH, HOST or HOST:PORT")
	}
	return t, nil
}

var (
	hostRE    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	notNameRE = regexp.MustCompile(`[^a-z0-9]+`)
)

// nameOf derives a camera's name from its host.
func nameOf(host string) string {
	name := strings.Trim(notNameRE.ReplaceAllString(strings.ToLower(host), "-"), "-")
	if _, err := netip.ParseAddr(host); err == nil || name == "" {
		name = "camera-" + name
	}
	return strings.Trim(name[:min(len(name), 40)], "-")
}

// config returns the configuration of a client for a URL.
func (o *Options) config(u string, login bool) rtsp.Config {
	c := rtsp.Config{Camera: o.Name, URL: u, Transport: o.Transport, AllowBasic: o.AllowBasic, ReadTimeout: o.Timeout}
	p, err := url.Parse(u)
	if err != nil {
		return c
	}
	if p.Scheme == "rtsps" { // rtsp:// URLs are tried as well, and have no certificate
		c.Trust = o.Trust
	}
	if login && o.User != "" {
		p.User = url.UserPassword(o.User, o.Password)
		c.URL = p.String()
	}
	return c
}
