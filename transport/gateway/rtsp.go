package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"scrim/transport/auth"
	"scrim/transport/onvif/device"
	"scrim/transport/rtspserver"
)

// maxONVIFConnections bounds the connections to the ONVIF device.
const maxONVIFConnections = 128

// RTSPOptions describe the RTSP server for recorders.
type RTSPOptions struct {
	// Listener accepts RTSP clients, and ONVIF those of the ONVIF device; nil: there is
	// no device. Gateway.Run closes both.
	Listener, ONVIF net.Listener
	// TLS, if set, encrypts both.
	TLS *tls.Config
	// UDPPort and MaxSessions are those of rtspserver.Options.
	UDPPort, MaxSessions int
	// Users may watch; empty: everybody.
	Users []auth.User
}

// close closes the listeners, also those that were never served.
func (o *RTSPOptions) close() {
	if o == nil {
		return
	}
	_ = o.Listener.Close()
	if o.ONVIF != nil {
		_ = o.ONVIF.Close()
	}
}

// rtspServer serves the redacted cameras as cameras.
type rtspServer struct {
	rtsp  *rtspserver.Server // nil: none
	onvif *http.Server       // nil: none
	ln    net.Listener       // of onvif
}

// newRTSPServer makes what the options describe.
func newRTSPServer(o *Options, source *source) (*rtspServer, error) {
	r := o.RTSP
	if r == nil {
		return &rtspServer{}, nil
	}
	access, err := auth.New(r.Users, o.Log)
	if err != nil {
		return nil, fmt.Errorf("RTSP server: %w", err)
	}
	s, scheme := &rtspServer{}, "rtsp"
	if r.TLS != nil {
		scheme = "rtsps"
	}
	if r.ONVIF != nil {
		if err := s.addONVIF(o, source, access, scheme); err != nil {
			return nil, fmt.Errorf("ONVIF device: %w", err)
		}
	}
	s.rtsp, err = rtspserver.New(rtspserver.Options{
		Source: source, Listener: r.Listener, TLS: r.TLS, UDPPort: r.UDPPort, Access: access, MaxSessions: r.MaxSessions, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("RTSP server: %w", err)
	}
	o.Log.Info("RTSP server listening", "url", scheme+"://"+r.Listener.Addr().String()+"/CAMERA")
	return s, nil
}

// addONVIF makes the ONVIF device that lists the cameras of the RTSP server.
func (s *rtspServer) addONVIF(o *Options, source *source, access *auth.Control, scheme string) error {
	d, err := device.New(device.Options{
		Cameras: source.Cameras, Snapshot: source.Snapshot, Access: access,
		StreamScheme: scheme, StreamPort: o.RTSP.Listener.Addr().(*net.TCPAddr).Port,
		Site: o.Site, Version: o.Version, Log: o.Log,
	})
	if err != nil {
		return err
	}
	o.Log.Info("ONVIF device listening", "address", o.RTSP.ONVIF.Addr().String())
	s.ln = netutil.LimitListener(o.RTSP.ONVIF, maxONVIFConnections)
	if o.RTSP.TLS != nil {
		s.ln = tls.NewListener(s.ln, o.RTSP.TLS)
	}
	s.onvif = newHTTPServer(d, o.Log)
	s.onvif.WriteTimeout = readTimeout
	return nil
}

// run serves until ctx ends.
func (s *rtspServer) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if s.rtsp != nil {
		group.Go(func() error { return s.rtsp.Run(ctx) })
	}
	if s.onvif != nil {
		group.Go(func() error {
			if err := s.onvif.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("ONVIF device: %w", err)
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
