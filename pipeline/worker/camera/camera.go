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
	Redactor ipc.Config
	// Program is the path of scrim-redactor, Args what it is started with.
	Program string
	Args    []string
	// Standby, if set, has a redactor that has started already.
	Standby *Standby
	// Admission, if set, bounds how many redactors start at once.
	Admission *Admission
	// Slates, if set, are shown of a camera that has sent nothing so far, which needs
	// no redactor then.
	SharedSlates *SharedSlates
	Source       Source
	// Delay says how long to wait after Source.Run has failed.
	Delay func(err error) time.Duration
	Sink  Sink
	// ShownSource is the camera's URL as everybody may see it; empty for real
	// cameras.
	ShownSource string
	// Observe, if set, is called with every published unit and the redactor's
	// record of it; nil record for a slate. It must not block.
	Observe func(u *transport.RedactedUnit, r *ipc.Record)
	// Before is the Camera in whose place this one comes, with other settings: its
	// stream goes on, and its slates cover until there are new ones. Its Run has
	// returned.
	Before *Camera
	Log    *slog.Logger
}

// Camera is one supervised camera. Its methods may be called at any time, from any
// goroutine.
type Camera struct {
	o   Options
	log *slog.Logger
	// said is what redactors log, states what state their camera is in for which reason.
	redactorLog, stateLog *throttle

	began   atomic.Bool // Run
	inbox   chan event
	owner   chan struct{} // has a token, which is that of the machine's owner
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

// Run keeps the camera going until ctx ends; then it returns nil. It returns
// an error that wraps ErrPermanent when the redactor says at the start that it
// can never work; once one has worked, everything is tried again. All that it
// started has ended when it returns. It may be called once: to go on, take another
// Camera with this one as its Before.
func (c *Camera) Run(ctx context.Context) error {
	if c.began.Swap(true) {
		return fmt.Errorf("camera %s: it has run already; make another with this one as Before", c.o.Redactor.Camera)
	}
	return c.run(ctx, true)
}

// ReportFailed goes on to publish the status of a camera that Run has given up, and
// slates where there are some, until ctx ends, so that viewers are told why there
// is no picture.
func (c *Camera) ReportFailed(ctx context.Context) { _ = c.run(ctx, false) }

// Keyframe asks the redactor for a key frame.
func (c *Camera) Keyframe() { c.request(keyframeRequested{}) }

// Status returns the camera's state now.
func (c *Camera) Status() transport.Status {
	to := make(chan transport.Status, 1)
	c.request(statusRequested{to})
	return <-to
}

// Notice has something told with the camera's status that an operator must know,
// beside what the redactor has to say; "" takes it back.
func (c *Camera) Notice(text string) { c.request(noticeChanged{oneLine(text)}) }

// Snapshot returns the camera's picture as viewers see it: the next one that the
// redactor codes, at most one a second, or the slate that stands in for it.
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

// ask hands a request to the loop, or to the machine where none runs.
func (c *Camera) request(e event) {
	select {
	case c.inbox <- e:
	case <-c.owner:
		c.handleRequest(e)
		c.owner <- struct{}{}
	}
}

// request has the machine answer a request, by its owner. It asks for nothing else.
func (c *Camera) handleRequest(e event) {
	for _, a := range c.machine.step(time.Now(), e) {
		c.performLocal(a)
	}
}

// answer does what concerns neither the bus nor a process.
func (c *Camera) performLocal(a action) {
	switch a := a.(type) {
	case returnSnapshot:
		a.to <- a.snapshot // there is room for one
	case returnStatus:
		a.to <- a.status
	case logLine:
		c.log.Log(context.Background(), a.level, a.msg, a.args...)
	}
}
