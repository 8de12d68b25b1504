package probe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"scrim/transport"
	"scrim/transport/rtsp"
	"scrim/transport/tlstrust"
)

// DefaultFor is how long a stream is looked at.
const DefaultFor = 5 * time.Second

// MaxFor bounds that.
const MaxFor = 10 * time.Minute

// NoONVIF is the value of Options.ONVIF that leaves ONVIF out.
const NoONVIF = "none"

// Options say what to look at.
type Options struct {
	// Target is an RTSP URL, or HOST or HOST:PORT.
	Target string
	// User and Password are those of the camera; none when User is empty.
	User, Password string
	// AllowBasic lets the password be sent in the clear.
	AllowBasic bool
	// Trust says whose certificate is taken, with rtsps and of ONVIF with https.
	Trust tlstrust.Trust
	// CAFile is the file that Trust.CA is of, for the configuration to paste.
	CAFile string
	// For is how long the stream is looked at; 0: DefaultFor.
	For time.Duration
	// Timeout bounds each connection and answer; 0: rtsp.DefaultReadTimeout.
	Timeout time.Duration
	// ONVIF is the URL of the device service, empty to try the usual ones, or
	// NoONVIF.
	ONVIF string
	// Transport is rtsp.TransportAuto when empty.
	Transport rtsp.Transport
	// Name is the camera's in the configuration to paste; empty: made of the host.
	Name string
}

// target is what is looked at.
type target struct {
	url  string // without user; empty: to be found
	host string
	port string // of RTSP; empty: to be found
}

// prepare checks the options and takes the target apart.
func (o *Options) prepare() (target, error) {
	if o.For == 0 {
		o.For = DefaultFor
	}
	if o.Timeout == 0 {
		o.Timeout = rtsp.DefaultReadTimeout
	}
	if o.Transport == "" {
		o.Transport = rtsp.TransportAuto
	}
	if o.For < 0 || o.For > MaxFor || o.Timeout < 0 {
		return target{}, fmt.Errorf("a stream is looked at for up to %v; correct the times", MaxFor)
	}
	t, err := o.split()
	if err != nil {
		return t, err
	}
	if o.Name == "" {
		o.Name = nameOf(t.host)
	}
	if err := transport.CheckName(o.Name); err != nil {
		return t, err
	}
	if t.url != "" {
		// What is wrong in a URL is said before anything is connected to.
		if err := o.config(t.url, false).Check(); err != nil {
			return t, err
		}
		if o.Trust != (tlstrust.Trust{}) && !strings.HasPrefix(t.url, "rtsps:") && !strings.HasPrefix(o.ONVIF, "https:") {
			return t, errors.New("--fingerprint and --ca are for rtsps:// and for --onvif https://, and neither is given; correct the URL or leave them out")
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
			return target{}, errors.New("this is no URL")
		}
		if u.User != nil {
			if o.User != "" {
				return target{}, errors.New("there is a user in the URL and beside it; remove one of them")
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
		return t, errors.New("the target is neither rtsp://HOST/PATH nor HOST nor HOST:PORT")
	}
	return t, nil
}

var (
	hostRE    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	notNameRE = regexp.MustCompile(`[^a-z0-9]+`)
)

// nameOf makes a camera's name of its host.
func nameOf(host string) string {
	name := strings.Trim(notNameRE.ReplaceAllString(strings.ToLower(host), "-"), "-")
	if _, err := netip.ParseAddr(host); err == nil || name == "" {
		name = "camera-" + name
	}
	return strings.Trim(name[:min(len(name), 40)], "-")
}

// config is a client's for a URL.
func (o *Options) config(u string, login bool) rtsp.Config {
	c := rtsp.Config{Camera: o.Name, URL: u, Transport: o.Transport, AllowBasic: o.AllowBasic, ReadTimeout: o.Timeout}
	p, err := url.Parse(u)
	if err != nil {
		return c
	}
	if p.Scheme == "rtsps" { // others among the URLs that are tried have no certificate
		c.Trust = o.Trust
	}
	if login && o.User != "" {
		p.User = url.UserPassword(o.User, o.Password)
		c.URL = p.String()
	}
	return c
}
