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
	// StateStarting: the redactor or the connection to the camera is starting.
	StateStarting State = "starting"
	// StateLive: inspected, redacted pictures are sent.
	StateLive State = "live"
	// StateObscured: the camera sends, but its picture is hidden behind a slate; the
	// reason says why.
	StateObscured State = "obscured"
	// StateBlind: the camera sends, but the detector cannot see in its pictures, so that
	// they are covered in another way, or hidden; the reason says why.
	StateBlind State = "blind"
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
// a redacted picture, StateObscured or StateOffline for a slate, StateBlind for both.
func (s State) OfUnit() bool {
	return s == StateLive || s == StateObscured || s == StateBlind || s == StateOffline
}

// MaxFPS bounds the rates of a Status, per second.
const MaxFPS = 1000

// Status describes one camera at one time. It is published about once a second and at
// every change of State. It contains no secrets: Source is set for drawn demo cameras
// only.
type Status struct {
	Site   string `json:"site"`
	Camera string `json:"name"`
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Fault is the kind of Reason.
	Fault Fault `json:"fault,omitempty"`
	// CoveredBy is what hides people from viewers while the camera is live or blind.
	CoveredBy CoveredBy `json:"covered_by,omitempty"`
	// BlindLastDay is for how many of the last 24 hours' seconds it was not proved that
	// the detector sees, by reason. It begins with the worker, and has steps of ten
	// seconds.
	BlindLastDay map[BlindReason]float64 `json:"blind_last_day,omitempty"`
	// Sight is what is known of how small the faces are that are found; nil: nothing yet.
	Sight    *Sight `json:"sight,omitempty"`
	Detector string `json:"detector,omitempty"`
	// Warning is a problem that an operator must know, such as a slow detector.
	Warning string `json:"warning,omitempty"`
	Style   string `json:"style,omitempty"`
	// Cosmetic is set if the camera's settings allow faces to be recovered, which its
	// owner has accepted.
	Cosmetic bool `json:"cosmetic,omitempty"`
	// SelfTest is the result of the redactor's last self-test; nil: none yet.
	SelfTest *SelfTest `json:"self_test,omitempty"`
	// Sandbox lists the protections that confine the redactor, such as "seccomp".
	// SandboxMissing lists those that are not available here, with reasons.
	Sandbox        []string `json:"sandbox,omitempty"`
	SandboxMissing []string `json:"sandbox_missing,omitempty"`
	// Lookahead is the intended lag of the output, in pictures.
	Lookahead int `json:"lookahead,omitempty"`
	// DelayMS is the time from the arrival of the last pictures to their sending,
	// look-ahead included, in milliseconds; 0 before the first.
	DelayMS int `json:"delay_ms,omitempty"`
	// Ignored are the zones without face detection, each by its reason and name, such
	// as "public_display lobby screen".
	Ignored []string `json:"ignored,omitempty"`
	Source  string   `json:"source,omitempty"`
	Epoch   uint64   `json:"epoch,omitempty"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	// FPS is the rate of redacted pictures over the last seconds, without slates.
	FPS float64 `json:"fps"`
	// ExpectedFPS is the rate at which the camera sent pictures in that time.
	ExpectedFPS float64   `json:"expected_fps,omitempty"`
	Counters    Counters  `json:"counters"`
	Updated     time.Time `json:"updated"`
}

// SelfTest reports whether the redactor still finds and obscures a drawn face.
type SelfTest struct {
	At time.Time `json:"at"`
	OK bool      `json:"ok"`
	// Reason says why it failed.
	Reason string `json:"reason,omitempty"`
}

// Counters count since the worker started the camera. They never decrease.
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
	// Regions are the obscured regions of all pictures.
	Regions uint64 `json:"regions"`
	// Reconnects to the camera, and Restarts of the redactor process.
	Reconnects uint64 `json:"reconnects"`
	Restarts   uint64 `json:"restarts"`
	// Faults counts how often each fault kept the camera from being live.
	Faults map[Fault]uint64 `json:"faults,omitempty"`
	// BlindSeconds are the seconds for which it was not proved that the detector sees, by
	// reason, also those before the camera counts as blind.
	BlindSeconds map[BlindReason]float64 `json:"blind_seconds,omitempty"`
	// BytesOut are bytes of redacted access units.
	BytesOut uint64 `json:"bytes_out"`
}

// Event is a change of a camera that an operator may want to know, such as a change of
// state.
type Event struct {
	Site   string    `json:"site"`
	Camera string    `json:"camera"`
	Time   time.Time `json:"time"`
	State  State     `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Fault  Fault     `json:"fault,omitempty"`
	// CoveredBy is what hides people from viewers if the camera is live or blind.
	CoveredBy CoveredBy `json:"covered_by,omitempty"`
}

// MaxNameBytes bounds the name of a site, camera or rendition.
const MaxNameBytes = 63

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// CheckName checks the name of a site, a camera or a rendition. It becomes a token of a
// NATS subject and a path of a URL, so only lower-case letters, digits, hyphen and
// underscore are allowed.
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
