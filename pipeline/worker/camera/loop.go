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

	bus          chan action // publish and report, for the sender; the machine bounds them
	statusErrors repeatLog   // statuses that could not be sent; the sender's
	admission    *entry      // of the last process
	current      *process    // nil: there is none
	endSource    context.CancelCauseFunc
	slates       <-chan struct{} // closed when SharedSlates are done; nil: nobody waits for that
	err          error           // why the camera was given up
}

// run runs the machine until ctx ends, or it gives the camera up.
func (c *Camera) run(ctx context.Context, working bool) error {
	<-c.owner
	defer func() { c.owner <- struct{}{} }()
	l := &loop{c: c, outer: ctx, bus: make(chan action, maxUnsentUnits+2)}
	l.ctx, l.cancel = context.WithCancel(ctx)
	defer l.cancel()
	var sender sync.WaitGroup
	sender.Go(l.runSender)
	if working {
		l.running.Go(l.ingest)
		if s := c.o.SharedSlates; s != nil {
			l.slates = s.done
		}
	}
	l.handle(runStarted{working})
	l.serve()
	l.shutDown(&sender)
	c.stateLog.tell()
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
			l.handle(sharedSlatesDone{l.c.o.SharedSlates.list, l.c.o.SharedSlates.failed})
		case <-l.ctx.Done():
		}
	}
}

// wind waits for the end of all that was started, and tells the last state. From here on
// the machine answers requests only.
func (l *loop) shutDown(sender *sync.WaitGroup) {
	last := l.c.machine.end(time.Now())
	l.drain(l.running.Wait)
	close(l.bus)
	l.drain(sender.Wait)
	for _, a := range last {
		if r, ok := a.(report); ok {
			l.sendReport(r)
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
			case keyframeRequested, snapshotRequested, snapshotCanceled, statusRequested, noticeChanged:
				l.c.handleRequest(e)
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
	if s, ok := e.(sourceConnecting); ok {
		l.endSource, e = s.end, connecting{s.again}
	}
	if s, ok := e.(processLaunched); ok {
		l.current, e = s.p, processStarted{s.p.id, s.p.PID()}
	}
	l.c.machine.handle(time.Now, e, l.perform)
}

// perform does what the machine says, and returns what is known of it at once.
func (l *loop) perform(a action) (answer event) {
	switch a := a.(type) {
	case publish, report:
		l.bus <- a
	case startProcess:
		admission := l.c.o.Admission.join(a.sends)
		l.admission = admission
		l.running.Go(func() { l.runProcess(l.ctx, a.id, admission) })
	case raisePriority:
		l.admission.prioritize()
	case writeMessage:
		if p := l.processByID(a.id); p != nil {
			p.items <- a.item
		}
	case killProcess:
		if p := l.processByID(a.id); p != nil {
			p.Kill()
		}
	case examineProcess:
		if p := l.processByID(a.id); p != nil {
			used, known := cpuTime(p.PID())
			return processExamined{a.id, used, known, a.state && runnable(p.PID())}
		}
	case reconnect:
		l.endSource(a.err)
	case giveUp:
		l.err = a.err
		l.cancel()
	default:
		l.c.performLocal(a)
	}
	return nil
}

// process returns the process of a number; nil: it is another now.
func (l *loop) processByID(id int) *process {
	if l.current == nil || l.current.id != id {
		return nil
	}
	return l.current
}

// send gives the bus what there is for it. It may wait for it; nobody waits for this.
func (l *loop) runSender() {
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
			l.post(unitSent{len(a.unit.Data), err})
		case report:
			l.sendReport(a)
			l.post(reportSent{})
		}
	}
}

// tell tells what has changed, and then the status.
func (l *loop) sendReport(r report) {
	for _, e := range r.events {
		l.c.stateLog.line(slog.LevelInfo, "camera's state", "state", e.State, "fault", e.Fault, "reason", e.Reason)
		if err := l.c.o.Sink.PublishEvent(e); err != nil {
			l.c.log.Debug("event cannot be sent", "error", err)
		}
	}
	l.logStatusError(time.Now(), l.c.o.Sink.PublishStatus(r.status))
}

// told logs that a status could not be sent: without any nobody knows of the camera.
func (l *loop) logStatusError(now time.Time, err error) {
	switch {
	case err == nil:
		l.statusErrors.markGood(now)
		return
	case errors.Is(err, context.Canceled):
		return
	}
	level := slog.LevelDebug
	if l.statusErrors.markBad(now); l.statusErrors.due(now, "") {
		level = slog.LevelWarn
	}
	l.c.log.Log(context.Background(), level, "status cannot be sent", "error", transport.Plain(err.Error(), maxLogError))
}

// beganSource tells the loop how to end a connection; the machine gets sourceBegun.
type sourceConnecting struct {
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
			detail = transport.Plain(err.Error(), maxLogError)
		}
		_, byWorker := errors.AsType[*noPictureError](err)
		l.post(sourceEnded{detail, publicReason(err), delay, byWorker})
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
	l.post(sourceConnecting{again, end})
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
