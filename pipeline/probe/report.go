package probe

import (
	"slices"

	"scrim/transport/onvif"
	"scrim/transport/rtsp"
	"scrim/transport/rtsp/streaminfo"
)

// Report is what was found out. It holds no secret.
type Report struct {
	// URL is where the stream is, as it may be shown; empty when none was found.
	URL string `json:"url,omitempty"`
	// Address took the connection.
	Address string `json:"address,omitempty"`
	// TLS is set with rtsps.
	TLS *rtsp.Certificate `json:"tls,omitempty"`
	// Server is the name of the camera's RTSP server, Methods what it can do.
	Server  string   `json:"server,omitempty"`
	Methods []string `json:"methods,omitempty"`
	// Open is set when everyone may watch.
	Open bool `json:"open"`
	// Logins are the ways to log in.
	Logins []rtsp.Login `json:"logins,omitempty"`
	// Login says how that went: "not needed", "accepted", "refused" or "not tried".
	Login string `json:"login"`
	// Transport is how the packets came.
	Transport rtsp.Transport `json:"transport,omitempty"`
	Tracks    []rtsp.Track   `json:"tracks,omitempty"`
	// SetsInDescription is set when parameter sets are in the session description.
	SetsInDescription bool `json:"parameter_sets_in_description"`
	// Stream is what was measured; nil when nothing could be.
	Stream *streaminfo.Stream `json:"stream,omitempty"`
	// Device is what ONVIF says; nil when it does not answer.
	Device *Device `json:"device,omitempty"`
	// Problems are those found, worst first.
	Problems []Problem `json:"problems"`
	// YAML is the camera's part of a configuration; empty when a problem is fatal, and
	// NoYAML says that in a line.
	YAML   string `json:"yaml,omitempty"`
	NoYAML string `json:"no_yaml,omitempty"`
}

// Failed reports whether a problem is fatal.
func (r *Report) Failed() bool { return r.fatal() != nil }

// fatal returns the first problem that is.
func (r *Report) fatal() *Problem {
	if i := slices.IndexFunc(r.Problems, func(p Problem) bool { return p.Weight == Fatal }); i >= 0 {
		return &r.Problems[i]
	}
	return nil
}

// Device is what ONVIF says.
type Device struct {
	// Address is that of the device service.
	Address string `json:"address"`
	onvif.Information
	// ClockAhead is by how many seconds the camera's clock is ahead of this
	// machine's; it is known when ClockSet is.
	ClockSet   bool            `json:"clock_set"`
	ClockAhead float64         `json:"clock_ahead,omitempty"`
	Profiles   []onvif.Profile `json:"profiles,omitempty"`
	// Missing says why something is missing.
	Missing string `json:"missing,omitempty"`
}

// Weight says how bad a problem is.
type Weight string

// The weights.
const (
	// Fatal: Scrim cannot show the camera like this, or it is not the one that was pinned.
	Fatal Weight = "fatal"
	// Warning: it works, and less well or less safely than it could.
	Warning Weight = "warning"
	// Note: good to know.
	Note Weight = "note"
)

// Problem is something to do before mounting.
type Problem struct {
	Weight Weight `json:"weight"`
	// What is wrong, and what to Do.
	What string `json:"what"`
	Do   string `json:"do"`
}

// The outcomes of logging in.
const (
	loginNotNeeded = "not needed"
	loginAccepted  = "accepted"
	loginRefused   = "refused"
	loginNotTried  = "not tried"
)
