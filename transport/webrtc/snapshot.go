package webrtc

import (
	"sync"
	"time"

	"scrim/transport"
)

// snapshot is the state of the cameras that all event streams share: a source
// may have to copy and sort thousands, and there may be hundreds of streams.
type snapshot struct {
	mu      sync.Mutex
	taken   time.Time
	number  uint64
	cameras []transport.Status
}

// snapshot returns the state of all cameras, at most times.snapshot old, and its
// number, from 1. The slice is shared and must not be changed.
func (g *Gateway) snapshot() ([]transport.Status, uint64) {
	s := &g.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number == 0 || time.Since(s.taken) >= g.times.snapshot {
		s.cameras = g.opt.Source.Cameras()
		s.taken, s.number = time.Now(), s.number+1
	}
	return s.cameras, s.number
}
