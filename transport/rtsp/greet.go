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

// Greeting is what a camera says to somebody who shows no credentials.
type Greeting struct {
	// Address is the IP address and port that took the connection.
	Address string
	// TLS is set with rtsps.
	TLS *Certificate
	// Server is the camera's own name for its RTSP server, Methods what it can do.
	Server  string
	Methods []string
	// Status of the answer to DESCRIBE; 200 lets everyone watch, 401 wants a login.
	Status int
	// Logins are the ways in which it can be logged in to.
	Logins []Login
	// Tracks are those offered, where everyone may watch.
	Tracks []Track
}

// Certificate is what a camera shows with TLS.
type Certificate struct {
	Version     string    `json:"version"`
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	NotAfter    time.Time `json:"not_after"`
	Fingerprint string    `json:"sha256"` // of the certificate, hexadecimal
	// Problem is why it is not trusted; empty when it is.
	Problem string `json:"problem,omitempty"`
}

// Login is one way to log in.
type Login struct {
	// Scheme is Basic, "Digest MD5", "Digest SHA-256" or another's name.
	Scheme string `json:"scheme"`
	Realm  string `json:"realm,omitempty"`
	// QOP is set where a quality of protection is asked for.
	QOP bool `json:"qop,omitempty"`
}

// Greet asks a camera for its methods and the stream's description without any
// credentials, so that no account is locked, and over TLS whoever shows which
// certificate. The error is an *Error, or ctx's.
func (c *Client) Greet(ctx context.Context) (*Greeting, error) {
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
	g := &Greeting{Address: nc.RemoteAddr().String()}
	if c.url.Scheme == "rtsps" {
		// Nothing secret is sent; what matters is which certificate there is.
		tc := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}) //nolint:gosec // see above
		if err := tc.HandshakeContext(ctx); err != nil {
			s.dialErr = err
			return g, s.failure(err)
		}
		g.TLS = c.certificate(tc.ConnectionState())
		nc = tc
	}
	s.stage = stageDescribe
	s.wire = newStatusLineConn(nc)
	rc := conn.NewConn(s.wire)
	target := c.url.CloneWithoutCredentials()
	for i, method := range []base.Method{base.Options, base.Describe} {
		h := base.Header{"CSeq": {string(rune('1' + i))}, "User-Agent": {"scrim"}}
		if method == base.Describe {
			h["Accept"] = base.HeaderValue{"application/sdp"}
		}
		if err := rc.WriteRequest(&base.Request{Method: method, URL: target, Header: h}); err != nil {
			return g, s.failure(err)
		}
		res, err := rc.ReadResponse()
		if err != nil {
			return g, s.failure(err)
		}
		g.learn(method, res)
	}
	return g, nil
}

// learn reads an answer.
func (g *Greeting) learn(method base.Method, res *base.Response) {
	if v := res.Header["Server"]; len(v) > 0 && g.Server == "" {
		g.Server = quote(v[0])
	}
	if v := res.Header["Public"]; len(v) > 0 {
		for m := range strings.SplitSeq(quote(v[0]), ",") {
			g.Methods = append(g.Methods, strings.TrimSpace(m))
		}
	}
	if method != base.Describe {
		return
	}
	g.Status = int(res.StatusCode)
	if res.StatusCode == base.StatusOK {
		g.Tracks = readTracks(res.Body)
	}
	for _, v := range res.Header["WWW-Authenticate"] {
		g.Logins = append(g.Logins, readLogin(v))
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

// certificate says what a camera shows, and whether it is trusted.
func (c *Client) certificate(st tls.ConnectionState) *Certificate {
	if len(st.PeerCertificates) == 0 {
		return &Certificate{Problem: "it shows none"}
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
