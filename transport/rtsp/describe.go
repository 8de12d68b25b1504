package rtsp

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/conn"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"scrim/transport/tlstrust"
)

// ServerInfo is what a camera tells a client without credentials.
type ServerInfo struct {
	// Address is the IP address and port of the connection.
	Address string
	// TLS is set with rtsps.
	TLS *Certificate
	// Server is the camera's own name for its RTSP server; Methods are its methods.
	Server  string
	Methods []string
	// Status of the answer to DESCRIBE: with 200 anyone can watch, 401 requires a login.
	Status int
	// Logins are the ways to log in.
	Logins []Login
	// Tracks are the offered tracks if anyone can watch.
	Tracks []Track
}

// Certificate is the certificate that a camera presents.
type Certificate struct {
	Version     string    `json:"version"`
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	NotAfter    time.Time `json:"not_after"`
	Fingerprint string    `json:"sha256"` // of the certificate, hexadecimal
	// Problem is why the certificate is not trusted; empty if it is.
	Problem string `json:"problem,omitempty"`
}

// Login is one way to log in.
type Login struct {
	// Scheme is Basic, "Digest MD5", "Digest SHA-256" or another name.
	Scheme string `json:"scheme"`
	Realm  string `json:"realm,omitempty"`
	// QOP is set if a quality of protection is required.
	QOP bool `json:"qop,omitempty"`
}

// Describe asks a camera for its methods and the stream's description. It sends no
// credentials, so no account gets locked, and accepts any certificate. The error is an
// *Error, or ctx's; the results up to then are returned with it.
func (c *Client) Describe(ctx context.Context) (*ServerInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.ReadTimeout)
	defer cancel()
	s := newSession(c, c.url, TransportTCP, nil)
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", address(c.url))
	if err != nil {
		s.dialErr = err
		return nil, s.failure(err)
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })()
	info := &ServerInfo{Address: nc.RemoteAddr().String()}
	if c.url.Scheme == "rtsps" {
		// No secret is sent, and the result is about this certificate.
		tc := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}) //nolint:gosec // see above
		if err := tc.HandshakeContext(ctx); err != nil {
			s.dialErr = err
			return info, s.failure(err)
		}
		info.TLS = c.certificate(tc.ConnectionState())
		nc = tc
	}
	s.stage = stageDescribe
	s.conn = newStatusLineConn(nc)
	rc := conn.NewConn(s.conn)
	target := c.url.CloneWithoutCredentials()
	for i, method := range []base.Method{base.Options, base.Describe} {
		h := base.Header{"CSeq": {string(rune('1' + i))}, "User-Agent": {"scrim"}}
		if method == base.Describe {
			h["Accept"] = base.HeaderValue{"application/sdp"}
		}
		if err := rc.WriteRequest(&base.Request{Method: method, URL: target, Header: h}); err != nil {
			return info, s.failure(err)
		}
		res, err := rc.ReadResponse()
		if err != nil {
			return info, s.failure(err)
		}
		info.read(method, res)
	}
	return info, nil
}

// read reads an answer.
func (info *ServerInfo) read(method base.Method, res *base.Response) {
	if v := res.Header["Server"]; len(v) > 0 && info.Server == "" {
		info.Server = quote(v[0])
	}
	if v := res.Header["Public"]; len(v) > 0 {
		for m := range strings.SplitSeq(quote(v[0]), ",") {
			info.Methods = append(info.Methods, strings.TrimSpace(m))
		}
	}
	if method != base.Describe {
		return
	}
	info.Status = int(res.StatusCode)
	if res.StatusCode == base.StatusOK {
		info.Tracks = readTracks(res.Body)
	}
	for _, v := range res.Header["WWW-Authenticate"] {
		info.Logins = append(info.Logins, readLogin(v))
	}
}

// readLogin reads a challenge.
func readLogin(v string) Login {
	v = normalChallenge(v)
	var h headers.Authenticate
	if h.Unmarshal(base.HeaderValue{v}) != nil {
		scheme, _, _ := strings.Cut(quote(v), " ")
		return Login{Scheme: scheme}
	}
	l := Login{Realm: quote(h.Realm), Scheme: "Basic"}
	if h.Method == headers.AuthMethodDigest {
		l.Scheme, l.QOP = "Digest MD5", hasQOP(v)
		if h.Algorithm != nil && *h.Algorithm == headers.AuthAlgorithmSHA256 {
			l.Scheme = "Digest SHA-256"
		}
	}
	return l
}

// certificate describes the camera's certificate and whether it is trusted.
func (c *Client) certificate(st tls.ConnectionState) *Certificate {
	if len(st.PeerCertificates) == 0 {
		return &Certificate{Problem: "the camera presents no certificate"}
	}
	leaf := st.PeerCertificates[0]
	out := &Certificate{
		Version: tls.VersionName(st.Version), Subject: quote(leaf.Subject.String()), Issuer: quote(leaf.Issuer.String()),
		NotAfter: leaf.NotAfter, Fingerprint: tlstrust.Fingerprint(leaf),
	}
	if err := c.cfg.Trust.Verify(st, c.url.Hostname()); err != nil {
		out.Problem = quote(err.Error())
	}
	return out
}
