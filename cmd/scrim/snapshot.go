package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"scrim/transport"
	"scrim/transport/fanout"
)

// snapshotAge is how old a snapshot may be that several get.
const snapshotAge = time.Second

// snapshotTimeout is how long one is waited for.
const snapshotTimeout = 5 * time.Second

// snapshots asks for a camera's picture once for all who want it within
// snapshotAge.
type snapshots struct {
	mu      sync.Mutex
	cameras map[string]*snapshotFlight
}

// snapshotFlight is a request under way, or its answer.
type snapshotFlight struct {
	done  chan struct{}
	ended time.Time
	still *transport.Snapshot
	err   error
}

// get returns the picture that take returns, or has returned not long ago.
func (s *snapshots) get(ctx context.Context, camera string, take func(context.Context) (*transport.Snapshot, error)) (*transport.Snapshot, error) {
	s.mu.Lock()
	now := time.Now()
	for name, f := range s.cameras {
		if !f.ended.IsZero() && now.Sub(f.ended) >= snapshotAge {
			delete(s.cameras, name)
		}
	}
	f := s.cameras[camera]
	if f == nil {
		if s.cameras == nil {
			s.cameras = make(map[string]*snapshotFlight)
		}
		f = &snapshotFlight{done: make(chan struct{})}
		s.cameras[camera] = f
		go func() { // ends by its own deadline: the first to ask may go
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotTimeout)
			defer cancel()
			still, err := take(ctx)
			s.mu.Lock()
			f.still, f.err, f.ended = still, err, time.Now()
			s.mu.Unlock()
			close(f.done)
		}()
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.still, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Snapshot implements webrtc.Source.
func (s *busSource) Snapshot(ctx context.Context, camera string) (*transport.Snapshot, error) {
	if !s.Knows(camera) {
		return nil, fmt.Errorf("%w: %q", fanout.ErrNoCamera, camera)
	}
	return s.snapshots.get(ctx, camera, func(ctx context.Context) (*transport.Snapshot, error) { return s.conn.Snapshot(ctx, s.site, camera) })
}
