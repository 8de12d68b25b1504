package rtspserver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtcp"

	"scrim/transport"
	"scrim/transport/auth"
)

// maxChallenges bounds the requests of a connection without credentials.
const maxChallenges = 4

// connection is the state of a connection. Only its own goroutines use it, one at a
// time.
type connection struct {
	idle       *time.Timer
	challenges int
	// camera was described to the client with this size.
	camera        string
	width, height int
}

// OnConnOpen implements gortsplib.ServerHandlerOnConnOpen.
func (s *Server) OnConnOpen(ctx *gortsplib.ServerHandlerOnConnOpenCtx) {
	ctx.Conn.SetUserData(&connection{idle: time.AfterFunc(s.idle, ctx.Conn.Close)})
}

// OnConnClose implements gortsplib.ServerHandlerOnConnClose.
func (s *Server) OnConnClose(ctx *gortsplib.ServerHandlerOnConnCloseCtx) {
	of(ctx.Conn).idle.Stop()
}

func of(conn *gortsplib.ServerConn) *connection { return conn.UserData().(*connection) }

// OnResponse implements gortsplib.ServerHandlerOnResponse.
func (s *Server) OnResponse(_ *gortsplib.ServerConn, res *base.Response) {
	res.Header["Server"] = base.HeaderValue{"Scrim"}
}

// refusal is the answer to a request that is not granted.
type refusal struct {
	status base.StatusCode
	header base.Header
	err    error // closes the connection
}

func (r *refusal) response() *base.Response {
	return &base.Response{StatusCode: r.status, Header: r.header}
}

func refuse(status base.StatusCode) *refusal { return &refusal{status: status} }

// admit returns the camera of a request, or why the client may not have it. A user
// without access to a camera does not learn whether it exists.
func (s *Server) admit(conn *gortsplib.ServerConn, req *base.Request, path string) (string, *refusal) {
	from := addressOf(conn.NetConn().RemoteAddr())
	user, stale, err := s.o.Access.Digest(from, string(req.Method), req.Header["Authorization"], func(uri string) bool { return fits(uri, path) })
	switch {
	case errors.Is(err, auth.ErrMissing):
		c := of(conn)
		if c.challenges++; c.challenges > maxChallenges {
			return "", &refusal{status: base.StatusUnauthorized, err: errors.New("no credentials after several challenges")}
		}
		return "", &refusal{status: base.StatusUnauthorized, header: base.Header{"WWW-Authenticate": s.o.Access.Challenge(from, stale)}}
	case err != nil:
		s.count.unauthorised.Add(1)
		return "", &refusal{
			status: base.StatusUnauthorized, header: base.Header{"WWW-Authenticate": s.o.Access.Challenge(from, false)},
			err: liberrors.ErrServerAuth{}, // ends the connection
		}
	}
	camera := strings.Trim(path, "/")
	if !user.MayWatch(camera) {
		return "", refuse(base.StatusForbidden)
	}
	if transport.CheckName(camera) != nil || !s.o.Source.Knows(camera) {
		return "", refuse(base.StatusNotFound)
	}
	return camera, nil
}

// fits reports whether a client has signed the path that it requests. Clients differ in
// whether they include host, track and trailing slash.
func fits(uri, path string) bool {
	u, err := base.ParseURL(uri)
	if err != nil {
		return strings.Trim(uri, "/") == strings.Trim(path, "/")
	}
	signed, _, _ := strings.Cut(u.Path, "/trackID=")
	return strings.Trim(signed, "/") == strings.Trim(path, "/")
}

func addressOf(a net.Addr) netip.Addr {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return p.Addr().Unmap()
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (s *Server) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	camera, no := s.admit(ctx.Conn, ctx.Request, ctx.Path)
	if no != nil {
		return no.response(), nil, no.err
	}
	hub := s.hubs.Acquire(camera)
	if hub == nil {
		return refuse(base.StatusServiceUnavailable).response(), nil, nil
	}
	defer s.hubs.Release(hub)
	wait, cancel := context.WithTimeout(s.ctx, s.describe)
	defer cancel()
	key, err := hub.LastKeyframe(wait)
	s.mu.Lock()
	sent := s.sent[camera]
	s.sent[camera] = sent || err == nil
	s.mu.Unlock()
	if err != nil {
		s.log.Info("no data from requested camera", "camera", camera)
		if sent {
			return refuse(base.StatusServiceUnavailable).response(), nil, nil
		}
		return refuse(base.StatusNotFound).response(), nil, nil
	}
	body, err := describe(camera, key.Data)
	if err != nil {
		return refuse(base.StatusInternalServerError).response(), nil, err
	}
	c := of(ctx.Conn)
	c.camera, c.width, c.height = camera, key.Width, key.Height
	return &base.Response{StatusCode: base.StatusOK, Body: body}, nil, nil
}

// OnSetup implements gortsplib.ServerHandlerOnSetup. It must not block: it would block
// all other connections.
func (s *Server) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	camera, no := s.admit(ctx.Conn, ctx.Request, ctx.Path)
	if no != nil {
		return no.response(), nil, no.err
	}
	// Sessions of a camera share the stream, and so would share the key of SRTP. Two
	// streams under one key reveal both. With TLS, SRTP is not necessary.
	var offers headers.Transports
	if err := offers.Unmarshal(ctx.Request.Header["Transport"]); err != nil {
		return refuse(base.StatusBadRequest).response(), nil, nil
	}
	for _, o := range offers {
		if o.Secure {
			return refuse(base.StatusUnsupportedTransport).response(), nil, nil
		}
	}
	stream, err := s.stream(camera)
	if err != nil {
		return refuse(base.StatusServiceUnavailable).response(), nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[ctx.Session] == nil {
		if len(s.sessions) >= s.o.MaxSessions {
			s.count.refused.Add(1)
			s.log.Warn("RTSP session limit reached", "limit", s.o.MaxSessions)
			return refuse(base.StatusNotEnoughBandwidth).response(), nil, nil
		}
		s.sessions[ctx.Session] = newClient(s, camera, ctx, stream)
	}
	of(ctx.Conn).idle.Stop()
	return &base.Response{StatusCode: base.StatusOK}, stream, nil
}

// OnPlay implements gortsplib.ServerHandlerOnPlay.
func (s *Server) OnPlay(ctx *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	s.mu.Lock()
	c := s.sessions[ctx.Session]
	s.mu.Unlock()
	switch {
	case c == nil:
		return refuse(base.StatusServiceUnavailable).response(), nil
	case c.hub != nil: // playing already
		return &base.Response{StatusCode: base.StatusOK}, nil
	}
	if c.hub = s.hubs.Acquire(c.camera); c.hub == nil {
		return refuse(base.StatusServiceUnavailable).response(), nil
	}
	hub := c.hub
	ctx.Session.OnPacketRTCPAny(func(_ *descriptionMedia, p rtcp.Packet) {
		switch p.(type) {
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			hub.RequestKeyframe()
		}
	})
	s.count.played.Add(1)
	s.log.Info("client started playback", "camera", c.camera, "from", c.from, "transport", ctx.Session.SetuppedTransport().String())
	s.wg.Go(c.run)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose implements gortsplib.ServerHandlerOnSessionClose.
func (s *Server) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	s.mu.Lock()
	c := s.sessions[ctx.Session]
	delete(s.sessions, ctx.Session)
	s.mu.Unlock()
	if c == nil {
		return
	}
	c.cancel()
	s.log.Debug("session ended", "camera", c.camera, "from", c.from, "error", ctx.Error)
}

// OnDecodeError implements gortsplib.ServerHandlerOnDecodeError. The client sent
// invalid RTCP.
func (s *Server) OnDecodeError(ctx *gortsplib.ServerHandlerOnDecodeErrorCtx) {
	s.log.Debug("client packet dropped", "error", ctx.Error)
}
