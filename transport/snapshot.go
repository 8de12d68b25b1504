package transport

import "time"

// MaxSnapshotBytes bounds a Snapshot's JPEG, so that it fits into one message of any
// usual NATS server.
const MaxSnapshotBytes = 768 << 10

// Snapshot is a camera's picture at one moment, as the redactor made it: what viewers
// of the video saw then.
type Snapshot struct {
	Camera   string
	Captured time.Time
	// Width and Height are its size in pixels.
	Width, Height int
	// State is StateLive for a redacted picture, StateObscured or StateOffline for a slate.
	State State
	// Reason says why State is not StateLive.
	Reason string
	// JPEG is the picture, without any metadata. Readers must not change it.
	JPEG []byte
}
