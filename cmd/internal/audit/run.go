package audit

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"scrim/transport/onvif"
	"scrim/transport/rtsp"
)

// parallel is how many cameras are queried at a time.
const parallel = 8

// DefaultTimeout bounds each connection and response.
const DefaultTimeout = 5 * time.Second

// Target is a camera of the configuration.
type Target struct {
	Name string
	// URL is the stream's, with user and password.
	URL *url.URL
	UDP bool
}

// Options are the options of Run.
type Options struct {
	Vendors []Vendor
	// OUI is a list of MAC vendors, or a folder with lists; empty means DefaultOUI.
	OUI string
	// Timeout bounds each connection and response; 0 means DefaultTimeout.
	Timeout time.Duration
	// Quiet sends nothing to the cameras; only routes and MAC addresses are known then.
	Quiet bool
	// ONVIFPort is the port of the device service; 0 means 80.
	ONVIFPort uint16
}

// Camera is what is known about a camera.
type Camera struct {
	Name string `json:"name"`
	// URL is the stream's, without credentials.
	URL       string       `json:"url"`
	Addresses []netip.Addr `json:"addresses,omitempty"`
	Port      uint16       `json:"port"`
	UDP       bool         `json:"udp,omitempty"`
	// Vendor is the best known vendor name, From is its source: ONVIF, MAC, server or
	// realm. Both are empty if nothing is known.
	Vendor string `json:"vendor,omitempty"`
	From   string `json:"vendor_from,omitempty"`

	Device       onvif.Information `json:"device,omitzero"`
	Server       string            `json:"server,omitempty"`
	Realms       []string          `json:"realms,omitempty"`
	MAC          string            `json:"mac,omitempty"`
	Organisation string            `json:"organisation,omitempty"`
	Route        *Route            `json:"route,omitempty"`
	// Flag is set if the vendor is on the list.
	Flag *Flag `json:"flag,omitempty"`
	// Notes are the reasons why something is unknown.
	Notes []string `json:"notes,omitempty"`

	mac net.HardwareAddr
}

// Result is the result of Run.
type Result struct {
	Cameras []Camera `json:"cameras"`
	// Notes are about the whole audit.
	Notes []string `json:"notes,omitempty"`
	// Plan is how to isolate cameras; nil if there is none.
	Plan *Plan `json:"isolation,omitempty"`
}

// Run audits all cameras. Its only error is ctx's; other failures become notes.
func Run(ctx context.Context, targets []Target, o Options) (*Result, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	o.OUI = cmp.Or(o.OUI, DefaultOUI)
	r := &Result{Cameras: make([]Camera, len(targets))}
	var g errgroup.Group
	g.SetLimit(parallel)
	for i := range targets {
		g.Go(func() error {
			r.Cameras[i] = inspect(ctx, &targets[i], &o)
			return nil
		})
	}
	_ = g.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	// Read the table last: the kernel has learnt the cameras' addresses by then.
	table, err := neighbours()
	if err != nil {
		r.Notes = append(r.Notes, plain(err.Error()))
	}
	var macs []net.HardwareAddr
	for i := range r.Cameras {
		c := &r.Cameras[i]
		for _, a := range c.Addresses {
			if m := table[a]; m != nil && c.mac == nil {
				c.mac, c.MAC = m, m.String()
				macs = append(macs, m)
			}
		}
	}
	oui, err := ReadOUI(o.OUI, macs)
	if err != nil {
		r.Notes = append(r.Notes, plain(err.Error()))
	}
	for i := range r.Cameras {
		r.Cameras[i].conclude(oui, o.Vendors)
	}
	return r, nil
}

// inspect queries one camera.
func inspect(ctx context.Context, t *Target, o *Options) Camera {
	c := Camera{Name: t.Name, URL: rtsp.RedactURL(t.URL.String()), UDP: t.UDP, Port: 554}
	if t.URL.Scheme == "rtsps" {
		c.Port = 322
	}
	if p, err := strconv.ParseUint(t.URL.Port(), 10, 16); err == nil {
		c.Port = uint16(p)
	}
	lookup, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	var err error
	if c.Addresses, err = resolve(lookup, t.URL.Hostname()); err != nil {
		c.note(err)
		return c
	}
	if c.Route, err = route(c.Addresses[0]); err != nil {
		c.note(err)
		return c
	}
	if o.Quiet {
		return c
	}
	c.queryRTSP(ctx, t, o)
	c.queryONVIF(ctx, t, o)
	return c
}

// queryRTSP requests server and realm, which need no credentials.
func (c *Camera) queryRTSP(ctx context.Context, t *Target, o *Options) {
	bare := *t.URL
	bare.User = nil
	client, err := rtsp.NewClient(rtsp.Config{Camera: t.Name, URL: bare.String(), ReadTimeout: o.Timeout})
	if err == nil {
		var g *rtsp.ServerInfo
		if g, err = client.Describe(ctx); g != nil {
			c.Server = g.Server
			for _, l := range g.Logins {
				if l.Realm != "" && (len(c.Realms) == 0 || c.Realms[len(c.Realms)-1] != l.Realm) {
					c.Realms = append(c.Realms, l.Realm)
				}
			}
		}
	}
	if err != nil {
		c.note(err)
	}
}

// queryONVIF tries the stream's credentials once.
func (c *Camera) queryONVIF(ctx context.Context, t *Target, o *Options) {
	port := "80"
	if o.ONVIFPort != 0 {
		port = strconv.Itoa(int(o.ONVIFPort))
	}
	password, _ := t.URL.User.Password()
	client, err := onvif.New(onvif.Config{
		Address: "http://" + net.JoinHostPort(t.URL.Hostname(), port) + "/onvif/device_service",
		User:    t.URL.User.Username(), Password: password, Timeout: o.Timeout,
	})
	if err != nil {
		c.note(err)
		return
	}
	defer client.Close()
	// The credentials depend on the camera's clock.
	if _, err = client.DateAndTime(ctx); err == nil || !errors.Is(err, onvif.ErrUnreachable) && !errors.Is(err, onvif.ErrNotONVIF) {
		c.Device, err = client.Information(ctx)
	}
	if err != nil {
		c.note(err)
	}
}

func (c *Camera) note(err error) {
	c.Notes = append(c.Notes, plain(strings.TrimPrefix(err.Error(), "camera "+c.Name+": ")))
}

// conclude sets vendor and flag.
func (c *Camera) conclude(oui *OUI, vendors []Vendor) {
	switch {
	case c.mac != nil && private(c.mac):
		c.Notes = append(c.Notes, "its MAC address is locally administered and does not identify a vendor")
	case c.mac != nil:
		c.Organisation = oui.Organisation(c.mac)
	case c.Route != nil && c.Route.Gateway.IsValid():
		c.Notes = append(c.Notes, "it is behind the router "+c.Route.Gateway.String()+", so its MAC address is unknown")
	}
	makers := []fact{{"ONVIF manufacturer", c.Device.Manufacturer}, {"MAC", c.Organisation}, {"RTSP server", c.Server}}
	facts := append(slices.Clone(makers), fact{"ONVIF model", c.Device.Model})
	for _, realm := range c.Realms {
		facts = append(facts, fact{"realm", realm})
	}
	c.Flag = match(vendors, facts)
	for _, f := range makers {
		if f.text != "" && c.Vendor == "" {
			c.Vendor, c.From = f.text, f.what
		}
	}
	if c.Flag != nil && (c.Vendor == "" || c.From == "RTSP server") {
		c.Vendor, c.From = c.Flag.Vendor, c.Flag.Evidence
	}
}
