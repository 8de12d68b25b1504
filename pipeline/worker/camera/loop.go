package camera

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"scrim/pipeline/redactorproc"
	"scrim/transport"
)

// loop owns a camera's machine while it runs: it feeds it events and performs its actions.
// It never waits for the source, the redactor's pipe or the bus, which have goroutines of
// their own, so posting an event takes one step at most. It writes log lines itself, to
// keep them in order; a log that blocks blocks the camera.
type loop struct {
	c       *Camera
	outer   context.Context // once it has ended, units that are not sent yet are dropped
	ctx     context.Context // ends also when the machine gives up
	cancel  context.CancelFunc
	running sync.WaitGroup // all that post events, except the sender

	bus          chan action // publish and report, for the sender; the machine bounds their number
	statusErrors repeatLog   // the sender's
	admission    *entry      // of the last process
	current      *process    // nil: there is none
	endSource    context.CancelCauseFunc
	slates       <-chan struct{} // closed when SharedSlates are done; nil: nobody waits for that
	err          error           // why the machine gave up
}

// run runs the machine until ctx ends, or it gives up.
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
	c.stateLog.reportLeftOut()
	return l.err
}

// serve handles events until ctx ends.
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

// shutDown waits for everything that was started, and sends the last report. From here on
// the machine only answers requests.
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

// drain receives events while wait runs, and handles only requests.
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

// post sends an event to the loop.
func (l *loop) post(e event) { l.c.inbox <- e }

// handle handles an event, and performs the actions that follow.
func (l *loop) handle(e event) {
	if c, ok := e.(connecting); ok {
		l.endSource = c.end
	}
	if s, ok := e.(processLaunched); ok {
		l.current, e = s.p, processStarted{s.p.id, s.p.PID()}
	}
	l.c.machine.handle(time.Now, e, l.perform)
}

// perform performs an action, and returns the answer if there is one at once.
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
			used, err := redactorproc.CPUTime(p.PID())
			return processExamined{a.id, used, err == nil, a.state && redactorproc.Runnable(p.PID())}
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

// processByID returns the current process; nil if the id is that of another.
func (l *loop) processByID(id int) *process {
	if l.current == nil || l.current.id != id {
		return nil
	}
	return l.current
}

// runSender sends to the bus. It may block; nothing waits for it.
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

// sendReport sends the changes of state, and then the status.
func (l *loop) sendReport(r report) {
	for _, e := range r.events {
		l.c.stateLog.line(slog.LevelInfo, "camera's state", "state", e.State, "fault", e.Fault, "reason", e.Reason, "covered_by", e.CoveredBy)
		if err := l.c.o.Sink.PublishEvent(e); err != nil {
			l.c.log.Debug("event cannot be sent", "error", err)
		}
	}
	l.logStatusError(time.Now(), l.c.o.Sink.PublishStatus(r.status))
}

// logStatusError logs that a status could not be sent: without it, the camera is unknown.
func (l *loop) logStatusError(now time.Time, err error) {
	switch {
	case err == nil:
		l.statusErrors.markGood(now)
		return
	case errors.Is(err, context.Canceled):
		return
	}
	l.statusErrors.markBad(now)
	l.c.log.Log(context.Background(), l.statusErrors.level(now, ""), "status cannot be sent", "error", transport.Plain(err.Error(), maxLogError))
}

// ingest connects to the camera again and again, until ctx ends.
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

// connect runs the source until ctx ends, the connection fails, or the machine ends it.
func (l *loop) connect(again bool) error {
	ctx, end := context.WithCancelCause(l.ctx)
	defer end(nil)
	l.post(connecting{again, end})
	err := l.c.o.Source.Run(ctx, func(u transport.CameraUnit) { l.post(unitArrived{u}) })
	if e, ok := errors.AsType[*noPictureError](context.Cause(ctx)); ok {
		return e
	}
	return err
}

// publicReason is what viewers may see of an error of the source. Its text is for the log:
// it can contain the camera's host and path, and so a key.
func publicReason(err error) string {
	if err == nil {
		return "connection to the camera ended"
	}
	return publicText(err, "connection to the camera failed")
}

// publicText is what viewers may see of an error, or else a text instead.
func publicText(err error, instead string) string {
	if p, ok := errors.AsType[publicError](err); ok {
		instead = p.Public()
	}
	return oneLine(instead)
}

// publicError is an error whose Public may be shown to viewers, such as an rtsp.Error.
type publicError interface {
	error
	Public() string
}

// wait waits for d; it returns false if ctx ends first.
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
