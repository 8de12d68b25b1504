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

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"scrim/cmd/internal/config"
	"scrim/transport/bus"
	"scrim/transport/webrtc"
)

const (
	// headerTimeout and idleTimeout bound what a client may leave open.
	headerTimeout = 10 * time.Second
	readTimeout   = 15 * time.Second
	idleTimeout   = 2 * time.Minute
	// shutdownTimeout is what requests get to end when the program does.
	shutdownTimeout = 2 * time.Second
	maxHeaderBytes  = 64 << 10
	// maxConnections bounds the HTTP connections at a time.
	maxConnections = 2048
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

// ended says why a connection to NATS has ended.
func ended(conn *bus.Conn) error {
	if err := conn.Err(); err != nil {
		return err
	}
	return bus.ErrClosed
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

// hosts are the names by which viewers may call a gateway that asks for no
// token: a page of another name that resolves to this machine is not one of
// ours.
func (g *gateway) hosts() []string {
	hosts := append([]string(nil), g.cfg.HTTP.Hosts...)
	if host, _, err := net.SplitHostPort(string(g.cfg.HTTP.Listen)); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	return hosts
}

// run serves until ctx ends; then it returns nil. It closes the listener.
func (g *gateway) run(ctx context.Context) error {
	defer func() { _ = g.ln.Close() }()
	source, err := newBusSource(g.conn, string(g.cfg.Site))
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	defer source.Close()
	again, err := newRTSPServer(ctx, g.cfg, source, g.log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return g.serveHTTP(ctx, source) })
	group.Go(func() error { return again.run(ctx) })
	return group.Wait()
}

// serveHTTP serves page, API and WHEP until ctx ends.
func (g *gateway) serveHTTP(ctx context.Context, source *busSource) error {
	ice := make([]webrtc.ICEServer, 0, len(g.cfg.HTTP.ICEServers))
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
		Source: source, AllowOrigins: origins, Hosts: g.hosts(), Token: g.cfg.HTTP.Token.Value(), ICEServers: ice,
		PublicIPs: g.cfg.HTTP.PublicIPs, UDPPort: int(g.cfg.HTTP.UDPPort), Log: g.log,
	})
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	server := &http.Server{
		Handler: gw.Handler(), MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(netutil.LimitListener(g.ln, maxConnections)) }()
	select {
	case err = <-served:
		err = fmt.Errorf("gateway: %w", err)
	case <-g.conn.Done():
		err = fmt.Errorf("gateway: %w", ended(g.conn))
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
