package transport

import (
	"fmt"
	"regexp"
	"time"
)

// State is the state of a camera, as viewers see it.
type State string

// The states of a camera.
const (
	// StateStarting: the redactor or the connection to the camera is coming up.
	StateStarting State = "starting"
	// StateLive: inspected, redacted pictures are being sent.
	StateLive State = "live"
	// StateObscured: the camera sends, but its picture is hidden behind a slate; the
	// reason says why.
	StateObscured State = "obscured"
	// StateOffline: there is no picture to hide: the camera cannot be reached, or sends
	// nothing; the reason says which. It is retried with back-off.
	StateOffline State = "offline"
	// StateFailed: nothing is sent, or only slates, until somebody fixes what the reason
	// says. It is retried with back-off.
	StateFailed State = "failed"
	// StateRemoved: the camera was removed from the site. It is the last state that is
	// published.
	StateRemoved State = "removed"
)

// OfUnit reports whether a redacted unit or a snapshot can be in that state: StateLive for
// a redacted picture, StateObscured or StateOffline for a slate.
func (s State) OfUnit() bool { return s == StateLive || s == StateObscured || s == StateOffline }

// MaxFPS bounds the rates of a Status, per second.
const MaxFPS = 1000

// Status describes one camera at one moment. It is published about once a
// second and on every change of State, and holds no secret: Source is set for
// drawn demo cameras only.
type Status struct {
	Site   string `json:"site"`
	Camera string `json:"name"`
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Fault is the kind of Reason.
	Fault    Fault  `json:"fault,omitempty"`
	Detector string `json:"detector,omitempty"`
	// Warning is what an operator must know, such as that the detector is slow.
	Warning string `json:"warning,omitempty"`
	Style   string `json:"style,omitempty"`
	// Cosmetic is set when the camera's settings do not keep faces from being
	// recovered, because its owner declared that acceptable.
	Cosmetic bool `json:"cosmetic,omitempty"`
	// SelfTest is the last self-test of the redactor; nil: none yet.
	SelfTest *SelfTest `json:"self_test,omitempty"`
	// Sandbox are the protections that confine the redactor, such as "seccomp", and
	// SandboxMissing those that do not hold here, with the reasons.
	Sandbox        []string `json:"sandbox,omitempty"`
	SandboxMissing []string `json:"sandbox_missing,omitempty"`
	// Lookahead is by how many pictures the output lags on purpose.
	Lookahead int `json:"lookahead,omitempty"`
	// DelayMS is how long the last pictures took from their arrival to being sent,
	// look-ahead included, in milliseconds; 0 before the first.
	DelayMS int `json:"delay_ms,omitempty"`
	// Ignored are the zones where no faces are looked for, each by its reason and
	// name, such as "public_display lobby screen".
	Ignored []string `json:"ignored,omitempty"`
	Source  string   `json:"source,omitempty"`
	Epoch   uint64   `json:"epoch,omitempty"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	// FPS is the rate of redacted pictures over the last seconds, slates not
	// counted.
	FPS float64 `json:"fps"`
	// ExpectedFPS is the rate at which the camera sent pictures meanwhile.
	ExpectedFPS float64   `json:"expected_fps,omitempty"`
	Counters    Counters  `json:"counters"`
	Updated     time.Time `json:"updated"`
}

// SelfTest says whether the redactor still finds and obscures a drawn face.
type SelfTest struct {
	At time.Time `json:"at"`
	OK bool      `json:"ok"`
	// Reason says why it failed.
	Reason string `json:"reason,omitempty"`
}

// Counters count since the worker started the camera; they never go back.
type Counters struct {
	// UnitsIn are access units received from the camera.
	UnitsIn uint64 `json:"units_in"`
	// UnitsDropped were received and not decoded, because the redactor was late.
	UnitsDropped uint64 `json:"units_dropped"`
	// Pictures are pictures redacted and sent.
	Pictures uint64 `json:"pictures"`
	// PicturesDropped were decoded and dropped whole, because a stage was late.
	PicturesDropped uint64 `json:"pictures_dropped"`
	// PicturesWithheld were decoded and not shown, because the gate was shut.
	PicturesWithheld uint64 `json:"pictures_withheld"`
	// Slates are slates sent.
	Slates uint64 `json:"slates"`
	// Regions are obscured regions over all pictures.
	Regions uint64 `json:"regions"`
	// Reconnects to the camera, and Restarts of the redactor process.
	Reconnects uint64 `json:"reconnects"`
	Restarts   uint64 `json:"restarts"`
	// Faults are how often each fault has kept the camera from being live.
	Faults map[Fault]uint64 `json:"faults,omitempty"`
	// BytesOut are bytes of redacted access units.
	BytesOut uint64 `json:"bytes_out"`
}

// Event is something that happened to a camera and that an operator may want
// to be told, such as a change of state.
type Event struct {
	Site   string    `json:"site"`
	Camera string    `json:"camera"`
	Time   time.Time `json:"time"`
	State  State     `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Fault  Fault     `json:"fault,omitempty"`
}

// MaxNameBytes bounds the name of a site, camera or rendition.
const MaxNameBytes = 63

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// CheckName reports whether name can be the name of a site, a camera or a
// rendition: it becomes a token of a NATS subject and a path of a URL, so only
// small letters, digits, hyphen and underscore are allowed.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("name is empty")
	case len(name) > MaxNameBytes:
		return fmt.Errorf("name %.20q… is longer than %d bytes", name, MaxNameBytes)
	case !nameRE.MatchString(name):
		return fmt.Errorf("name %q may hold only a-z, 0-9, '-' and '_' and must start with a letter or digit", name)
	}
	return nil
}
