package camera

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"scrim/transport"
)

// loop owns a camera's machine while it runs. It feeds it what happens and does what
// it says. Nothing that it does waits for the source, the redactor's pipe or the bus,
// which have goroutines of their own: who posts an event waits for a step at most. Only
// lines of the log are written here, so that they are in order: a log that blocks keeps
// the camera waiting.
type loop struct {
	c       *Camera
	outer   context.Context // when it ends what is not sent yet is old
	ctx     context.Context // ends also when the camera is given up
	cancel  context.CancelFunc
	running sync.WaitGroup // all that post events, but the sender

	bus        chan action // publish and report, for the sender; the machine bounds them
	unsaid     repeatLog   // statuses that could not be sent; the sender's
	admission  *entry      // of the last process
	present    *process    // nil: there is none
	endSource  context.CancelCauseFunc
	slates     <-chan struct{} // closed when all cameras have some; nil: nobody waits for that
	noRedactor <-chan struct{} // closed when none came up that would code any
	err        error           // why the camera was given up
}

// run runs the machine until ctx ends, or it gives the camera up.
func (c *Camera) run(ctx context.Context, working bool) error {
	<-c.owner
	defer func() { c.owner <- struct{}{} }()
	l := &loop{c: c, outer: ctx, bus: make(chan action, maxUnsentUnits+2)}
	l.ctx, l.cancel = context.WithCancel(ctx)
	defer l.cancel()
	var sender sync.WaitGroup
	sender.Go(l.send)
	if working {
		l.running.Go(l.ingest)
		l.slates, l.noRedactor = c.o.Slates.news()
	}
	l.handle(begun{working})
	l.serve()
	l.wind(&sender)
	c.states.tell()
	return l.err
}

// serve handles events until the camera's time is over.
func (l *loop) serve() {
	tock := time.NewTicker(tickInterval)
	defer tock.Stop()
	for l.ctx.Err() == nil {
		select {
		case e := <-l.c.inbox:
			l.handle(e)
		case <-tock.C:
			l.handle(tick{})
		case <-l.slates:
			l.slates = nil
			l.handle(sharedSlates{l.c.o.Slates.list})
		case <-l.noRedactor:
			l.noRedactor = nil
			l.handle(redactorWanted{})
		case <-l.ctx.Done():
		}
	}
}

// wind waits for the end of all that was started, and tells the last state. From here on
// the machine answers requests only.
func (l *loop) wind(sender *sync.WaitGroup) {
	last := l.c.machine.end(time.Now())
	l.drain(l.running.Wait)
	close(l.bus)
	l.drain(sender.Wait)
	for _, a := range last {
		if r, ok := a.(report); ok {
			l.tell(r)
			continue
		}
		l.perform(a)
	}
}

// drain takes events while somebody is waited for. Only those that are requests matter.
func (l *loop) drain(wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	for {
		select {
		case e := <-l.c.inbox:
			switch e.(type) {
			case keyframeAsked, snapshotAsked, snapshotLeft, statusAsked, noticed:
				l.c.request(e)
			}
		case <-done:
			return
		}
	}
}

// post hands an event to the loop.
func (l *loop) post(e event) { l.c.inbox <- e }

// handle takes an event, and does what follows.
func (l *loop) handle(e event) {
	if s, ok := e.(beganSource); ok {
		l.endSource, e = s.end, sourceBegun{s.again}
	}
	if s, ok := e.(launchedProcess); ok {
		l.present, e = s.p, processStarted{s.p.id, s.p.cmd.Process.Pid}
	}
	l.c.machine.take(time.Now, e, l.perform)
}

// perform does what the machine says, and returns what is known of it at once.
func (l *loop) perform(a action) (answer event) {
	switch a := a.(type) {
	case publish, report:
		l.bus <- a
	case start:
		admission := l.c.o.Admission.enter(a.sends)
		l.admission = admission
		l.running.Go(func() { l.runProcess(l.ctx, a.id, admission) })
	case startFirst:
		l.admission.first()
	case write:
		if p := l.process(a.id); p != nil {
			p.items <- a.item
		}
	case kill:
		if p := l.process(a.id); p != nil {
			p.kill()
		}
	case examine:
		if p := l.process(a.id); p != nil {
			used, known := cpuTime(p.cmd.Process.Pid)
			return processExamined{a.id, used, known, a.state && runnable(p.cmd.Process.Pid)}
		}
	case reconnect:
		l.endSource(a.err)
	case giveUp:
		l.err = a.err
		l.cancel()
	default:
		l.c.answer(a)
	}
	return nil
}

// process returns the process of a number; nil: it is another now.
func (l *loop) process(id int) *process {
	if l.present == nil || l.present.id != id {
		return nil
	}
	return l.present
}

// send gives the bus what there is for it. It may wait for it; nobody waits for this.
func (l *loop) send() {
	for a := range l.bus {
		switch a := a.(type) {
		case publish:
			if l.outer.Err() != nil {
				continue
			}
			err := l.c.o.Sink.Publish(a.unit)
			if l.c.o.Observe != nil {
				l.c.o.Observe(a.unit, a.record)
			}
			l.post(sent{len(a.unit.Data), err})
		case report:
			l.tell(a)
			l.post(reported{})
		}
	}
}

// tell tells what has changed, and then the status.
func (l *loop) tell(r report) {
	for _, e := range r.events {
		l.c.states.line(slog.LevelInfo, "camera's state", "state", e.State, "fault", e.Fault, "reason", e.Reason)
		if err := l.c.o.Sink.PublishEvent(e); err != nil {
			l.c.log.Debug("event cannot be sent", "error", err)
		}
	}
	l.told(time.Now(), l.c.o.Sink.PublishStatus(r.status))
}

// told logs that a status could not be sent: without any nobody knows of the camera.
func (l *loop) told(now time.Time, err error) {
	switch {
	case err == nil:
		l.unsaid.well(now)
		return
	case errors.Is(err, context.Canceled):
		return
	}
	level := slog.LevelDebug
	if l.unsaid.ill(now); l.unsaid.due(now, "") {
		level = slog.LevelWarn
	}
	l.c.log.Log(context.Background(), level, "status cannot be sent", "error", cut(err.Error(), maxLogError))
}

// beganSource tells the loop how to end a connection; the machine gets sourceBegun.
type beganSource struct {
	again bool
	end   context.CancelCauseFunc
}

// ingest keeps the connection to the camera.
func (l *loop) ingest() {
	for again := false; ; again = true {
		err := l.connect(again)
		if l.ctx.Err() != nil {
			return
		}
		delay := l.c.o.Delay(err)
		detail := "connection to the camera ended"
		if err != nil {
			detail = cut(err.Error(), maxLogError)
		}
		l.post(sourceEnded{detail, publicReason(err), delay})
		if !wait(l.ctx, delay) {
			return
		}
	}
}

// connect runs the source until ctx ends, the connection fails, or what it gives has
// shown no picture for too long.
func (l *loop) connect(again bool) error {
	ctx, end := context.WithCancelCause(l.ctx)
	defer end(nil)
	l.post(beganSource{again, end})
	err := l.c.o.Source.Run(ctx, func(u transport.CameraUnit) { l.post(unitArrived{u}) })
	if e, ok := errors.AsType[*noPictureError](context.Cause(ctx)); ok {
		return e
	}
	return err
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
