package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// The waits between starts of the redactor, and how long one must have run for
// the next to be started at once, and the waits to begin anew.
const (
	minRestart  = 250 * time.Millisecond
	maxRestart  = 10 * time.Second
	healthyTime = 30 * time.Second
)

// ErrPermanent is wrapped by the error of Run when another try cannot help.
var ErrPermanent = errors.New("cannot work as configured")

// Source is where a camera's units come from, such as an rtsp.Client.
type Source interface {
	// Run connects once and calls onUnit for every unit until ctx ends or the
	// connection fails. The log gets the error's text; viewers get what its method
	// Public() string says, or that the connection failed where it has none.
	Run(ctx context.Context, onUnit func(transport.CameraUnit)) error
}

// Sink takes what is made of a camera, such as a bus.Publisher. Errors are
// logged: live video that cannot be sent now is lost.
type Sink interface {
	Publish(u *transport.RedactedUnit) error
	PublishStatus(s transport.Status) error
	PublishEvent(e transport.Event) error
}

// Options say what a Camera is made of.
type Options struct {
	// Redactor is the redactor's configuration; its Epoch is set at every start.
	Redactor wire.Config
	// Program is the path of scrim-redactor, Args what it is started with.
	Program string
	Args    []string
	// Standby, if set, has a redactor that has started already.
	Standby *Standby
	Source  Source
	// Delay says how long to wait after Source.Run has failed.
	Delay func(err error) time.Duration
	Sink  Sink
	// ShownSource is the camera's URL as everybody may see it; empty for real
	// cameras.
	ShownSource string
	// Observe, if set, is called with every published unit and the redactor's
	// record of it; nil record for a slate. It must not block.
	Observe func(u *transport.RedactedUnit, r *wire.Record)
	// Before is the Camera in whose place this one comes, with other settings: its
	// stream goes on, and its slates cover until there are new ones. Its Run has
	// returned.
	Before *Camera
	Log    *slog.Logger
}

// Camera is one supervised camera. Keyframe and Status may be called at any
// time, from any goroutine.
type Camera struct {
	o   Options
	log *slog.Logger
	// said is what redactors log, states what state their camera is in for which reason.
	said, states *throttle

	away  absence
	dark  darkness
	queue *queue
	state *state
	out   *outlet
	// stills are for those who wait for a snapshot.
	stills stills
	wasUp  atomic.Bool // a redactor has come up: what keeps the next one from it may pass

	mu    sync.Mutex
	epoch uint64 // the last that a redactor has used
}

// New returns a Camera that does nothing before Run.
func New(o Options) (*Camera, error) {
	if err := errors.Join(transport.CheckName(o.Redactor.Site), transport.CheckName(o.Redactor.Camera)); err != nil {
		return nil, fmt.Errorf("camera %q of site %q: %w", o.Redactor.Camera, o.Redactor.Site, err)
	}
	if o.Program == "" || o.Source == nil || o.Sink == nil || o.Delay == nil || o.Log == nil {
		return nil, fmt.Errorf("camera %s: needs a redactor program, a source, a delay, a sink and a log", o.Redactor.Camera)
	}
	c := &Camera{o: o, log: o.Log.With("camera", o.Redactor.Camera), queue: newQueue()}
	c.said, c.states = newThrottle(c.log, redactorLeftOut), newThrottle(c.log, "camera's state changed more often than is logged")
	c.away.log, c.dark.log = c.log, c.log
	c.state, c.out = newState(c), newOutlet(c)
	if o.Before != nil {
		c.follow(o.Before)
		c.o.Before = nil // it can be forgotten
	}
	return c, nil
}

// follow goes on where another camera has ended.
func (c *Camera) follow(b *Camera) {
	b.mu.Lock()
	c.epoch = b.epoch
	b.mu.Unlock()
	c.out.follow(b.out)
}

// Run keeps the camera going until ctx ends; then it returns nil. It returns
// an error that wraps ErrPermanent when the redactor says at the start that it
// can never work; once one has worked, everything is tried again. All that it
// started has ended when it returns.
func (c *Camera) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.ingest(ctx) })
	g.Go(func() error { return c.redact(ctx) })
	g.Go(func() error { return c.state.report(ctx) })
	g.Go(func() error { return c.cover(ctx) })
	g.Go(func() error { return c.watchDarkness(ctx) })
	err := g.Wait()
	c.state.tell()
	c.states.tell()
	return err
}

// Mourn goes on to publish the status of a camera that Run has given up, and
// slates where there are some, until ctx ends, so that viewers are told why there
// is no picture.
func (c *Camera) Mourn(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.cover(ctx) })
	_ = c.state.report(ctx)
	wg.Wait()
}

// cover shows slates while no redactor does.
func (c *Camera) cover(ctx context.Context) error {
	tick := time.NewTicker(coverTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.out.tick(time.Now())
		case <-ctx.Done():
			return nil
		}
	}
}

// Keyframe asks the redactor for a key frame.
func (c *Camera) Keyframe() { c.queue.command(wire.TypeKeyframe, wire.Keyframe{}) }

// Status returns the camera's state now.
func (c *Camera) Status() transport.Status { return c.state.snapshot() }

// Notice has something told with the camera's status that an operator must know,
// beside what the redactor has to say; "" takes it back.
func (c *Camera) Notice(text string) { c.state.notify(oneLine(text)) }

// ingest keeps the connection to the camera.
func (c *Camera) ingest(ctx context.Context) error {
	for first := true; ; first = false {
		if !first {
			c.state.count(func(n *transport.Counters) { n.Reconnects++ })
		}
		err := c.watched(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // that the connection ended is what was wanted
		}
		delay := c.o.Delay(err)
		detail, reason := "connection to the camera ended", publicReason(err)
		if err != nil {
			detail = cut(err.Error(), maxLogError)
		}
		c.away.failed(time.Now(), detail, delay)
		c.dark.logged(time.Now(), reason, delay)
		c.queue.command(wire.TypeInput, wire.Input{Reason: reason})
		c.state.input(reason)
		if !wait(ctx, delay) {
			return nil
		}
	}
}

// publicReason is what viewers are told of an error of the source. Its text is
// for the log: it can name the camera's host and path, and so a key.
func publicReason(err error) string {
	if err == nil {
		return "connection to the camera ended"
	}
	if p, ok := errors.AsType[publicError](err); ok {
		return oneLine(p.Public())
	}
	return "connection to the camera failed"
}

// publicError is an error that says what may be shown of it, such as an
// rtsp.Error.
type publicError interface {
	error
	Public() string
}

// unit takes one unit from the source. It must not block.
func (c *Camera) unit(u transport.CameraUnit) {
	c.away.unit(time.Now())
	c.out.arrived(&u)
	dropped := c.queue.unit(u)
	c.state.count(func(n *transport.Counters) {
		n.UnitsIn++
		n.UnitsDropped += uint64(dropped) //nolint:gosec // a count
	})
	c.state.input("")
}

// redact keeps a redactor process running.
func (c *Camera) redact(ctx context.Context) error {
	waits := &backoff.ExponentialBackOff{
		InitialInterval: minRestart * 5 / 4, RandomizationFactor: 0.2, Multiplier: 2, MaxInterval: maxRestart,
	}
	waits.Reset()
	for {
		begun := time.Now()
		err := c.runProcess(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // that the process ended is what was wanted
		}
		why := coverFor(err)
		c.out.ended(why)
		c.state.ended()
		if errors.Is(err, ErrPermanent) && !c.wasUp.Load() {
			c.log.Error("redactor cannot work", "error", err)
			return fmt.Errorf("camera %s: %w", c.o.Redactor.Camera, err)
		}
		delay := time.Duration(0) // of one that has worked for long
		if time.Since(begun) > healthyTime {
			waits.Reset()
		} else {
			delay = max(waits.NextBackOff(), minRestart)
		}
		c.log.Error("redactor ended", "error", err, "restart_in", delay.Round(time.Millisecond))
		c.dark.logged(time.Now(), why.reason, delay)
		if !wait(ctx, delay) {
			return nil
		}
		c.state.count(func(n *transport.Counters) { n.Restarts++ })
	}
}

// coverFor is what viewers get after a redactor ended with an error.
func coverFor(err error) cover {
	reason := oneLine(err.Error())
	if p, ok := errors.AsType[publicError](err); ok {
		reason = oneLine(p.Public())
	}
	switch {
	case errors.Is(err, ErrPermanent):
		return cover{wire.SpareFailed, transport.FaultConfig, reason}
	case errors.Is(err, errSilent), errors.Is(err, errSpun):
		return cover{wire.SpareStarting, transport.FaultHang, reason}
	}
	return cover{wire.SpareStarting, transport.FaultCrash, reason}
}

// nextEpoch returns an epoch that no redactor of this camera has used, also
// before a restart of this program, as long as the clock is about right.
func (c *Camera) nextEpoch() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch = max(c.epoch+1, uint64(max(time.Now().UnixMilli(), 1))) //nolint:gosec // positive
	return c.epoch
}

// used notes an epoch that a redactor has used.
func (c *Camera) used(epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch = max(c.epoch, epoch)
}

// wait waits; it returns false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
