package fanout

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Hubs holds the hubs of all cameras with viewers. Its methods may be called from many
// goroutines.
type Hubs struct {
	// Times may be changed before the first Acquire.
	Times Times

	source Source
	log    *slog.Logger
	count  *Counters
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	hubs   map[string]*Hub
}

// New returns a Hubs without hubs. The caller closes it.
func New(source Source, count *Counters, log *slog.Logger) *Hubs {
	s := &Hubs{Times: DefaultTimes(), source: source, log: log, count: count, hubs: map[string]*Hub{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Acquire returns the hub of a camera and starts it if necessary. The caller calls
// Release. Acquire returns nil once Close was called.
func (s *Hubs) Acquire(camera string) *Hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	h := s.hubs[camera]
	if h == nil {
		ctx, cancel := context.WithCancel(s.ctx)
		h = &Hub{
			camera: camera, source: s.source, log: s.log.With("camera", camera), count: s.count, times: s.Times,
			created: time.Now(), wrongCamera: rate.Sometimes{Interval: 10 * time.Second}, cancel: cancel,
			viewers: map[*Queue]struct{}{}, wake: make(chan struct{}, 1), started: make(chan struct{}),
		}
		s.hubs[camera] = h
		s.wg.Go(func() { h.run(ctx) })
		s.wg.Go(func() { h.forwardRequests(ctx) })
	}
	if h.linger != nil {
		h.linger.Stop()
		h.linger = nil
	}
	h.refs++
	return h
}

// Release ends the use of a hub. An unused hub stops after Times.Linger.
func (s *Hubs) Release(h *Hub) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.refs--
	if h.refs > 0 || s.closed {
		return
	}
	h.linger = time.AfterFunc(s.Times.Linger, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if h.refs == 0 && s.hubs[h.camera] == h {
			delete(s.hubs, h.camera)
			h.cancel()
		}
	})
}

// Len returns how many cameras are subscribed to.
func (s *Hubs) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hubs)
}

// Viewers returns how many viewers a camera has.
func (s *Hubs) Viewers(camera string) int {
	s.mu.Lock()
	h := s.hubs[camera]
	s.mu.Unlock()
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.viewers)
}

// Close stops all hubs and waits for their end.
func (s *Hubs) Close() {
	s.mu.Lock()
	s.closed = true
	for _, h := range s.hubs {
		if h.linger != nil {
			h.linger.Stop()
		}
	}
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	s.mu.Lock()
	clear(s.hubs)
	s.mu.Unlock()
}
