package transport

import "time"

// MaxSnapshotBytes bounds a Snapshot's JPEG: it fits into one message of any usual NATS
// server.
const MaxSnapshotBytes = 768 << 10

// Snapshot is one picture of a camera as the redactor made it, as viewers of the video
// saw it at that time.
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
