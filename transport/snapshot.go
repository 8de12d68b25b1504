package transport

import "time"

// MaxSnapshotBytes bounds a Snapshot's JPEG: it fits into one message of any usual NATS
// server.
const MaxSnapshotBytes = 768 << 10

// Snapshot is one picture of a camera as the redactor made it, as viewers of the video
// saw it at that time.
type Snapshot struct {
	Camera   string    `json:"-"`
	Captured time.Time `json:"captured"`
	// Width and Height are its size in pixels.
	Width  int `json:"width"`
	Height int `json:"height"`
	// State is StateLive for a redacted picture, StateObscured or StateOffline for a slate,
	// and StateBlind for either.
	State State `json:"state"`
	// Reason says why State is not StateLive.
	Reason string `json:"reason,omitempty"`
	// JPEG is the picture, without any metadata. Readers must not change it.
	JPEG []byte `json:"-"`
}
