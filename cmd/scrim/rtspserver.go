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
	"scrim/transport/auth"
	"scrim/transport/onvif/device"
	"scrim/transport/rtspserver"
)

// maxONVIFConnections bounds the connections to the ONVIF device.
const maxONVIFConnections = 128

// rtspServers serve the redacted cameras again as cameras.
type rtspServers struct {
	rtsp  *rtspserver.Server // nil: not wanted
	onvif *http.Server       // nil: not wanted
	ln    net.Listener       // of onvif
}

// newRTSPServer starts what the configuration asks for.
func newRTSPServer(ctx context.Context, cfg *config.Config, source *busSource, log *slog.Logger) (*rtspServers, error) {
	r := &cfg.RTSPServer
	if r.Listen == "" {
		return &rtspServers{}, nil
	}
	control, err := auth.New(r.AuthUsers(), log)
	if err != nil {
		return nil, fmt.Errorf("rtsp_server: %w", err)
	}
	secure, err := certificate(r.TLS)
	if err != nil {
		return nil, err
	}
	ln, err := rtspListener(ctx, r.Listen, "rtsp_server.listen")
	if err != nil {
		return nil, err
	}
	s := &rtspServers{}
	if r.ONVIF != "" {
		if err := s.addONVIF(ctx, cfg, source, control, secure, ln, log); err != nil {
			_ = ln.Close()
			return nil, err
		}
	}
	s.rtsp, err = rtspserver.New(rtspserver.Options{
		Source: source, Listener: ln, TLS: secure, UDPPort: int(r.UDPPort), Access: control, MaxSessions: int(r.MaxSessions), Log: log,
	})
	if err != nil {
		_ = ln.Close()
		if s.ln != nil {
			_ = s.ln.Close()
		}
		return nil, fmt.Errorf("rtsp_server: %w", err)
	}
	log.Info("redacted cameras", "url", streamScheme(secure)+"://"+ln.Addr().String()+"/CAMERA")
	return s, nil
}

// addONVIF makes the ONVIF device that tells of the cameras at rtsp.
func (s *rtspServers) addONVIF(
	ctx context.Context, cfg *config.Config, source *busSource, control *auth.Control, secure *tls.Config, rtsp net.Listener, log *slog.Logger,
) error {
	d, err := device.New(device.Options{
		Cameras: source.Cameras, Snapshot: source.Snapshot, Access: control,
		StreamScheme: streamScheme(secure), StreamPort: rtsp.Addr().(*net.TCPAddr).Port,
		Site: string(cfg.Site), Version: programVersion(), Log: log,
	})
	if err != nil {
		return fmt.Errorf("rtsp_server: %w", err)
	}
	if s.ln, err = rtspListener(ctx, cfg.RTSPServer.ONVIF, "rtsp_server.onvif"); err != nil {
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
func (s *rtspServers) run(ctx context.Context) error {
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
		return nil, fmt.Errorf("rtsp_server.tls: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func rtspListener(ctx context.Context, address config.Address, key string) (net.Listener, error) {
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
