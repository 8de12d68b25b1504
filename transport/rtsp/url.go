package rtsp

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// maxURLBytes bounds a camera's URL: gortsplib accepts no longer request line.
const maxURLBytes = 2048

// secretRE matches credentials in the path or query, which some cameras require, such
// as "/user=admin_password=x_channel=1" of the XM family.
var secretRE = regexp.MustCompile(`(?i)((?:user|usr|login|pass|pwd|psw|token|key|auth|secret|sig|session)[a-z]*=)[^&/;]*`)

// errNotAURL does not quote the URL. url.Parse quotes the part that it cannot parse,
// which is the password if that contains a '/'.
var errNotAURL = errors.New("is not a URL of the form rtsp://user:password@host:port/path " +
	"(write '/', '#', '?', '@', ':' and '%' in user or password as %2F, %23, %3F, %40, %3A, %25)")

// parseURL accepts only rtsp and rtsps URLs. A camera's URL comes from a configuration
// or an API and must never become a request to another kind of service (SSRF).
func parseURL(s string) (*base.URL, error) {
	switch {
	case s == "":
		return nil, errors.New("is empty")
	case len(s) > maxURLBytes:
		return nil, errors.New("is longer than " + strconv.Itoa(maxURLBytes) + " bytes")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return nil, errors.New("contains a space or a control character")
	}
	scheme, _, found := strings.Cut(s, "://")
	if !found {
		return nil, errNotAURL
	}
	if l := strings.ToLower(scheme); l != "rtsp" && l != "rtsps" {
		return nil, errors.New("must begin with rtsp:// or rtsps://; other schemes are not allowed")
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || u.Fragment != "" || u.RawFragment != "" {
		return nil, errNotAURL
	}
	// "rtsp://admin:12/34@host/" parses with host "admin" and port 12: the
	// unescaped password would be sent to a name server.
	if u.User == nil && strings.Contains(s, "@") {
		return nil, errNotAURL
	}
	// "rtsp://admin:p@ss/word@host/" parses with host "ss": the rest of the password
	// would be sent there and shown as a path.
	if rest := u.EscapedPath() + "?" + u.RawQuery; strings.Contains(rest, "@") {
		return nil, errors.New("contains an @ after its host: write @ / ? # in user and password as %40 %2F %3F %23, and @ in a path as %40")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return nil, errors.New("has an invalid port: must be 1 to 65535")
		}
	}
	return (*base.URL)(u), nil
}

// RedactURL returns a URL that is fit for logs, errors and the page: without user and
// password, and with values masked that look like credentials in path and query. An
// invalid URL is not shown.
func RedactURL(s string) string {
	u, err := parseURL(s)
	if err != nil {
		return "(unreadable URL)"
	}
	return redact(u)
}

func redact(u *base.URL) string {
	return secretRE.ReplaceAllString(u.CloneWithoutCredentials().String(), "${1}***")
}

// address returns the host and port to dial.
func address(u *base.URL) string { return net.JoinHostPort(u.Hostname(), port(u)) }

// port returns the URL's port, by default 554, or 322 with TLS (RFC 7826, section
// 19.2).
func port(u *base.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "rtsps":
		return "322"
	}
	return "554"
}
