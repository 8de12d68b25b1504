package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"scrim/transport"
	"scrim/transport/rtsp"
)

// rtspPorts and paths are tried in turn if only a host is known. The paths are those
// of the most common vendors.
var (
	rtspPorts = []struct{ scheme, port string }{{"rtsp", "554"}, {"rtsp", "8554"}, {"rtsps", "322"}}
	paths     = []string{
		"/", "/stream1", "/Streaming/Channels/101", "/cam/realmonitor?channel=1&subtype=0", "/axis-media/media.amp", "/live", "/h264",
		"/profile1/media.smp", "/h264Preview_01_main", "/onvif1", "/live/ch0", "/camera",
	}
)

// knockTimeout bounds the check whether a port is open, in the local network.
const knockTimeout = 2 * time.Second

// prober is one run.
type prober struct {
	o Options
	t target
	r *Report
	// refused is set when credentials were refused. They are never tried again.
	refused bool
	// notPinned is set when a certificate was not the pinned one; nothing more is sent
	// then. certificate is set when a certificate of ONVIF was rejected.
	notPinned   bool
	certificate bool
}

// errNotPinned means that the certificate is not the pinned one.
var errNotPinned = errors.New("certificate is not the pinned one")

// Run probes a camera. It returns an error of one line if nothing could be reached, or
// if the options are invalid.
func Run(ctx context.Context, o Options) (*Report, error) {
	t, err := o.prepare()
	if err != nil {
		return nil, err
	}
	p := &prober{o: o, t: t, r: &Report{Login: loginNotTried, Problems: []Problem{}}}
	if t.url != "" {
		err = p.stream(ctx, t.url)
		if ctx.Err() == nil && !noSuchHost(err) && !p.notPinned {
			p.device(ctx)
		}
	} else {
		// Query ONVIF for the path.
		var found []string
		if found, err = p.open(ctx); err != nil && o.ONVIF == "" {
			return nil, err
		}
		uri := p.device(ctx)
		switch {
		case p.notPinned:
		case uri != "":
			err = p.stream(ctx, uri)
		case err == nil:
			err = p.search(ctx, found)
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && p.r.Address == "" && p.r.Device == nil && !p.certificate {
		return nil, err
	}
	p.judge(err)
	if why := p.r.fatal(); why != nil {
		p.r.NoYAML = "no configuration for scrim.yaml, because the camera would not work: " + why.What
	} else {
		p.r.YAML = p.yaml()
	}
	return p.r, nil
}

// noSuchHost reports whether further requests are pointless.
func noSuchHost(err error) bool {
	var e *rtsp.Error
	return errors.As(err, &e) && (e.Public() == "name not found" || e.Public() == "no answer")
}

// open returns the base URLs of open RTSP ports.
func (p *prober) open(ctx context.Context) (bases []string, err error) {
	for _, candidate := range rtspPorts {
		port := candidate.port
		if p.t.port != "" {
			port = p.t.port
		}
		address := net.JoinHostPort(p.t.host, port)
		d := net.Dialer{Timeout: min(knockTimeout, p.o.Timeout)}
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			bases = append(bases, candidate.scheme+"://"+address)
		}
		if p.t.port != "" {
			break
		}
	}
	if len(bases) == 0 {
		ports := "ports 554, 8554 and 322"
		if p.t.port != "" {
			ports = "port " + p.t.port
		}
		return nil, fmt.Errorf("%s: no answer at %s; check that the camera is on and the address is right, or use its RTSP URL", p.t.host, ports)
	}
	return bases, nil
}

// search tries common paths: without credentials until one exists or requires them,
// then with credentials until they are refused.
func (p *prober) search(ctx context.Context, bases []string) error {
	var last error
	for _, base := range bases {
		for _, path := range paths {
			err := p.stream(ctx, base+path)
			if err == nil || ctx.Err() != nil {
				return err
			}
			last = err
			// A camera that requires a login does so for any path, so only a successful
			// login shows whether a path exists.
			if !errors.Is(err, rtsp.ErrNotFound) {
				break
			}
		}
		if p.r.Address != "" && !errors.Is(last, rtsp.ErrUnreachable) && !errors.Is(last, rtsp.ErrNotFound) {
			if errors.Is(last, rtsp.ErrCredentials) {
				p.r.URL = "" // a guess
			}
			return last
		}
	}
	if errors.Is(last, rtsp.ErrNotFound) {
		p.r.URL = ""
		return fmt.Errorf("%s has an RTSP server, but no stream at any of %d common paths", p.t.host, len(paths))
	}
	return last
}

// stream probes the stream at a URL.
func (p *prober) stream(ctx context.Context, u string) error {
	r := p.r
	r.URL = rtsp.RedactURL(u)
	c, err := rtsp.NewClient(p.o.config(u, false))
	if err != nil {
		return err
	}
	g, err := c.Describe(ctx)
	if g != nil {
		r.Address, r.TLS, r.Server, r.Methods, r.Logins, r.Tracks = g.Address, g.TLS, g.Server, g.Methods, g.Logins, g.Tracks
	}
	if p.notPinned = r.TLS != nil && r.TLS.Problem != "" && p.o.Trust.Fingerprint != ""; p.notPinned {
		return errNotPinned
	}
	if err != nil {
		return err
	}
	r.Open = g.Status == http.StatusOK
	login := !r.Open && p.o.User != "" && !p.refused
	switch {
	case r.Open:
		r.Login = loginNotNeeded
	case g.Status == http.StatusUnauthorized && !login:
		return fmt.Errorf("%w: the camera requires user and password", rtsp.ErrCredentials)
	}
	p.t.url = u
	if c, err = rtsp.NewClient(p.o.config(u, login)); err != nil {
		return err
	}
	var k watched
	var take func(transport.CameraUnit)
	if p.o.Redactor != "" {
		take = k.add
	}
	s, err := c.Analyze(ctx, p.o.For, take)
	if errors.Is(err, rtsp.ErrCredentials) {
		// A scheme that is not allowed or not known was not tried.
		e, ok := errors.AsType[*rtsp.Error](err)
		if p.refused = login && ok && e.LoginRefused; p.refused {
			r.Login = loginRefused
		}
		return err
	}
	if login && (err == nil || errors.Is(err, rtsp.ErrNotFound) || len(s.Tracks) > 0) {
		r.Login = loginAccepted
	}
	if len(s.Tracks) > 0 {
		r.URL, r.Tracks, r.Transport, r.SetsInDescription = s.URL, s.Tracks, s.Transport, s.SetsInDescription
	}
	if s.Server != "" {
		r.Server = s.Server
	}
	if s.Stream.Packets > 0 {
		r.Stream = &s.Stream
		p.look(ctx, &k)
	}
	return err
}
