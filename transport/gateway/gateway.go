package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"scrim/transport/bus"
	"scrim/transport/webrtc"
)

// Limits on HTTP clients.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 15 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
	maxConnections = 2048
	// shutdownTimeout is how long requests may take to end after Run was told to.
	shutdownTimeout = 2 * time.Second
)

// Options describe a Gateway.
type Options struct {
	// Site is the name of the site on the bus.
	Site string
	// Conn is the connection to the bus, which the caller closes.
	Conn *bus.Conn
	// Listener accepts HTTP clients. Run closes it.
	Listener net.Listener
	// WebRTC has the settings of page and API. Source and Log are set by the Gateway.
	WebRTC webrtc.Options
	// RTSP is the RTSP server; nil: none.
	RTSP *RTSPOptions
	// Version is this program's, for the ONVIF device.
	Version string
	Log     *slog.Logger
}

// Gateway serves viewers.
type Gateway struct{ o Options }

// New returns a Gateway that serves nobody before Run.
func New(o Options) (*Gateway, error) {
	if o.Site == "" || o.Conn == nil || o.Listener == nil || o.Log == nil {
		return nil, errors.New("gateway: needs a site, a connection, a listener and a log")
	}
	return &Gateway{o}, nil
}

// URL returns where viewers find the page.
func (g *Gateway) URL() string {
	address := g.o.Listener.Addr().String()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Run serves until ctx ends; then it returns nil. It closes the listeners.
func (g *Gateway) Run(ctx context.Context) error {
	defer func() { _ = g.o.Listener.Close() }()
	defer g.o.RTSP.close()
	source, err := newSource(g.o.Conn, g.o.Site)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	defer source.close()
	recorders, err := newRTSPServer(&g.o, source)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return recorders.run(ctx) })
	group.Go(func() error {
		if err := g.serveHTTP(ctx, source); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
		return nil
	})
	return group.Wait()
}

// serveHTTP serves page, API and WHEP until ctx ends.
func (g *Gateway) serveHTTP(ctx context.Context, source *source) error {
	o := g.o.WebRTC
	o.Source, o.Log = source, g.o.Log
	gw, err := webrtc.New(o)
	if err != nil {
		return err
	}
	server := newHTTPServer(gw.Handler(), g.o.Log)
	var serveErr error
	served := make(chan struct{})
	go func() {
		defer close(served)
		serveErr = server.Serve(netutil.LimitListener(g.o.Listener, maxConnections))
	}()
	select {
	case <-served:
		err = serveErr
	case <-g.o.Conn.Done():
		err = cmp.Or(g.o.Conn.Err(), bus.ErrClosed)
	case <-ctx.Done():
	}
	closeErr := gw.Close() // ends sessions and event streams, which Shutdown would wait for
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if server.Shutdown(end) != nil {
		_ = server.Close()
	}
	<-served
	return cmp.Or(err, closeErr)
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
