package probe

import (
	"context"
	"errors"
	"net"
	"time"

	"scrim/transport/onvif"
)

// onvifPorts are the usual ports of the device service, the standard's first.
var onvifPorts = []string{"80", "8000", "8080", "8899", "2020"}

// devicePath is the path of the device service (ONVIF core, section 5.1.1).
const devicePath = "/onvif/device_service"

// device queries ONVIF, and returns the stream URI of the first profile.
func (p *prober) device(ctx context.Context) (uri string) {
	switch p.o.ONVIF {
	case NoONVIF:
		return ""
	case "":
		for _, port := range onvifPorts {
			address := net.JoinHostPort(p.t.host, port)
			d := net.Dialer{Timeout: min(knockTimeout, p.o.Timeout)}
			conn, err := d.DialContext(ctx, "tcp", address)
			if err != nil {
				continue
			}
			_ = conn.Close()
			if uri, ok := p.query(ctx, "http://"+address+devicePath); ok || ctx.Err() != nil {
				return uri
			}
		}
		return ""
	default:
		uri, ok := p.query(ctx, p.o.ONVIF)
		if !ok {
			p.problem(Note, "no ONVIF device at "+p.o.ONVIF, "correct the address, or turn ONVIF on in the camera")
		}
		return uri
	}
}

// query queries one address. ok reports that it is an ONVIF device, or that its
// certificate was rejected, which is a problem in the report.
func (p *prober) query(ctx context.Context, address string) (uri string, ok bool) {
	cfg := onvif.Config{Address: address, Timeout: min(p.o.Timeout, onvif.DefaultTimeout), Trust: p.o.Trust}
	if !p.refused {
		cfg.User, cfg.Password = p.o.User, p.o.Password
	}
	c, err := onvif.New(cfg)
	if err != nil {
		return "", false
	}
	defer c.Close()
	d := &Device{Address: address}
	at, err := c.DateAndTime(ctx)
	if e, ok := errors.AsType[*onvif.CertificateError](err); ok {
		p.judgeDevice(address, e)
		return "", true
	}
	if errors.Is(err, onvif.ErrUnreachable) || errors.Is(err, onvif.ErrNotONVIF) {
		return "", false
	}
	if err == nil {
		d.ClockSet, d.ClockAhead = true, time.Until(at).Seconds()
	}
	p.r.Device = d
	d.Information, err = c.Information(ctx)
	if err == nil {
		d.Profiles, err = c.Profiles(ctx)
	}
	if err == nil && len(d.Profiles) > 0 {
		uri, err = c.StreamURI(ctx, d.Profiles[0].Token)
	}
	if e, ok := errors.AsType[*onvif.CertificateError](err); ok { // from another address of the device
		p.judgeDevice(address, e)
	} else if err != nil {
		d.Missing = err.Error()
	}
	p.refused = p.refused || c.Refused()
	return uri, true
}
