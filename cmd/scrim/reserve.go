package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"scrim/cmd/internal/config"
	"scrim/transport/access"
	"scrim/transport/onvif/device"
	"scrim/transport/reserve"
)

// maxONVIFConnections bounds the connections to the ONVIF device.
const maxONVIFConnections = 128

// reserveServers serve the redacted cameras again as cameras.
type reserveServers struct {
	rtsp  *reserve.Server // nil: not wanted
	onvif *http.Server    // nil: not wanted
	ln    net.Listener    // of onvif
}

// newReserve starts what the configuration asks for.
func newReserve(ctx context.Context, cfg *config.Config, source *busSource, log *slog.Logger) (*reserveServers, error) {
	r := &cfg.Reserve
	if r.Listen == "" {
		return &reserveServers{}, nil
	}
	control, err := access.New(r.AccessUsers(), log)
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	secure, err := certificate(r.TLS)
	if err != nil {
		return nil, err
	}
	ln, err := reserveListener(ctx, r.Listen, "reserve.listen")
	if err != nil {
		return nil, err
	}
	s := &reserveServers{}
	if r.ONVIF != "" {
		if err := s.addONVIF(ctx, cfg, source, control, secure, ln, log); err != nil {
			_ = ln.Close()
			return nil, err
		}
	}
	s.rtsp, err = reserve.New(reserve.Options{
		Source: source, Listener: ln, TLS: secure, UDPPort: int(r.UDPPort), Access: control, MaxSessions: int(r.MaxSessions), Log: log,
	})
	if err != nil {
		_ = ln.Close()
		if s.ln != nil {
			_ = s.ln.Close()
		}
		return nil, fmt.Errorf("reserve: %w", err)
	}
	log.Info("redacted cameras", "url", streamScheme(secure)+"://"+ln.Addr().String()+"/CAMERA")
	return s, nil
}

// addONVIF makes the ONVIF device that tells of the cameras at rtsp.
func (s *reserveServers) addONVIF(
	ctx context.Context, cfg *config.Config, source *busSource, control *access.Control, secure *tls.Config, rtsp net.Listener, log *slog.Logger,
) error {
	d, err := device.New(device.Options{
		Cameras: source.Cameras, Snapshot: source.Snapshot, Access: control,
		StreamScheme: streamScheme(secure), StreamPort: rtsp.Addr().(*net.TCPAddr).Port,
		Site: string(cfg.Site), Version: programVersion(), Log: log,
	})
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	if s.ln, err = reserveListener(ctx, cfg.Reserve.ONVIF, "reserve.onvif"); err != nil {
		return err
	}
	log.Info("ONVIF device", "address", s.ln.Addr().String())
	s.ln = netutil.LimitListener(s.ln, maxONVIFConnections)
	if secure != nil {
		s.ln = tls.NewListener(s.ln, secure)
	}
	s.onvif = &http.Server{
		Handler: d, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: readTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return nil
}

// run serves until ctx ends.
func (s *reserveServers) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if s.rtsp != nil {
		group.Go(func() error { return s.rtsp.Run(ctx) })
	}
	if s.onvif != nil {
		group.Go(func() error {
			if err := s.onvif.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("ONVIF: %w", err)
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			return s.onvif.Close()
		})
	}
	return group.Wait()
}

func streamScheme(secure *tls.Config) string {
	if secure != nil {
		return "rtsps"
	}
	return "rtsp"
}

// certificate loads a certificate; nil without one.
func certificate(t config.TLS) (*tls.Config, error) {
	if t.Cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("reserve.tls: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func reserveListener(ctx context.Context, address config.Address, key string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", string(address))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is in use, perhaps by another Scrim; choose another address", key, address)
	case err != nil:
		return nil, fmt.Errorf("%s: %w; choose another address", key, err)
	}
	return ln, nil
}
