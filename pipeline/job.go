package pipeline

import (
	"time"

	"scrim/redact"
	"scrim/transport"
)

// job is one picture on its way through the stages. It is in one stage, or in one
// queue, at a time; each stage fills in its part.
type job struct {
	unit transport.CameraUnit // without Data
	key  bool                 // decoding could start at the unit
	// generation is the gate's when the unit was decoded.
	generation  uint64
	decodeBegan time.Time
	decodeTime  time.Duration

	decoded time.Time // when decoding ended
	pic     redact.Picture

	frame  redact.Frame // has taken over the Image of pic
	timing redact.Timing
}

// hidden is why pictures that are inspected are not shown, though the gate is open.
type hidden struct {
	cause redact.Cause
	sight redact.Verdict // in the last such picture
	at    time.Time      // of that
}
