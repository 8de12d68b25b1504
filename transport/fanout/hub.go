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

// Between attempts to subscribe.
const (
	resubscribeFirst = 250 * time.Millisecond
	resubscribeMost  = 10 * time.Second
)

// Hub serves all viewers of one camera from one subscription. Its methods may be
// called from many goroutines.
type Hub struct {
	camera string
	source Source
	log    *slog.Logger
	count  *Counters
	times  Times
	born   time.Time
	last   atomic.Int64 // unit, as the time since born; 0: none so far
	wrong  rate.Sometimes
	cancel context.CancelFunc

	// refs and linger are under the lock of Hubs.
	refs   int
	linger *time.Timer

	mu      sync.Mutex
	viewers map[*Queue]struct{}
	key     *transport.RedactedUnit // the last key frame; nil: none so far

	begun  chan struct{} // closed at the first key frame
	wanted atomic.Bool   // a key frame
	wake   chan struct{} // wanted has been set
}

// Camera is the camera's name.
func (h *Hub) Camera() string { return h.camera }

// Add makes v get frames, from the next key frame on.
func (h *Hub) Add(v *Queue) {
	h.mu.Lock()
	h.viewers[v] = struct{}{}
	h.mu.Unlock()
	h.Want()
}

// Remove ends that.
func (h *Hub) Remove(v *Queue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.viewers, v)
}

// run keeps the camera subscribed until ctx ends.
func (h *Hub) run(ctx context.Context) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = resubscribeFirst, resubscribeMost
	var p packetiser
	for {
		err := h.follow(ctx, &p, wait.Reset)
		if ctx.Err() != nil {
			return
		}
		pause := wait.NextBackOff()
		h.log.Warn("subscription failed, will be tried again", "error", err, "after", pause.Round(time.Millisecond))
		h.count.Resubscribed.Add(1)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// follow hands out what one subscription gives until it fails.
func (h *Hub) follow(ctx context.Context, p *packetiser, works func()) error {
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
			h.wrong.Do(func() {
				h.log.Error("unit of another camera dropped; check who may publish on the bus", "unit_camera", u.Camera, "epoch", u.Epoch, "seq", u.Seq)
			})
			continue
		}
		works()
		now := time.Now()
		if f := p.frame(u, now); f != nil {
			if u.Key {
				h.keep(u)
			}
			h.count.Units.Add(1)
			h.deliver(f)
		}
	}
}

// keep keeps the last key frame.
func (h *Hub) keep(u *transport.RedactedUnit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.key == nil {
		close(h.begun)
	}
	h.key = u
}

// Key returns the last key frame, which must not be changed. It waits for the
// first one, for which it asks.
func (h *Hub) Key(ctx context.Context) (*transport.RedactedUnit, error) {
	select {
	case <-h.begun:
	default:
		h.Want()
		select {
		case <-h.begun:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.key, nil
}

// heard notes when viewers got a unit.
func (h *Hub) heard(now time.Time) { h.last.Store(max(int64(now.Sub(h.born)), 1)) }

// Patience is how much longer a viewer is kept without a unit; it is over at 0.
// Joined is a time before its Add: a unit that it got came later.
func (h *Hub) Patience(joined, now time.Time) time.Duration {
	last := h.born.Add(time.Duration(h.last.Load()))
	if h.last.Load() != 0 && !last.Before(joined) {
		return last.Add(h.times.Silence).Sub(now)
	}
	return joined.Add(h.times.First).Sub(now)
}

// restart makes every viewer wait for a key frame: what comes next does not
// continue what came last.
func (h *Hub) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := range h.viewers {
		v.skipping = true
	}
}

// deliver offers a frame to all viewers. It never waits for one of them.
func (h *Hub) deliver(f *Frame) {
	if f.Key {
		h.wanted.Store(false)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard(time.Now())
	for v := range h.viewers {
		if v.offer(f) {
			h.Want()
		}
	}
}

// Want says that somebody needs a key frame. It never waits.
func (h *Hub) Want() {
	h.wanted.Store(true)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Wanted reports whether a wish for a key frame has not been met.
func (h *Hub) Wanted() bool { return h.wanted.Load() }

// request passes on that a key frame is wanted, at most once in its time. A key
// frame that comes meanwhile serves all.
func (h *Hub) request(ctx context.Context) {
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
		if !h.wanted.Swap(false) {
			continue
		}
		last = time.Now()
		if err := h.source.RequestKeyframe(h.camera); err != nil {
			h.log.Warn("key frame not asked for", "error", err)
			continue
		}
		h.count.Keyframes.Add(1)
	}
}
