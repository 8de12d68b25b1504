package supervise

import (
	"context"
	"fmt"
	"slices"
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

// wanted reports whether somebody waits.
func (s *stills) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) > 0
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
	return nil, fmt.Errorf("camera %s: no snapshot: %w", c.o.Redactor.Camera, context.Cause(ctx))
}

// still checks and hands on a snapshot.
func (p *process) still(w *wire.Shot, data []byte) error {
	if w.Width <= 0 || w.Height <= 0 || len(data) == 0 || len(data) > transport.MaxStillBytes ||
		w.State != transport.StateLive && w.State != transport.StateObscured ||
		(w.Arrived != 0) != (w.State == transport.StateLive) {
		return fmt.Errorf("%w: snapshot of %d×%d, %d bytes, is not what a redactor makes", wire.ErrProtocol, w.Width, w.Height, len(data))
	}
	p.c.out.still(p, w, &transport.Still{
		Camera: p.c.o.Redactor.Camera, Captured: time.Unix(0, w.Captured), Width: w.Width, Height: w.Height,
		State: w.State, Reason: oneLine(w.Reason), JPEG: data,
	})
	return nil
}

// taken is a snapshot of a redactor's.
type taken struct {
	p *process
	w *wire.Shot
	s *transport.Still
}

// still hands on a snapshot of what a redactor has coded, if that is shown, and as
// late as it is: it waits for the same proof.
func (o *outlet) still(p *process, w *wire.Shot, s *transport.Still) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := &taken{p, w, s}
	switch {
	case o.life != p:
	case slices.Contains(o.refused, w.Arrived):
		o.askStill()
	case w.Arrived != 0 && w.Arrived == o.unproven:
		o.heldStill = x
	default:
		o.passStill(x)
	}
}

// passStill hands a snapshot to those who wait for one, if viewers see what the
// redactor has coded. If not they get what hide gives them, or wait until they do.
func (o *outlet) passStill(x *taken) {
	if o.life == x.p && o.cover == nil && x.w.Fence >= o.floor {
		o.c.stills.give(x.s)
	}
}

// dropHeldStill drops the snapshot that waits for a proof.
func (o *outlet) dropHeldStill() {
	if o.heldStill != nil {
		o.heldStill = nil
		o.askStill()
	}
}

// askStill asks for another snapshot in the place of one that was dropped: whoever
// waited for that one waits still.
func (o *outlet) askStill() { o.c.queue.command(wire.TypeSnapshot, wire.Snapshot{}) }

// standIn returns the slate that viewers get of the worker, as a snapshot; nil when
// they do not, or there is none.
func (o *outlet) standIn() *transport.Still {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.slateStill()
}

// giveSlate hands that to those who wait.
func (o *outlet) giveSlate() {
	if s := o.slateStill(); s != nil {
		o.c.stills.give(s)
	}
}

func (o *outlet) slateStill() *transport.Still {
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
