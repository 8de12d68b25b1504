package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// ErrPermanent is wrapped by the error of Run if another attempt cannot help.
var ErrPermanent = errors.New("cannot work as configured")

// Source delivers a camera's units; an rtsp.Client is one.
type Source interface {
	// Run connects once and calls onUnit for every unit until ctx ends or the
	// connection fails. The error's text is logged. Viewers see what its method
	// Public() string returns; if it has none, that the connection failed.
	Run(ctx context.Context, onUnit func(transport.CameraUnit)) error
}

// Sink accepts a camera's output; a bus.Publisher is one. Errors are logged, and what
// could not be sent is lost. Methods may block; they are called one at a time.
type Sink interface {
	Publish(u *transport.RedactedUnit) error
	PublishStatus(s transport.Status) error
	PublishEvent(e transport.Event) error
}

// Options are the parts of a Camera.
type Options struct {
	// Redactor is the redactor's configuration; its Epoch is set at every start.
	Redactor ipc.Config
	// Program is the path of scrim-redactor, Args are its arguments.
	Program string
	Args    []string
	// Standby, if set, has a redactor that is started already.
	Standby *Standby
	// Admission, if set, bounds how many redactors start at once.
	Admission *Admission
	// SharedSlates, if set, are shown for a camera that has sent nothing so far. Such a
	// camera needs no redactor.
	SharedSlates *SharedSlates
	Source       Source
	// Delay returns how long to wait after Source.Run has returned.
	Delay func(err error) time.Duration
	Sink  Sink
	// ShownSource is the camera's URL if everybody may see it; empty for real cameras.
	ShownSource string
	// Observe, if set, is called with every published unit and the redactor's record,
	// which is nil for a slate. It must not block.
	Observe func(u *transport.RedactedUnit, r *ipc.Record)
	// Before, if set, is the Camera that this one replaces, with other settings. This one
	// continues its stream, and shows its slates until it has its own. The Run of Before
	// has returned.
	Before *Camera
	Log    *slog.Logger
}

// Camera is one supervised camera. Its methods may be called at any time, from any
// goroutine.
type Camera struct {
	o   Options
	log *slog.Logger
	// redactorLog has the lines of redactors, stateLog the changes of the camera's state.
	redactorLog, stateLog *throttle

	began   atomic.Bool // Run
	inbox   chan event
	owner   chan struct{} // the holder of its token owns the machine
	machine *machine
}

// New returns a Camera that does nothing before Run.
func New(o Options) (*Camera, error) {
	if err := errors.Join(transport.CheckName(o.Redactor.Site), transport.CheckName(o.Redactor.Camera)); err != nil {
		return nil, fmt.Errorf("camera %q of site %q: %w", o.Redactor.Camera, o.Redactor.Site, err)
	}
	if o.Program == "" || o.Source == nil || o.Sink == nil || o.Delay == nil || o.Log == nil {
		return nil, fmt.Errorf("camera %s: needs a redactor program, a source, a delay, a sink and a log", o.Redactor.Camera)
	}
	c := &Camera{o: o, log: o.Log.With("camera", o.Redactor.Camera), inbox: make(chan event), owner: make(chan struct{}, 1)}
	c.redactorLog, c.stateLog = newThrottle(c.log, redactorLeftOut), newThrottle(c.log, "camera's state changed more often than is logged")
	c.machine = newMachine(&c.o.Redactor, o.ShownSource, o.SharedSlates != nil)
	c.owner <- struct{}{}
	if b := o.Before; b != nil {
		<-b.owner
		c.machine.continueFrom(b.machine)
		b.owner <- struct{}{}
		c.o.Before = nil // it can be forgotten
	}
	return c, nil
}

// Run runs the camera until ctx ends, and returns nil then. It returns an error that wraps
// ErrPermanent if the first redactor reports that it cannot work as configured; once one
// has worked, everything is tried again. Everything that Run started has ended when it
// returns. It may be called once: to continue, make another Camera with this one as its
// Before.
func (c *Camera) Run(ctx context.Context) error {
	if c.began.Swap(true) {
		return fmt.Errorf("camera %s has run already: make another with this one as Before", c.o.Redactor.Camera)
	}
	return c.run(ctx, true)
}

// ReportFailed publishes the status of a camera whose Run has failed, and its slates if it
// has some, until ctx ends.
func (c *Camera) ReportFailed(ctx context.Context) { _ = c.run(ctx, false) }

// Keyframe asks the redactor for a key frame.
func (c *Camera) Keyframe() { c.request(keyframeRequested{}) }

// Status returns the camera's state now.
func (c *Camera) Status() transport.Status {
	to := make(chan transport.Status, 1)
	c.request(statusRequested{to})
	return <-to
}

// Notice adds a text for operators to the warning in the camera's status; "" removes it.
func (c *Camera) Notice(text string) { c.request(noticeChanged{oneLine(text)}) }

// Snapshot returns the camera's picture as viewers see it: the next one that the redactor
// encodes, at most one a second, or the slate that is shown instead.
func (c *Camera) Snapshot(ctx context.Context) (*transport.Snapshot, error) {
	to := make(chan *transport.Snapshot, 1)
	c.request(snapshotRequested{to})
	select {
	case s := <-to:
		return s, nil
	case <-ctx.Done():
		c.request(snapshotCanceled{to})
	}
	return nil, fmt.Errorf("camera %s: no snapshot: %w", c.o.Redactor.Camera, context.Cause(ctx))
}

// request sends a request to the loop, or to the machine if no loop runs.
func (c *Camera) request(e event) {
	select {
	case c.inbox <- e:
	case <-c.owner:
		c.handleRequest(e)
		c.owner <- struct{}{}
	}
}

// handleRequest is called by the machine's owner. A request has only local actions.
func (c *Camera) handleRequest(e event) {
	for _, a := range c.machine.step(time.Now(), e) {
		c.performLocal(a)
	}
}

// performLocal performs actions that concern neither the bus nor a process.
func (c *Camera) performLocal(a action) {
	switch a := a.(type) {
	case returnSnapshot:
		a.to <- a.snapshot // it has room for one
	case returnStatus:
		a.to <- a.status
	case logLine:
		c.log.Log(context.Background(), a.level, a.msg, a.args...)
	}
}
