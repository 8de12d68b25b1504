package rtsp

import (
	"errors"
	"time"

	"scrim/transport"
)

// Classes of failure, found by errors.Is in every error that NewClient and Run
// return. A supervisor chooses by them how long to wait; see Backoff.
var (
	// ErrConfig: the configuration cannot work with any camera.
	ErrConfig = errors.New("configuration")
	// ErrUnreachable: no connection, no answer, or the connection was lost.
	ErrUnreachable = errors.New("camera unreachable")
	// ErrCredentials: the camera refuses user or password (401, 403). Retry rarely:
	// cameras lock accounts after about five failed logins.
	ErrCredentials = errors.New("credentials refused")
	// ErrNotFound: the camera has no stream at this path (404).
	ErrNotFound = errors.New("stream not found")
	// ErrNoVideo: the stream has no video track.
	ErrNoVideo = errors.New("no video track")
	// ErrUnsupportedCodec: the video is not H.264, H.265 or MJPEG, or is packetised in
	// an unsupported way.
	ErrUnsupportedCodec = errors.New("unsupported codec")
	// ErrStalled: connected, but no complete access unit for too long.
	ErrStalled = errors.New("stream stalled")
	// ErrProtocol: the camera's answers or packets are invalid.
	ErrProtocol = errors.New("protocol error")
)

// Error is the error of NewClient and Run. Its text is one line that says what failed,
// on which camera, why, and what to do. It never contains credentials.
type Error struct {
	// Camera is the camera's name.
	Camera string
	// Class is one of the errors above.
	Class error
	// Reason says what failed and why.
	Reason string
	// Advice says what to do about it.
	Advice string
	// short is the text of Public; empty: the text of the class.
	short string
	// Delivered counts the access units that Run delivered before it failed. Lasted is
	// the time from the first of them to the failure.
	Delivered uint64
	Lasted    time.Duration
	// LoginRefused is set if the camera refused the user and password that it was sent.
	// Cameras count that and may lock the account.
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

// Public returns a few words for those who watch the camera. They contain no host, no
// path (which can contain a key), no credentials, no advice, and no text of the camera
// except names of codecs.
func (e *Error) Public() string {
	if e.short != "" {
		return e.short
	}
	if text, ok := public[e.Class]; ok {
		return text
	}
	return "connection to the camera failed"
}

// public has the text of each class.
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

// Unwrap returns the class. The library's error is not kept: its text can contain the
// URL with the password.
func (e *Error) Unwrap() error { return e.Class }

// maxQuoteBytes bounds a camera's text in an error.
const maxQuoteBytes = 160

// quote makes text from a camera fit for one line of a log.
func quote(s string) string { return transport.Plain(s, maxQuoteBytes) }
