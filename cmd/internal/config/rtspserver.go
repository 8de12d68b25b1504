package config

import (
	"errors"
	"fmt"
	"slices"

	"scrim/transport/auth"
)

// MaxSessions bounds max_sessions.
const MaxSessions = 10_000

// Count is a maximum number of sessions.
type Count int

// UnmarshalText accepts a number from 1 to MaxSessions.
func (c *Count) UnmarshalText(text []byte) error {
	return integer(c, text, 1, MaxSessions, "count", fmt.Sprintf("a number from 1 to %d", MaxSessions))
}

// checkRTSPServer rejects what would keep the server from starting, or let strangers
// watch.
func (d *decoder) checkRTSPServer(r *RTSPServer) error {
	const path = "rtsp_server"
	if r.Listen == "" {
		if _, set := d.positions[path]; set {
			return d.failAt(path, "`rtsp_server` needs `listen`, such as 127.0.0.1:8554")
		}
		return nil
	}
	switch {
	case r.UDPPort%2 != 0:
		return d.failAt(path+".udp_port", "`udp_port` must be even: RTCP uses the next port")
	case r.UDPPort != 0 && r.TLS.Cert != "":
		return d.failAt(path+".udp_port", "`udp_port` has no effect with `tls`: all packets use the encrypted connection; remove one of them")
	case (r.TLS.Cert == "") != (r.TLS.Key == ""):
		return d.failAt(path+".tls", "`tls` needs both `cert` and `key`")
	case len(r.Users) == 0 && !r.Listen.Loopback():
		return d.failAt(path+".listen", "other machines can reach %s without a password; add `users`, or listen at 127.0.0.1", r.Listen)
	case r.ONVIF != "" && len(r.Users) == 0 && !r.ONVIF.Loopback():
		return d.failAt(path+".onvif", "other machines can reach %s without a password; add `users`, or listen at 127.0.0.1", r.ONVIF)
	case len(r.Users) > auth.MaxUsers:
		return d.failAt(path+".users", "%d users: at most %d are allowed", len(r.Users), auth.MaxUsers)
	}
	first := map[string]bool{}
	for i, u := range r.Users {
		at := fmt.Sprintf("%s.users[%d]", path, i)
		err := auth.CheckName(u.Name)
		switch {
		case u.Name == "":
			err = errors.New("user without `name`")
		case first[u.Name]:
			err = fmt.Errorf("user %s is defined twice", u.Name)
		case !u.Password.IsSet():
			err = fmt.Errorf("user %s has no `password`", u.Name)
		}
		if err != nil {
			return d.failAt(at, "%s", err)
		}
		first[u.Name] = true
	}
	return nil
}

// AuthUsers returns the users with their passwords, which must be resolved.
func (r *RTSPServer) AuthUsers() []auth.User {
	users := make([]auth.User, 0, len(r.Users))
	for _, u := range r.Users {
		a := auth.User{Name: u.Name, Password: u.Password.Value()}
		for _, c := range u.Cameras {
			a.Cameras = append(a.Cameras, string(c))
		}
		users = append(users, a)
	}
	return users
}

// rtspServerWarnings returns the warnings about RTSPServer.
func (c *Config) rtspServerWarnings() []string {
	var out []string
	r := &c.RTSPServer
	for _, a := range []Address{r.Listen, r.ONVIF} {
		if a != "" && !a.Loopback() && r.TLS.Cert == "" {
			out = append(out, fmt.Sprintf("video at %s is not encrypted; set `rtsp_server.tls`, or use a trusted network", a))
		}
	}
	for _, u := range r.Users {
		for _, name := range u.Cameras {
			if len(c.Cameras) > 0 && !slices.ContainsFunc(c.Cameras, func(cam Camera) bool { return cam.Name == name }) {
				out = append(out, fmt.Sprintf("user %s may watch camera %s, which is not defined", u.Name, name))
			}
		}
	}
	return out
}
