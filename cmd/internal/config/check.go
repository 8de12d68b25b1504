package config

import (
	"fmt"
	"time"

	"scrim/redact/obscure"
)

// The bounds of keyframe_interval.
const (
	MinKeyframeInterval = 250 * time.Millisecond
	MaxKeyframeInterval = 10 * time.Second
)

// MinSafePadding is the least padding that keeps hair, ears and chin covered.
// Less needs cosmetic: true, and so do the settings that package obscure refuses.
const MinSafePadding = 0.3

// MaxCameras bounds the cameras of one file.
const MaxCameras = 1024

// check finds what single values cannot know.
func (d *decoder) check(c *Config) error {
	if err := d.checkNATS(c); err != nil {
		return err
	}
	if err := d.checkHTTP(c); err != nil {
		return err
	}
	if err := d.checkRTSPServer(&c.RTSPServer); err != nil {
		return err
	}
	if err := d.checkSettings("defaults", &c.Defaults); err != nil {
		return err
	}
	if len(c.Cameras) > MaxCameras {
		return d.failAt("cameras", "there are %d cameras; one file holds at most %d", len(c.Cameras), MaxCameras)
	}
	first := map[Name]int{}
	for i := range c.Cameras {
		path := fmt.Sprintf("cameras[%d]", i)
		cam := &c.Cameras[i]
		if cam.Name == "" {
			return d.failAt(path, "this camera has no `name`")
		}
		if j, twice := first[cam.Name]; twice {
			other := d.positions[fmt.Sprintf("cameras[%d].name", j)]
			return d.failAt(path+".name", "camera %s is already defined %s; names must differ", cam.Name, other)
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
		return d.failAt("nats.listen", "`nats.url` names an external server and `nats.listen` opens an embedded one; remove one of them")
	case (n.User == "") != !n.Password.IsSet():
		return d.failAt("nats", "`nats.user` and `nats.password` belong together; give both or none")
	case n.User != "" && n.URL == "" && n.Listen == "":
		return d.failAt("nats.user", "`nats.user` has no use without `nats.url` or `nats.listen`")
	case n.Listen != "" && !n.Listen.Loopback() && n.User == "":
		return d.failAt("nats.listen", "other machines reach %s; set `nats.user` and `nats.password`, or listen at 127.0.0.1", n.Listen)
	}
	return nil
}

func (d *decoder) checkHTTP(c *Config) error {
	for i := range c.HTTP.ICEServers {
		s, path := &c.HTTP.ICEServers[i], fmt.Sprintf("http.ice_servers[%d]", i)
		switch {
		case s.URL == "":
			return d.failAt(path, "this ICE server has no `url`")
		case s.URL.turn() != (s.User != "" && s.Password.IsSet()):
			return d.failAt(path, "a TURN server needs `user` and `password`, a STUN server takes none")
		}
	}
	for i, ip := range c.HTTP.PublicIPs {
		if ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return d.failAt(fmt.Sprintf("http.public_ips[%d]", i), "%s is no address at which a viewer could reach this machine", ip)
		}
	}
	return nil
}

func (d *decoder) checkCamera(path string, c *Camera) error {
	switch {
	case c.URL.IsSet() && c.URL.u.Scheme == "rtsps" && c.Transport != TransportTCP:
		return d.failAt(path+".transport", "camera %s: `transport: %s` with rtsps:// would send the video unencrypted; use tcp", c.Name, c.Transport)
	case !c.URL.IsSet():
		return d.failAt(path, "camera %s has no `url`", c.Name)
	case c.URL.u.User != nil && (c.User != "" || c.Password.IsSet()):
		return d.failAt(path+".url", "camera %s has a user in its `url` and beside it; remove one of them", c.Name)
	case c.User == "" && c.Password.IsSet():
		return d.failAt(path+".password", "camera %s has a `password` and no `user`", c.Name)
	}
	// The values count, wherever they come from: an override of one has no place
	// in the file. Ignored, the camera would be read in clear, and unpinned.
	if c.TLS != (CameraTLS{}) && c.URL.u.Scheme != "rtsps" {
		at := path + ".tls.fingerprint"
		if c.TLS.Fingerprint == "" {
			at = path + ".tls.ca"
		}
		return d.failAt(at, "camera %s: `tls` is for rtsps://, and its `url` begins with rtsp://", c.Name)
	}
	// What the client would refuse at the start is a mistake in the file.
	client := c.Ingest()
	client.URL = c.URL.u.String() // the password is not known yet
	if err := client.Check(); err != nil {
		return d.failAt(path+".url", "%s", oneLine(err.Error()))
	}
	if err := d.checkZones(path, c); err != nil {
		return err
	}
	return d.checkSettings(path, &c.Settings)
}

func (d *decoder) checkSettings(path string, s *Settings) error {
	if k := time.Duration(s.Encode.KeyframeInterval); k < MinKeyframeInterval || k > MaxKeyframeInterval {
		return d.failAt(path+".encode.keyframe_interval", "`keyframe_interval` is %v; it may be %v to %v", k, MinKeyframeInterval, MaxKeyframeInterval)
	}
	o := &s.Obscure
	if o.Cosmetic {
		return nil
	}
	// What undoes a setting, and the paper that shows it, is known there.
	if err := (obscure.Options{Style: obscure.Style(o.Style), Cells: int(o.Cells)}).Check(); err != nil {
		return d.failAt(path+".obscure.cells", "%s", err)
	}
	const admit = "say `cosmetic: true` where that is acceptable"
	switch {
	case o.Padding < MinSafePadding:
		return d.failAt(path+".obscure.padding", "padding %v leaves ears and chin to be seen; at least %v, or %s", o.Padding, MinSafePadding, admit)
	case o.PaddingTop < MinSafePadding:
		return d.failAt(path+".obscure.padding_top", "padding_top %v leaves hair to be seen; at least %v, or %s", o.PaddingTop, MinSafePadding, admit)
	}
	return nil
}

// outside is a value that is kept elsewhere.
type outside interface {
	// Resolve reads it.
	Resolve() error
	// file is the path of the file that it is in, or "".
	file() string
}

// resolve reads what the parts keep elsewhere, and returns what is wrong with it.
func (d *decoder) resolve(c *Config, parts Part) (wrong []error) {
	c.outside(parts, func(path string, o outside) {
		if err := o.Resolve(); err != nil {
			wrong = append(wrong, d.failAt(path, "%s", oneLine(err.Error())))
		}
	})
	return wrong
}

// outside calls f for all that the parts keep elsewhere, or could.
func (c *Config) outside(parts Part, f func(path string, o outside)) {
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
