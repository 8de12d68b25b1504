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

// CameraURL is the URL of a camera's stream. Its scheme is rtsp or rtsps, because a
// URL in a configuration must not reach anything else. It prints without
// credentials. The zero value holds no URL.
type CameraURL struct{ u *url.URL }

// UnmarshalText accepts an rtsp or rtsps URL.
func (c *CameraURL) UnmarshalText(text []byte) error {
	if len(text) > maxURLBytes {
		return fmt.Errorf("URL longer than %d bytes", maxURLBytes)
	}
	u, err := url.Parse(string(text))
	switch {
	case err != nil:
		// The parser's message quotes the URL, and with it the password.
		return errors.New("invalid URL: percent-encode special characters, or put the password into `password`")
	case u.Scheme != "rtsp" && u.Scheme != "rtsps":
		return errors.New("invalid camera URL: must start with rtsp:// or rtsps://")
	case u.Hostname() == "":
		return errors.New("URL without a host: write rtsp://HOST/PATH")
	case u.Fragment != "" || strings.HasSuffix(string(text), "#"):
		return errors.New("URL with a '#': write it as %23")
	}
	if p := u.Port(); p != "" && !validPort(p) {
		return errors.New("invalid port in URL: must be a number from 1 to 65535")
	}
	c.u = u
	return nil
}

// IsSet reports whether there is a URL.
func (c CameraURL) IsSet() bool { return c.u != nil }

// String returns the URL without user and password, and with whatever looks like
// credentials in path and query masked.
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

// UnmarshalText accepts https://HOST[:PORT], http://HOST[:PORT] or *.
func (o *Origin) UnmarshalText(text []byte) error {
	if string(text) != "*" {
		u, err := url.Parse(string(text))
		if err != nil || len(text) > maxURLBytes || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != string(text) {
			return fmt.Errorf("invalid origin %q: write https://HOST, or * for every site", clip(text))
		}
	}
	*o = Origin(text)
	return nil
}

// Address is where a server listens, HOST:PORT. An empty host means all addresses
// of the machine.
type Address string

// UnmarshalText accepts HOST:PORT with a numeric port.
func (a *Address) UnmarshalText(text []byte) error {
	host, port, err := net.SplitHostPort(string(text))
	if err != nil || (port != "0" && !validPort(port)) || strings.ContainsAny(host, " /@") {
		return fmt.Errorf("invalid listen address %q: must be HOST:PORT, such as 127.0.0.1:8080 or :8080", clip(text))
	}
	*a = Address(text)
	return nil
}

// Loopback reports whether only this machine can reach the address.
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

// UnmarshalText accepts nats:// and tls:// URLs without user and password.
func (n *NATSURLs) UnmarshalText(text []byte) error {
	if len(text) > maxURLBytes {
		return fmt.Errorf("URLs longer than %d bytes", maxURLBytes)
	}
	for part := range strings.SplitSeq(string(text), ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		switch {
		case err != nil || (u.Scheme != "nats" && u.Scheme != "tls") || u.Hostname() == "" || (u.Port() != "" && !validPort(u.Port())):
			return errors.New("invalid URL of a NATS server: must be nats://HOST:4222 or tls://HOST:4222")
		case u.User != nil:
			return errors.New("URL with credentials: put them into `nats.user` and `nats.password`")
		case u.Path != "" || u.RawQuery != "" || u.Fragment != "":
			return errors.New("invalid URL of a NATS server: must end with the port")
		}
	}
	*n = NATSURLs(text)
	return nil
}

// ICEURL is the URL of a STUN or TURN server (RFC 7064, RFC 7065).
type ICEURL string

// UnmarshalText accepts stun:, stuns:, turn: and turns: URLs.
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
	// The URL becomes part of a Link header: reject whatever could end it.
	ok = ok && host != "" && len(s) <= maxURLBytes && !strings.ContainsAny(host, " \t\r\n<>\"@/#;,")
	ok = ok && (!hasQuery || turn && (query == "transport=udp" || query == "transport=tcp"))
	if !ok {
		return fmt.Errorf("invalid ICE server %q: must be stun:HOST:3478, turn:HOST:3478?transport=udp or turns:HOST:5349", clip(text))
	}
	*i = ICEURL(s)
	return nil
}

// turn reports whether the server relays, and so needs user and password.
func (i ICEURL) turn() bool { return strings.HasPrefix(string(i), "turn") }

func validPort(s string) bool {
	p, err := strconv.ParseUint(s, 10, 16)
	return err == nil && p > 0
}
