package probe

import (
	"slices"

	"scrim/redact/geom"
	"scrim/transport/onvif"
	"scrim/transport/rtsp"
	"scrim/transport/rtsp/streaminfo"
)

// Report is the result of a probe. It holds no secret.
type Report struct {
	// URL is the stream's, without credentials; empty if none was found.
	URL string `json:"url,omitempty"`
	// Address is the address that accepted the connection.
	Address string `json:"address,omitempty"`
	// TLS is the camera's certificate; nil without rtsps.
	TLS *rtsp.Certificate `json:"tls,omitempty"`
	// Server is the name of the camera's RTSP server, Methods are those it supports.
	Server  string   `json:"server,omitempty"`
	Methods []string `json:"methods,omitempty"`
	// Open is set if no login is required.
	Open bool `json:"open"`
	// Logins are the authentication schemes.
	Logins []rtsp.Login `json:"logins,omitempty"`
	// Login is the result of the login: "not needed", "accepted", "refused" or "not tried".
	Login string `json:"login"`
	// Transport carried the packets.
	Transport rtsp.Transport `json:"transport,omitempty"`
	Tracks    []rtsp.Track   `json:"tracks,omitempty"`
	// SetsInDescription is set if the session description has parameter sets.
	SetsInDescription bool `json:"parameter_sets_in_description"`
	// Stream is the measurement; nil if there was none.
	Stream *streaminfo.Stream `json:"stream,omitempty"`
	// Faces are the faces that were seen; nil: nothing was looked at.
	Faces *Faces `json:"faces,omitempty"`
	// Rotate is by how many degrees the picture must be turned clockwise to be upright, as
	// far as faces show; 0: none do.
	Rotate geom.Rotation `json:"rotate,omitempty"`
	// Device is the ONVIF data; nil without ONVIF.
	Device *Device `json:"device,omitempty"`
	// Problems are sorted by weight, worst first.
	Problems []Problem `json:"problems"`
	// YAML is the configuration of the camera. If a problem is fatal it is empty, and
	// NoYAML is the reason in one line.
	YAML   string `json:"yaml,omitempty"`
	NoYAML string `json:"no_yaml,omitempty"`
}

// Failed reports whether a problem is fatal.
func (r *Report) Failed() bool { return r.fatal() != nil }

// fatal returns the first fatal problem, or nil.
func (r *Report) fatal() *Problem {
	if i := slices.IndexFunc(r.Problems, func(p Problem) bool { return p.Weight == Fatal }); i >= 0 {
		return &r.Problems[i]
	}
	return nil
}

// Device is the ONVIF data of a camera.
type Device struct {
	// Address is the URL of the device service.
	Address string `json:"address"`
	onvif.Information
	// ClockAhead is how many seconds the camera's clock is ahead of this machine's; it is
	// valid if ClockSet is true.
	ClockSet   bool            `json:"clock_set"`
	ClockAhead float64         `json:"clock_ahead,omitempty"`
	Profiles   []onvif.Profile `json:"profiles,omitempty"`
	// Missing is the reason why data is missing.
	Missing string `json:"missing,omitempty"`
}

// Weight is the severity of a problem.
type Weight string

// The weights.
const (
	// Fatal: Scrim cannot show the camera, or its certificate is not the pinned one.
	Fatal Weight = "fatal"
	// Warning: the camera works, but less well or less safely than it could.
	Warning Weight = "warning"
	// Note: information.
	Note Weight = "note"
)

// Problem is something to fix before the camera is mounted.
type Problem struct {
	Weight Weight `json:"weight"`
	// What is the problem, Do the advice.
	What string `json:"what"`
	Do   string `json:"do"`
}

// The results of the login.
const (
	loginNotNeeded = "not needed"
	loginAccepted  = "accepted"
	loginRefused   = "refused"
	loginNotTried  = "not tried"
)
