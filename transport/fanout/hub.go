package fanout

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"

	"scrim/transport"
)

// Pauses between attempts to subscribe.
const (
	resubscribeFirst = 250 * time.Millisecond
	resubscribeMax   = 10 * time.Second
)

// Hub serves all viewers of one camera from one subscription. Its methods may be called
// from many goroutines.
type Hub struct {
	camera      string
	source      Source
	log         *slog.Logger
	count       *Counters
	times       Times
	created     time.Time
	lastUnit    atomic.Int64   // when, since created; 0: none yet
	wrongCamera rate.Sometimes // limits the log
	cancel      context.CancelFunc

	// refs and linger are protected by the lock of Hubs.
	refs   int
	linger *time.Timer

	mu      sync.Mutex
	viewers map[*Queue]struct{}
	lastKey *transport.RedactedUnit // nil: none yet

	started chan struct{} // closed at the first key frame
	pending atomic.Bool   // a request for a key frame
	wake    chan struct{} // pending was set
}

// Camera returns the camera's name.
func (h *Hub) Camera() string { return h.camera }

// Add starts the delivery of frames to q, at the next key frame.
func (h *Hub) Add(q *Queue) {
	h.mu.Lock()
	h.viewers[q] = struct{}{}
	h.mu.Unlock()
	h.RequestKeyframe()
}

// Remove ends the delivery of frames to q.
func (h *Hub) Remove(q *Queue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.viewers, q)
}

// run keeps the camera subscribed until ctx ends.
func (h *Hub) run(ctx context.Context) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = resubscribeFirst, resubscribeMax
	var p packetiser
	for {
		err := h.relay(ctx, &p, wait.Reset)
		if ctx.Err() != nil {
			return
		}
		pause := wait.NextBackOff()
		h.log.Warn("subscription failed; retrying", "error", err, "after", pause.Round(time.Millisecond))
		h.count.Resubscribed.Add(1)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// relay delivers the units of one subscription until it fails.
func (h *Hub) relay(ctx context.Context, p *packetiser, onUnit func()) error {
	units, err := h.source.Subscribe(h.camera)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	defer units.Close()
	p.reset()
	h.restart()
	for {
		u, err := units.Next(ctx)
		if err != nil {
			return fmt.Errorf("next unit: %w", err)
		}
		if u == nil {
			continue
		}
		if u.Camera != h.camera {
			h.count.WrongCamera.Add(1)
			h.wrongCamera.Do(func() {
				h.log.Error("unit of another camera dropped; check which users may publish on the bus", "unit_camera", u.Camera, "epoch", u.Epoch, "seq", u.Seq)
			})
			continue
		}
		onUnit()
		now := time.Now()
		if f := p.frame(u, now); f != nil {
			if u.Key {
				h.setLastKey(u)
			}
			h.count.Units.Add(1)
			h.deliver(f)
		}
	}
}

// setLastKey stores a key frame.
func (h *Hub) setLastKey(u *transport.RedactedUnit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lastKey == nil {
		close(h.started)
	}
	h.lastKey = u
}

// LastKeyframe returns the last key frame, which the caller must not change. Before the
// first one, it requests one and waits for it until ctx ends.
func (h *Hub) LastKeyframe(ctx context.Context) (*transport.RedactedUnit, error) {
	select {
	case <-h.started:
	default:
		h.RequestKeyframe()
		select {
		case <-h.started:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastKey, nil
}

// touch records that viewers received a unit.
func (h *Hub) touch(now time.Time) { h.lastUnit.Store(max(int64(now.Sub(h.created)), 1)) }

// IdleLeft returns how much longer a viewer may wait for a unit before its session must
// end; it is not positive once that time is over. Joined is a time before the viewer's
// Add: a later unit was delivered to it.
func (h *Hub) IdleLeft(joined, now time.Time) time.Duration {
	last := h.created.Add(time.Duration(h.lastUnit.Load()))
	if h.lastUnit.Load() != 0 && !last.Before(joined) {
		return last.Add(h.times.Silence).Sub(now)
	}
	return joined.Add(h.times.First).Sub(now)
}

// restart makes every viewer wait for a key frame: the next unit does not continue the
// last one.
func (h *Hub) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := range h.viewers {
		v.skipping = true
	}
}

// deliver offers a frame to all viewers. It never blocks.
func (h *Hub) deliver(f *Frame) {
	if f.Key {
		h.pending.Store(false)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.touch(time.Now())
	for v := range h.viewers {
		if v.offer(f) {
			h.RequestKeyframe()
		}
	}
}

// RequestKeyframe requests a key frame for a viewer. It never blocks.
func (h *Hub) RequestKeyframe() {
	h.pending.Store(true)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// KeyframePending reports whether a request for a key frame was not passed on or
// answered yet.
func (h *Hub) KeyframePending() bool { return h.pending.Load() }

// forwardRequests sends requests for a key frame to the camera, at most one in
// Times.Keyframe. A key frame that arrives meanwhile satisfies them all.
func (h *Hub) forwardRequests(ctx context.Context) {
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
		if pause := h.times.Keyframe - time.Since(last); !last.IsZero() && pause > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
		if !h.pending.Swap(false) {
			continue
		}
		last = time.Now()
		if err := h.source.RequestKeyframe(h.camera); err != nil {
			h.log.Warn("key frame request failed", "error", err)
			continue
		}
		h.count.Keyframes.Add(1)
	}
}
