package webrtc

import (
	"sync"
	"time"

	"scrim/transport"
)

// statuses is a list of the cameras that all event streams share. A source may have
// to copy and sort thousands, and there may be hundreds of streams.
type statuses struct {
	mu      sync.Mutex
	listed  time.Time
	number  uint64
	cameras []transport.Status
}

// statuses returns the state of all cameras, at most times.list old, and the number
// of the list, from 1. The slice is shared and must not be changed.
func (g *Gateway) statuses() ([]transport.Status, uint64) {
	s := &g.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number == 0 || time.Since(s.listed) >= g.times.list {
		s.cameras = g.opt.Source.Cameras()
		s.listed, s.number = time.Now(), s.number+1
	}
	return s.cameras, s.number
}
