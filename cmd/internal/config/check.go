package config

import (
	"cmp"
	"fmt"
	"time"

	"scrim/redact/obscure"
)

// The bounds of keyframe_interval.
const (
	MinKeyframeInterval = 250 * time.Millisecond
	MaxKeyframeInterval = 10 * time.Second
)

// MinSafePadding is the least padding that keeps hair, ears and chin covered. Less
// needs cosmetic: true, as do the settings that package obscure refuses.
const MinSafePadding = 0.3

// MaxCameras bounds the cameras of one file.
const MaxCameras = 1024

// check rejects mistakes that involve more than one value.
func (d *decoder) check(c *Config) error {
	if err := cmp.Or(d.checkNATS(c), d.checkHTTP(c), d.checkRTSPServer(&c.RTSPServer), d.checkSettings("defaults", &c.Defaults)); err != nil {
		return err
	}
	if len(c.Cameras) > MaxCameras {
		return d.failAt("cameras", "%d cameras: at most %d are allowed", len(c.Cameras), MaxCameras)
	}
	first := map[Name]int{}
	for i := range c.Cameras {
		path := fmt.Sprintf("cameras[%d]", i)
		cam := &c.Cameras[i]
		if cam.Name == "" {
			return d.failAt(path, "camera without `name`")
		}
		if j, twice := first[cam.Name]; twice {
			other := d.positions[fmt.Sprintf("cameras[%d].name", j)]
			return d.failAt(path+".name", "duplicate camera %s: already defined %s", cam.Name, other)
		}
		first[cam.Name] = i
		if err := d.checkCamera(path, cam); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) checkNATS(c *Config) error {
	n := &c.NATS
	switch {
	case n.URL != "" && n.Listen != "":
		return d.failAt("nats.listen", "`nats.url` uses an external server and `nats.listen` an embedded one; remove one of them")
	case (n.User == "") != !n.Password.IsSet():
		return d.failAt("nats", "`nats.user` and `nats.password` must be set together")
	case n.User != "" && n.URL == "" && n.Listen == "":
		return d.failAt("nats.user", "`nats.user` has no effect without `nats.url` or `nats.listen`")
	case n.Listen != "" && !n.Listen.Loopback() && n.User == "":
		return d.failAt("nats.listen", "other machines can reach %s without a password; set `nats.user` and `nats.password`, or listen at 127.0.0.1", n.Listen)
	}
	return nil
}

func (d *decoder) checkHTTP(c *Config) error {
	for i := range c.HTTP.ICEServers {
		s, path := &c.HTTP.ICEServers[i], fmt.Sprintf("http.ice_servers[%d]", i)
		switch {
		case s.URL == "":
			return d.failAt(path, "ICE server without `url`")
		case s.URL.turn() != (s.User != "" && s.Password.IsSet()):
			return d.failAt(path, "a TURN server needs `user` and `password`; a STUN server must not have them")
		}
	}
	for i, ip := range c.HTTP.PublicIPs {
		if ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return d.failAt(fmt.Sprintf("http.public_ips[%d]", i), "invalid public address %s: viewers cannot reach it", ip)
		}
	}
	return nil
}

func (d *decoder) checkCamera(path string, c *Camera) error {
	switch {
	case c.URL.IsSet() && c.URL.u.Scheme == "rtsps" && c.Transport != TransportTCP:
		return d.failAt(path+".transport", "camera %s: `transport: %s` is not encrypted; use tcp with rtsps://", c.Name, c.Transport)
	case !c.URL.IsSet():
		return d.failAt(path, "camera %s has no `url`", c.Name)
	case c.URL.u.User != nil && (c.User != "" || c.Password.IsSet()):
		return d.failAt(path+".url", "camera %s has a user both in `url` and in `user`; remove one of them", c.Name)
	case c.User == "" && c.Password.IsSet():
		return d.failAt(path+".password", "camera %s has a `password` but no `user`", c.Name)
	}
	// Check the values, not their positions: an override has none in the file. If tls
	// were ignored, the camera would be read in the clear and without a pin.
	if c.TLS != (CameraTLS{}) && c.URL.u.Scheme != "rtsps" {
		at := path + ".tls.fingerprint"
		if c.TLS.Fingerprint == "" {
			at = path + ".tls.ca"
		}
		return d.failAt(at, "camera %s: `tls` needs an rtsps:// `url`; this one is rtsp://", c.Name)
	}
	// Report what the client would refuse at its start as a mistake in the file.
	client := c.Ingest()
	client.URL = c.URL.u.String() // the password is not known yet
	if err := client.Check(); err != nil {
		return d.failAt(path+".url", "%s", oneLine(err.Error()))
	}
	return cmp.Or(d.checkZones(path, c), d.checkSettings(path, &c.Settings))
}

func (d *decoder) checkSettings(path string, s *Settings) error {
	if k := time.Duration(s.Encode.KeyframeInterval); k < MinKeyframeInterval || k > MaxKeyframeInterval {
		return d.failAt(path+".encode.keyframe_interval", "invalid `keyframe_interval` %v: must be from %v to %v", k, MinKeyframeInterval, MaxKeyframeInterval)
	}
	o := &s.Obscure
	if o.Cosmetic {
		return nil
	}
	if s.WhenBlind == WhenBlindWarn {
		return d.failAt(path+".when_blind",
			"`when_blind: warn` shows faces that the detector cannot see; choose motion or slate, or set `obscure.cosmetic: true`")
	}
	// Package obscure knows what undoes a setting, and the paper that shows it.
	if err := (obscure.Options{Style: obscure.Style(o.Style), Cells: int(o.Cells)}).Check(); err != nil {
		return d.failAt(path+".obscure.cells", "%s", err)
	}
	const allow = "set `cosmetic: true` if that is acceptable"
	switch {
	case o.Padding < MinSafePadding:
		return d.failAt(path+".obscure.padding", "`padding` %v leaves ears and chin visible: must be at least %v, or %s", o.Padding, MinSafePadding, allow)
	case o.PaddingTop < MinSafePadding:
		return d.failAt(path+".obscure.padding_top", "`padding_top` %v leaves hair visible: must be at least %v, or %s", o.PaddingTop, MinSafePadding, allow)
	}
	return nil
}

// external is a value that the configuration only refers to.
type external interface {
	// Resolve reads the value.
	Resolve() error
	// file is the path of the file that holds it, or "".
	file() string
}

// resolve reads the external values of the parts, and returns the errors.
func (d *decoder) resolve(c *Config, parts Part) (wrong []error) {
	c.external(parts, func(path string, o external) {
		if err := o.Resolve(); err != nil {
			wrong = append(wrong, d.failAt(path, "%s", oneLine(err.Error())))
		}
	})
	return wrong
}

// external calls f for every value of the parts that can be external.
func (c *Config) external(parts Part, f func(path string, o external)) {
	f("nats.password", &c.NATS.Password)
	if parts&HTTPPart != 0 {
		f("http.token", &c.HTTP.Token)
		for i := range c.HTTP.ICEServers {
			f(fmt.Sprintf("http.ice_servers[%d].password", i), &c.HTTP.ICEServers[i].Password)
		}
		for i := range c.RTSPServer.Users {
			f(fmt.Sprintf("rtsp_server.users[%d].password", i), &c.RTSPServer.Users[i].Password)
		}
	}
	if parts&CamerasPart != 0 {
		for i := range c.Cameras {
			f(fmt.Sprintf("cameras[%d].password", i), &c.Cameras[i].Password)
			f(fmt.Sprintf("cameras[%d].tls.ca", i), &c.Cameras[i].TLS.CA)
		}
	}
}
