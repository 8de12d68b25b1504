package webrtc

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"
)

// Between attempts to subscribe.
const (
	resubscribeFirst = 250 * time.Millisecond
	resubscribeMost  = 10 * time.Second
)

// hub serves all viewers of one camera from one subscription.
type hub struct {
	camera string
	source Source
	log    *slog.Logger
	count  *counters
	every  time.Duration // between requests for a key frame
	// silence and first are how long viewers wait for a unit: after the last one,
	// and when none has come since they joined.
	silence, first time.Duration
	born           time.Time
	last           atomic.Int64 // unit, as the time since born; 0: none so far
	wrong          rate.Sometimes
	cancel         context.CancelFunc

	// refs and linger belong to the gateway and its lock.
	refs   int
	linger *time.Timer

	mu      sync.Mutex
	viewers map[*viewer]struct{}

	wanted atomic.Bool   // a key frame
	wake   chan struct{} // wanted has been set
}

// acquire returns the hub of a camera, which it starts if there is none. The
// caller calls release. It fails with nil when the gateway is closing.
func (g *Gateway) acquire(camera string) *hub {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	h := g.hubs[camera]
	if h == nil {
		ctx, cancel := context.WithCancel(g.ctx)
		h = &hub{
			camera: camera, source: g.opt.Source, log: g.log.With("camera", camera), count: &g.count,
			every: g.times.keyframe, silence: g.times.silence, first: g.times.first, born: time.Now(), wrong: rate.Sometimes{Interval: 10 * time.Second}, cancel: cancel,
			viewers: map[*viewer]struct{}{}, wake: make(chan struct{}, 1),
		}
		g.hubs[camera] = h
		g.wg.Go(func() { h.run(ctx) })
		g.wg.Go(func() { h.request(ctx) })
	}
	if h.linger != nil {
		h.linger.Stop()
		h.linger = nil
	}
	h.refs++
	return h
}

// release gives a hub back. It ends some time after nobody has it.
func (g *Gateway) release(h *hub) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.refs--
	if h.refs > 0 || g.closed {
		return
	}
	h.linger = time.AfterFunc(g.times.linger, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if h.refs == 0 && g.hubs[h.camera] == h {
			delete(g.hubs, h.camera)
			h.cancel()
		}
	})
}

// add makes v get frames, from the next key frame on.
func (h *hub) add(v *viewer) {
	h.mu.Lock()
	h.viewers[v] = struct{}{}
	h.mu.Unlock()
	h.want()
}

func (h *hub) remove(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.viewers, v)
}

// run keeps the camera subscribed until ctx ends.
func (h *hub) run(ctx context.Context) {
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
		h.count.resubscribed.Add(1)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// follow hands out what one subscription gives until it fails.
func (h *hub) follow(ctx context.Context, p *packetiser, works func()) error {
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
			h.count.wrongCamera.Add(1)
			h.wrong.Do(func() {
				h.log.Error("unit of another camera dropped; check who may publish on the bus", "unit_camera", u.Camera, "epoch", u.Epoch, "seq", u.Seq)
			})
			continue
		}
		works()
		now := time.Now()
		if f := p.frame(u, now); f != nil {
			h.heard(now)
			h.count.units.Add(1)
			h.deliver(f)
		}
	}
}

// heard notes when a unit came that viewers get.
func (h *hub) heard(now time.Time) { h.last.Store(max(int64(now.Sub(h.born)), 1)) }

// patience is how much longer a viewer that joined at a time is kept without a
// unit; it is over at 0.
func (h *hub) patience(joined, now time.Time) time.Duration {
	last := h.born.Add(time.Duration(h.last.Load()))
	if last.After(joined) {
		return last.Add(h.silence).Sub(now)
	}
	return joined.Add(h.first).Sub(now)
}

// restart makes every viewer wait for a key frame: what comes next does not
// continue what came last.
func (h *hub) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := range h.viewers {
		v.skipping = true
	}
}

// deliver offers a frame to all viewers. It never waits for one of them.
func (h *hub) deliver(f *frame) {
	if f.key {
		h.wanted.Store(false)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := range h.viewers {
		if v.offer(f) {
			h.want()
		}
	}
}

// want says that somebody needs a key frame. It never waits.
func (h *hub) want() {
	h.wanted.Store(true)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// request passes on that a key frame is wanted, at most once in h.every. A key
// frame that comes meanwhile serves all.
func (h *hub) request(ctx context.Context) {
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
		if pause := h.every - time.Since(last); !last.IsZero() && pause > 0 {
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
		h.count.keyframes.Add(1)
	}
}
