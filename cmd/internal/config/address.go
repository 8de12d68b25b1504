package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"scrim/transport/rtsp"
)

// maxURLBytes bounds every URL.
const maxURLBytes = 2048

// CameraURL is where a camera's stream is. The scheme is rtsp or rtsps: a URL
// in a configuration must not reach anything else. It prints without
// credentials. The zero value is no URL.
type CameraURL struct{ u *url.URL }

// UnmarshalText takes an rtsp or rtsps URL.
func (c *CameraURL) UnmarshalText(text []byte) error {
	if len(text) > maxURLBytes {
		return fmt.Errorf("a URL may have %d bytes", maxURLBytes)
	}
	u, err := url.Parse(string(text))
	switch {
	case err != nil:
		// The parser's message quotes the URL, and with it the password.
		return errors.New("this is no URL; percent-encode special characters, or put the password into `password`")
	case u.Scheme != "rtsp" && u.Scheme != "rtsps":
		return errors.New("a camera's URL starts with rtsp:// or rtsps://")
	case u.Hostname() == "":
		return errors.New("the URL names no host; write rtsp://HOST/PATH")
	case u.Fragment != "" || strings.HasSuffix(string(text), "#"):
		return errors.New("the URL holds a '#'; write it as %23")
	}
	if p := u.Port(); p != "" && !validPort(p) {
		return errors.New("the URL's port is not a number from 1 to 65535")
	}
	c.u = u
	return nil
}

// IsSet reports whether there is a URL.
func (c CameraURL) IsSet() bool { return c.u != nil }

// String returns the URL as it may be shown: without user and password, and with
// what looks like credentials in path and query masked.
func (c CameraURL) String() string {
	if c.u == nil {
		return ""
	}
	return rtsp.RedactURL(c.u.String())
}

// GoString is String, for %#v.
func (c CameraURL) GoString() string { return c.String() }

// MarshalText is String, for JSON, YAML and slog.
func (c CameraURL) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Origin is another site whose pages may use the API (RFC 6454), or "*".
type Origin string

// UnmarshalText takes https://HOST[:PORT], http://HOST[:PORT] or *.
func (o *Origin) UnmarshalText(text []byte) error {
	if string(text) != "*" {
		u, err := url.Parse(string(text))
		if err != nil || len(text) > maxURLBytes || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != string(text) {
			return fmt.Errorf("%q is no origin; write https://HOST, or * for every site", clip(text))
		}
	}
	*o = Origin(text)
	return nil
}

// Address is where a server listens: HOST:PORT, an empty host meaning all
// addresses of the machine.
type Address string

// UnmarshalText takes HOST:PORT with a numeric port.
func (a *Address) UnmarshalText(text []byte) error {
	host, port, err := net.SplitHostPort(string(text))
	if err != nil || (port != "0" && !validPort(port)) || strings.ContainsAny(host, " /@") {
		return fmt.Errorf("%q is no address to listen at; write HOST:PORT, such as 127.0.0.1:8080 or :8080", clip(text))
	}
	*a = Address(text)
	return nil
}

// Loopback reports whether only this machine reaches the address.
func (a Address) Loopback() bool {
	host, _, err := net.SplitHostPort(string(a))
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// NATSURLs is one URL of a NATS server, or several separated by commas.
type NATSURLs string

// UnmarshalText takes nats:// and tls:// URLs without user and password.
func (n *NATSURLs) UnmarshalText(text []byte) error {
	if len(text) > maxURLBytes {
		return fmt.Errorf("it may have %d bytes", maxURLBytes)
	}
	for part := range strings.SplitSeq(string(text), ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		switch {
		case err != nil || (u.Scheme != "nats" && u.Scheme != "tls") || u.Hostname() == "" || (u.Port() != "" && !validPort(u.Port())):
			return errors.New("this is no URL of a NATS server; write nats://HOST:4222 or tls://HOST:4222")
		case u.User != nil:
			return errors.New("put user and password into `nats.user` and `nats.password`, not into the URL")
		case u.Path != "" || u.RawQuery != "" || u.Fragment != "":
			return errors.New("the URL of a NATS server ends with its port")
		}
	}
	*n = NATSURLs(text)
	return nil
}

// ICEURL is the URL of a STUN or TURN server (RFC 7064, RFC 7065).
type ICEURL string

// UnmarshalText takes stun:, stuns:, turn: and turns: URLs.
func (i *ICEURL) UnmarshalText(text []byte) error {
	s := string(text)
	scheme, rest, _ := strings.Cut(s, ":")
	host, query, hasQuery := strings.Cut(rest, "?")
	turn := scheme == "turn" || scheme == "turns"
	ok := turn || scheme == "stun" || scheme == "stuns"
	if h, port, err := net.SplitHostPort(host); err == nil {
		ok = ok && validPort(port)
		host = h
	}
	// The URL becomes part of a Link header: nothing that could end it.
	ok = ok && host != "" && len(s) <= maxURLBytes && !strings.ContainsAny(host, " \t\r\n<>\"@/#;,")
	ok = ok && (!hasQuery || turn && (query == "transport=udp" || query == "transport=tcp"))
	if !ok {
		return fmt.Errorf("%q is no ICE server; write stun:HOST:3478, turn:HOST:3478?transport=udp or turns:HOST:5349", clip(text))
	}
	*i = ICEURL(s)
	return nil
}

// turn reports whether the server relays, and so wants user and password.
func (i ICEURL) turn() bool { return strings.HasPrefix(string(i), "turn") }

func validPort(s string) bool {
	p, err := strconv.ParseUint(s, 10, 16)
	return err == nil && p > 0
}
