package device

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"scrim/transport"
	"scrim/transport/auth"
	"scrim/transport/fanout"
	"scrim/transport/onvif/soap"
)

const (
	// maxRequestBytes bounds a request. The longest valid one has about 1 KiB.
	maxRequestBytes = 64 << 10
	// snapshotTimeout is how long a client waits for a picture.
	snapshotTimeout = 5 * time.Second
	servicePath     = "/onvif/device_service"
	mediaPath       = "/onvif/media_service"
	snapshotPath    = "/onvif/snapshot/"
)

// Options configure a Device.
type Options struct {
	// Cameras returns the cameras, sorted by name.
	Cameras func() []transport.Status
	// Snapshot returns a camera's picture as viewers see it.
	Snapshot func(ctx context.Context, camera string) (*transport.Snapshot, error)
	// Access decides who may see which camera.
	Access *auth.Control
	// StreamScheme, rtsp or rtsps, and StreamPort are where the cameras are served, on
	// the host under which the device is called.
	StreamScheme string
	StreamPort   int
	// Site is the device's serial number, Version its firmware's.
	Site, Version string
	// Log; nil: slog.Default().
	Log *slog.Logger
}

// Device answers requests. It is an http.Handler.
type Device struct {
	o    Options
	log  *slog.Logger
	used *nonces
	mux  *http.ServeMux
	now  func() time.Time
}

// New returns a Device.
func New(o Options) (*Device, error) {
	if o.Cameras == nil || o.Snapshot == nil || o.Access == nil {
		return nil, errors.New("ONVIF: cameras, snapshots and access control are required")
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	d := &Device{o: o, log: o.Log, used: newNonces(), mux: http.NewServeMux(), now: time.Now}
	d.mux.HandleFunc("POST "+servicePath, d.serve)
	d.mux.HandleFunc("POST "+mediaPath, d.serve)
	d.mux.HandleFunc("GET "+snapshotPath+"{camera}", d.snapshot)
	return d, nil
}

// ServeHTTP implements http.Handler.
func (d *Device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	d.mux.ServeHTTP(w, r)
}

// call is a parsed request.
type call struct {
	XMLName xml.Name
	Profile string `xml:"ProfileToken"`
	Stream  string `xml:"StreamSetup>Stream"`

	user       *auth.User
	host, port string // under which the client calls the device
	tls        bool
}

// serve answers one call.
func (d *Device) serve(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		d.fail(w, &fault{http.StatusRequestEntityTooLarge, "ter:InvalidArgs", "", "the request is too large"})
		return
	}
	m, err := soap.Parse(data)
	c := call{host: hostOf(r), port: portOf(r), tls: r.TLS != nil}
	if err == nil {
		err = soap.Decode(m.Body.Content, &c)
	}
	if err != nil {
		d.fail(w, &fault{http.StatusBadRequest, "ter:WellFormed", "", "the request is not a SOAP message"})
		return
	}
	op, known := operations[c.XMLName.Local]
	if !known {
		d.fail(w, &fault{http.StatusBadRequest, "ter:ActionNotSupported", "", "this device does not support the operation"})
		return
	}
	if !op.public {
		var no *fault
		if c.user, no = d.authorise(w, r, m.Header.Security); no != nil {
			d.fail(w, no)
			return
		}
	}
	answer, no := op.answer(d, &c)
	if no != nil {
		d.fail(w, no)
		return
	}
	body, err := soap.Envelope(nil, answer)
	if err != nil {
		d.log.Error("ONVIF: cannot write answer", "operation", c.XMLName.Local, "error", err)
		d.fail(w, &fault{http.StatusInternalServerError, "ter:Action", "", "internal error"})
		return
	}
	w.Header().Set("Content-Type", soap.ContentType)
	_, _ = w.Write(body)
}

// snapshot sends a camera's picture.
func (d *Device) snapshot(w http.ResponseWriter, r *http.Request) {
	user, no := d.authorise(w, r, nil)
	if no != nil {
		http.Error(w, no.reason, no.status)
		return
	}
	camera := r.PathValue("camera")
	if !user.MayWatch(camera) {
		http.Error(w, "access to this camera denied", http.StatusForbidden)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), snapshotTimeout)
	defer cancel()
	s, err := d.o.Snapshot(ctx, camera)
	switch {
	case errors.Is(err, fanout.ErrNoCamera):
		http.Error(w, "unknown camera", http.StatusNotFound)
		return
	case err != nil:
		d.log.Debug("no snapshot", "camera", camera, "error", err)
		http.Error(w, "no picture at the moment", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Length", strconv.Itoa(len(s.JPEG)))
	_, _ = w.Write(s.JPEG)
}

var hostRE = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,253}$`)

// hostOf returns the name or address under which the client calls the device. An
// invalid Host header is not echoed.
func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Zone() == "" || hostRE.MatchString(host) {
		return host
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if p, err := netip.ParseAddrPort(a.String()); err == nil {
			return p.Addr().WithZone("").String()
		}
	}
	return "localhost"
}

// portOf returns the port under which the client calls the device; empty for the
// scheme's default.
func portOf(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 {
		return ""
	}
	return port
}
