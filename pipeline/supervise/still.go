package supervise

import (
	"context"
	"fmt"
	"sync"
	"time"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// stills hands snapshots to those who wait for one.
type stills struct {
	mu      sync.Mutex
	waiting []chan *transport.Still
}

func (s *stills) wait() <-chan *transport.Still {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := make(chan *transport.Still, 1)
	s.waiting = append(s.waiting, ch)
	return ch
}

func (s *stills) give(x *transport.Still) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ch := range s.waiting {
		ch <- x
	}
	s.waiting = nil
}

// leave forgets one who waits no longer.
func (s *stills) leave(gone <-chan *transport.Still) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.waiting[:0]
	for _, ch := range s.waiting {
		if ch != gone {
			kept = append(kept, ch)
		}
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
}

// Snapshot returns the camera's picture as viewers see it: the next one that the
// redactor codes, at most one a second, or the slate that stands in for it. It may
// be called at any time, from any goroutine.
func (c *Camera) Snapshot(ctx context.Context) (*transport.Still, error) {
	if s := c.out.standIn(); s != nil {
		return s, nil
	}
	ch := c.stills.wait()
	defer c.stills.leave(ch)
	c.queue.command(wire.TypeSnapshot, wire.Snapshot{})
	select {
	case s := <-ch:
		return s, nil
	case <-ctx.Done():
	}
	if s := c.out.standIn(); s != nil { // since a moment ago
		return s, nil
	}
	return nil, fmt.Errorf("camera %s: no snapshot: %w", c.o.Redactor.Camera, context.Cause(ctx))
}

// still checks and hands on a snapshot.
func (p *process) still(w *wire.Shot, data []byte) error {
	if w.Width <= 0 || w.Height <= 0 || len(data) == 0 || len(data) > transport.MaxStillBytes ||
		w.State != transport.StateLive && w.State != transport.StateObscured {
		return fmt.Errorf("%w: snapshot of %d×%d, %d bytes, is not what a redactor makes", wire.ErrProtocol, w.Width, w.Height, len(data))
	}
	if p.c.out.shows(p, w.Fence) {
		p.c.stills.give(&transport.Still{
			Camera: p.c.o.Redactor.Camera, Captured: time.Unix(0, w.Captured), Width: w.Width, Height: w.Height,
			State: w.State, Reason: oneLine(w.Reason), JPEG: data,
		})
	}
	return nil
}

// shows reports whether what a redactor has coded is shown.
func (o *outlet) shows(p *process, fence uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.life == p && o.cover == nil && fence >= o.floor
}

// standIn returns the slate that viewers get of the worker, as a snapshot; nil when
// they do not, or there is none.
func (o *outlet) standIn() *transport.Still {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cover == nil {
		return nil
	}
	s, ok := o.stills[o.cover.class]
	if !ok {
		return nil
	}
	return &transport.Still{
		Camera: o.c.o.Redactor.Camera, Captured: time.Now(), Width: s.Width, Height: s.Height,
		State: transport.StateObscured, Reason: o.cover.reason, JPEG: s.data,
	}
}
