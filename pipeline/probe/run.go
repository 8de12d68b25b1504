package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"scrim/transport/rtsp"
)

// rtspPorts and paths are tried, in turn, where only a host is known. Paths are
// those of the commonest makers, and what others took from them.
var (
	rtspPorts = []struct{ scheme, port string }{{"rtsp", "554"}, {"rtsp", "8554"}, {"rtsps", "322"}}
	paths     = []string{
		"/", "/stream1", "/Streaming/Channels/101", "/cam/realmonitor?channel=1&subtype=0", "/axis-media/media.amp", "/live", "/h264",
		"/profile1/media.smp", "/h264Preview_01_main", "/onvif1", "/live/ch0", "/camera",
	}
)

// knockTimeout bounds finding out whether a port is open, in the same network.
const knockTimeout = 2 * time.Second

// prober is one run.
type prober struct {
	o Options
	t target
	r *Report
	// refused is set when credentials were refused: they are not tried again,
	// whatever for.
	refused bool
	// stranger is set when somebody has shown another certificate than the pinned one:
	// nothing more is asked. certificate is set when ONVIF has shown one in vain.
	stranger    bool
	certificate bool
}

// errStranger is that the certificate is not the pinned one.
var errStranger = errors.New("another certificate than the pinned one")

// Run looks at a camera. The error is one line; it is set when nothing could be
// reached, or the options are wrong.
func Run(ctx context.Context, o Options) (*Report, error) {
	t, err := o.prepare()
	if err != nil {
		return nil, err
	}
	p := &prober{o: o, t: t, r: &Report{Login: loginNotTried, Problems: []Problem{}}}
	if t.url != "" {
		err = p.stream(ctx, t.url)
		if ctx.Err() == nil && !noSuchHost(err) && !p.stranger {
			p.device(ctx)
		}
	} else {
		// ONVIF knows the path.
		var found []string
		if found, err = p.open(ctx); err != nil && o.ONVIF == "" {
			return nil, err
		}
		uri := p.device(ctx)
		switch {
		case p.stranger:
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
		p.r.NoYAML = "nothing to paste into scrim.yaml, because it could not work: " + why.What
	} else {
		p.r.YAML = p.yaml()
	}
	return p.r, nil
}

// noSuchHost is true where asking on makes no sense.
func noSuchHost(err error) bool {
	var e *rtsp.Error
	return errors.As(err, &e) && (e.Public() == "name not found" || e.Public() == "no answer")
}

// open returns the beginnings of URLs at which something listens.
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
		return nil, fmt.Errorf("%s: nothing answers at %s; see whether the camera is on and the address right, or give its RTSP URL", p.t.host, ports)
	}
	return bases, nil
}

// search tries common paths: without credentials until one is there or asks for
// them, then with them for as long as they are not refused.
func (p *prober) search(ctx context.Context, bases []string) error {
	var last error
	for _, base := range bases {
		for _, path := range paths {
			err := p.stream(ctx, base+path)
			if err == nil || ctx.Err() != nil {
				return err
			}
			last = err
			// Where it asks for a login, the path says nothing, unless we have been
			// let in.
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
		return fmt.Errorf("%s has an RTSP server, and no stream at any of %d common paths", p.t.host, len(paths))
	}
	return last
}

// stream greets and surveys what is at a URL.
func (p *prober) stream(ctx context.Context, u string) error {
	r := p.r
	r.URL = rtsp.RedactURL(u)
	c, err := rtsp.NewClient(p.o.config(u, false))
	if err != nil {
		return err
	}
	g, err := c.Greet(ctx)
	if g != nil {
		r.Address, r.TLS, r.Server, r.Methods, r.Logins, r.Tracks = g.Address, g.TLS, g.Server, g.Methods, g.Logins, g.Tracks
	}
	if p.stranger = r.TLS != nil && r.TLS.Problem != "" && p.o.Trust.Fingerprint != ""; p.stranger {
		return errStranger
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
		return fmt.Errorf("%w: the camera asks for user and password", rtsp.ErrCredentials)
	}
	p.t.url = u
	if c, err = rtsp.NewClient(p.o.config(u, login)); err != nil {
		return err
	}
	s, err := c.Survey(ctx, p.o.For)
	if errors.Is(err, rtsp.ErrCredentials) {
		// What is not allowed or not known was not tried.
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
	}
	return err
}
