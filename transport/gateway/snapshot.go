package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"scrim/transport"
	"scrim/transport/fanout"
)

const (
	// snapshotAge is how long a snapshot is returned to others as well.
	snapshotAge = time.Second
	// snapshotTimeout bounds a request to the bus.
	snapshotTimeout = 5 * time.Second
)

// snapshots requests a camera's snapshot once for everybody who wants it within
// snapshotAge.
type snapshots struct {
	life context.Context // of all requests
	end  context.CancelFunc

	mu       sync.Mutex
	requests map[string]*snapshotRequest
	running  sync.WaitGroup
}

// snapshotRequest is a request under way, or its answer.
type snapshotRequest struct {
	done     chan struct{}
	ended    time.Time
	snapshot *transport.Snapshot
	err      error
}

func newSnapshots() *snapshots {
	s := &snapshots{requests: make(map[string]*snapshotRequest)}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// close ends the requests that are under way.
func (s *snapshots) close() {
	s.end()
	s.mu.Lock()   // get starts none after this
	s.mu.Unlock() //nolint:staticcheck // nothing to do meanwhile
	s.running.Wait()
}

// get returns what request returns, or has returned less than snapshotAge ago.
func (s *snapshots) get(ctx context.Context, camera string, request func(context.Context) (*transport.Snapshot, error)) (*transport.Snapshot, error) {
	s.mu.Lock()
	now := time.Now()
	for name, r := range s.requests {
		if !r.ended.IsZero() && now.Sub(r.ended) >= snapshotAge {
			delete(s.requests, name)
		}
	}
	r := s.requests[camera]
	if r == nil {
		if err := s.life.Err(); err != nil {
			s.mu.Unlock()
			return nil, err
		}
		r = &snapshotRequest{done: make(chan struct{})}
		s.requests[camera] = r
		s.running.Go(func() { // the first client may leave before the answer
			ctx, cancel := context.WithTimeout(s.life, snapshotTimeout)
			defer cancel()
			snapshot, err := request(ctx)
			s.mu.Lock()
			r.snapshot, r.err, r.ended = snapshot, err, time.Now()
			s.mu.Unlock()
			close(r.done)
		})
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.snapshot, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Snapshot implements webrtc.Source.
func (s *source) Snapshot(ctx context.Context, camera string) (*transport.Snapshot, error) {
	if !s.Knows(camera) {
		return nil, fmt.Errorf("%w: %q", fanout.ErrNoCamera, camera)
	}
	return s.snapshots.get(ctx, camera, func(ctx context.Context) (*transport.Snapshot, error) { return s.conn.Snapshot(ctx, s.site, camera) })
}
