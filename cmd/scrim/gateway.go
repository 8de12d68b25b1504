package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"scrim/cmd/internal/config"
	"scrim/transport/bus"
	"scrim/transport/webrtc"
)

const (
	// headerTimeout and idleTimeout bound what a client may leave open.
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// shutdownTimeout is what requests get to end when the program does.
	shutdownTimeout = 2 * time.Second
	maxHeaderBytes  = 64 << 10
)

// listen opens the address of the page.
func listen(ctx context.Context, address config.Address) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", string(address))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("HTTP: %s is in use, perhaps by another Scrim; choose another address with --http or `http.listen`", address)
	case err != nil:
		return nil, fmt.Errorf("HTTP: %w; choose another address with --http or `http.listen`", err)
	}
	return ln, nil
}

// gateway serves viewers.
type gateway struct {
	cfg  *config.Config
	conn *bus.Conn
	ln   net.Listener
	log  *slog.Logger
}

// url is where viewers find the page.
func (g *gateway) url() string {
	host, port, err := net.SplitHostPort(g.ln.Addr().String())
	if err != nil {
		return "http://" + g.ln.Addr().String()
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// run serves until ctx ends; then it returns nil. It closes the listener.
func (g *gateway) run(ctx context.Context) error {
	defer func() { _ = g.ln.Close() }()
	source, err := newBusSource(g.conn, string(g.cfg.Site))
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	defer source.Close()
	var ice []webrtc.ICEServer
	for _, s := range g.cfg.HTTP.ICEServers {
		ice = append(ice, webrtc.ICEServer{URL: string(s.URL), User: s.User, Password: s.Password.Value()})
	}
	origins := make([]string, 0, len(g.cfg.HTTP.AllowOrigins))
	for _, o := range g.cfg.HTTP.AllowOrigins {
		origins = append(origins, string(o))
	}
	if len(origins) == 0 && g.cfg.HTTP.Token.IsSet() {
		origins = []string{"*"}
	}
	gw, err := webrtc.New(webrtc.Options{
		Source: source, AllowOrigins: origins, Token: g.cfg.HTTP.Token.Value(), ICEServers: ice,
		PublicIPs: g.cfg.HTTP.PublicIPs, UDPPort: int(g.cfg.HTTP.UDPPort), Log: g.log,
	})
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	server := &http.Server{
		Handler: gw.Handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(g.ln) }()
	select {
	case err = <-served:
		err = fmt.Errorf("gateway: %w", err)
	case <-g.conn.Done():
		err = fmt.Errorf("gateway: %w", errors.Join(g.conn.Err(), ctx.Err()))
	case <-ctx.Done():
		err = nil
	}
	closeErr := gw.Close() // ends sessions and streams of events, which Shutdown would wait for
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if serr := server.Shutdown(end); serr != nil {
		_ = server.Close()
	}
	if err == nil && closeErr != nil {
		err = fmt.Errorf("gateway: %w", closeErr)
	}
	return err
}
