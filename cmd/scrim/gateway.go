package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"scrim/cmd/internal/config"
	"scrim/transport/bus"
	"scrim/transport/gateway"
	"scrim/transport/webrtc"
)

// listeners are the open addresses of a gateway; nil: not wanted.
type listeners struct{ http, rtsp, onvif net.Listener }

// listen opens the addresses of the configuration.
func listen(ctx context.Context, cfg *config.Config) (*listeners, error) {
	l := &listeners{}
	for _, a := range []struct {
		to      *net.Listener
		address config.Address
		what    string
		advice  string
	}{
		{&l.http, cfg.HTTP.Listen, "HTTP", "choose another address with --http or `http.listen`"},
		{&l.rtsp, cfg.RTSPServer.Listen, "RTSP server", "choose another address with `rtsp_server.listen`"},
		{&l.onvif, cfg.RTSPServer.ONVIF, "ONVIF device", "choose another address with `rtsp_server.onvif`"},
	} {
		if a.address == "" {
			continue
		}
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", string(a.address))
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			err = fmt.Errorf("%s: %s is in use, perhaps by another Scrim; %s", a.what, a.address, a.advice)
		case err != nil:
			err = fmt.Errorf("%s: %w; %s", a.what, err, a.advice)
		}
		if err != nil {
			l.close()
			return nil, err
		}
		*a.to = ln
	}
	return l, nil
}

// close closes all that are open.
func (l *listeners) close() {
	for _, ln := range []net.Listener{l.http, l.rtsp, l.onvif} {
		if ln != nil {
			_ = ln.Close()
		}
	}
}

// newGateway makes the gateway of a configuration. It closes the listeners.
func newGateway(cfg *config.Config, conn *bus.Conn, l *listeners, log *slog.Logger) (*gateway.Gateway, error) {
	h := &cfg.HTTP
	o := gateway.Options{
		Site: string(cfg.Site), Conn: conn, Listener: l.http, Version: programVersion(), Log: log,
		WebRTC: webrtc.Options{Hosts: append([]string(nil), h.Hosts...), Token: h.Token.Value(), PublicIPs: h.PublicIPs, UDPPort: int(h.UDPPort)},
	}
	// Without a token a page of another name that resolves to this machine is not ours.
	if host, _, err := net.SplitHostPort(string(h.Listen)); err == nil && host != "" {
		o.WebRTC.Hosts = append(o.WebRTC.Hosts, host)
	}
	for _, s := range h.ICEServers {
		o.WebRTC.ICEServers = append(o.WebRTC.ICEServers, webrtc.ICEServer{URL: string(s.URL), User: s.User, Password: s.Password.Value()})
	}
	for _, origin := range h.AllowOrigins {
		o.WebRTC.AllowOrigins = append(o.WebRTC.AllowOrigins, string(origin))
	}
	if len(h.AllowOrigins) == 0 && h.Token.IsSet() {
		o.WebRTC.AllowOrigins = []string{"*"}
	}
	if r := &cfg.RTSPServer; l.rtsp != nil {
		secure, err := certificate(r.TLS)
		if err != nil {
			return nil, err
		}
		o.RTSP = &gateway.RTSPOptions{
			Listener: l.rtsp, ONVIF: l.onvif, TLS: secure, UDPPort: int(r.UDPPort), MaxSessions: int(r.MaxSessions), Users: r.AuthUsers(),
		}
	}
	return gateway.New(o)
}

// certificate loads a certificate; nil without one.
func certificate(t config.TLS) (*tls.Config, error) {
	if t.Cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("rtsp_server.tls: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
