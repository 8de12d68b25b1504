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
	"scrim/transport/access"
	"scrim/transport/reserve"
)

// reserveServers serve the redacted cameras again as cameras.
type reserveServers struct {
	rtsp *reserve.Server // nil: not wanted
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
	s, err := reserve.New(reserve.Options{
		Source: source, Listener: ln, TLS: secure, UDPPort: int(r.UDPPort), Access: control, MaxSessions: int(r.MaxSessions), Log: log,
	})
	if err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("reserve: %w", err)
	}
	log.Info("redacted cameras", "url", rtspScheme(secure)+"://"+ln.Addr().String()+"/CAMERA")
	return &reserveServers{rtsp: s}, nil
}

// run serves until ctx ends.
func (s *reserveServers) run(ctx context.Context) error {
	if s.rtsp == nil {
		return nil
	}
	return s.rtsp.Run(ctx)
}

func rtspScheme(secure *tls.Config) string {
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
