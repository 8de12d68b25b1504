package rtsp

import (
	"errors"
	"time"

	"scrim/transport"
)

// Classes of failure, found by errors.Is in every error that NewClient and Run
// return. A supervisor chooses by them how long to wait; see Backoff.
var (
	// ErrConfig: the configuration cannot work, whatever the camera does.
	ErrConfig = errors.New("configuration")
	// ErrUnreachable: no connection, no answer, or the connection was lost.
	ErrUnreachable = errors.New("camera unreachable")
	// ErrCredentials: the camera refuses user or password (401, 403). Try rarely:
	// cameras lock accounts after about five bad logins.
	ErrCredentials = errors.New("credentials refused")
	// ErrNotFound: the camera has no stream at this path (404).
	ErrNotFound = errors.New("stream not found")
	// ErrNoVideo: the stream has no video track.
	ErrNoVideo = errors.New("no video track")
	// ErrUnsupportedCodec: the video is neither H.264 nor H.265 nor MJPEG, or it is
	// packed in a way that is not read.
	ErrUnsupportedCodec = errors.New("unsupported codec")
	// ErrStalled: connected, but no complete access unit for too long.
	ErrStalled = errors.New("stream stalled")
	// ErrProtocol: the camera's answers or packets make no sense.
	ErrProtocol = errors.New("protocol error")
)

// Error is what NewClient and Run return. Its text is one line that says what
// failed, on which camera, why, and what to do; it never holds credentials.
type Error struct {
	// Camera is the camera's name.
	Camera string
	// Class is one of the sentinels of this package.
	Class error
	// Reason says what failed and why.
	Reason string
	// Advice says what to do about it.
	Advice string
	// short is what Public says, where the class does not say it all.
	short string
	// Delivered counts the access units that Run handed over before it failed,
	// and Lasted is the time between the first of them and the failure.
	Delivered uint64
	Lasted    time.Duration
	// LoginRefused is set where the camera was shown user and password and refuses
	// them: it counts that, and may lock the account.
	LoginRefused bool
}

// Error implements error.
func (e *Error) Error() string {
	s := "camera " + e.Camera + ": " + e.Reason
	if e.Advice != "" {
		s += "; " + e.Advice
	}
	return s
}

// Public says in a few words what is wrong, for those who watch the camera: no
// host, no path (which can hold a key), no credentials, no advice, and nothing
// that the camera has said but the names of its codecs.
func (e *Error) Public() string {
	if e.short != "" {
		return e.short
	}
	if text, ok := public[e.Class]; ok {
		return text
	}
	return "connection to the camera failed"
}

// public is what Public says of a class.
var public = map[error]string{
	ErrConfig:           "wrong configuration",
	ErrUnreachable:      "camera unreachable",
	ErrCredentials:      "wrong user or password",
	ErrNotFound:         "stream not found",
	ErrNoVideo:          "no video track",
	ErrUnsupportedCodec: "unsupported codec",
	ErrStalled:          "stream stalled",
	ErrProtocol:         "protocol error",
}

// Unwrap returns the class. The library's own error is not kept: its text can
// hold the URL with the password.
func (e *Error) Unwrap() error { return e.Class }

// maxQuoteBytes bounds what a camera says when it is quoted in an error.
const maxQuoteBytes = 160

// quote makes text that a camera may have chosen fit for one line of a log.
func quote(s string) string { return transport.Plain(s, maxQuoteBytes) }
