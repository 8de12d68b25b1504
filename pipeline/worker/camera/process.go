package camera

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
)

// process is a redactor process of the loop.
type process struct {
	*launched
	id    int
	items chan item // to write, one at a time
}

// launched is a redactor process, and the log of its standard error.
type launched struct {
	*redactorproc.Process
	log *lineLog
}

// launch starts a redactor, which waits for its configuration.
func launch(program string, args []string, log *throttle) (*launched, error) {
	l := &launched{log: newLineLog(log)}
	var err error
	l.Process, err = redactorproc.Start(redactorproc.Options{Program: program, Args: args, Log: l.log.line, QuitTime: quitTime})
	switch {
	case err == nil:
		return l, nil
	case redactorproc.IsShortage(err):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", ErrPermanent, err)
}

// dismiss ends a redactor that is not needed, and waits for it.
func (l *launched) dismiss() {
	l.Dismiss()
	l.log.end()
}

// runProcess starts a redactor when that is admitted, and runs until it has exited. When
// ctx ends its pipe is closed, and quitTime later it is killed.
func (l *loop) runProcess(ctx context.Context, id int, admission *entry) {
	defer admission.leave()
	if admission.wait(ctx) != nil {
		return
	}
	started, err := l.c.launch()
	if err != nil {
		l.post(processEnded{id, err})
		return
	}
	p := &process{launched: started, id: id, items: make(chan item, 1)}
	l.post(processLaunched{p})
	quit := context.AfterFunc(ctx, p.Quit)
	defer quit()
	var writer sync.WaitGroup
	writing, stop := context.WithCancel(ctx)
	writer.Go(func() { writeItems(writing, id, p, p.items, l.post) })
	failure := p.post(l.post, admission.leave)
	stop() // the process has closed its output
	p.Quit()
	writer.Wait()
	l.post(processEnded{id, p.reap(failure)})
}

// processLaunched hands the process to the loop; the machine gets processStarted.
type processLaunched struct{ p *process }

// launch returns the redactor on standby, or starts a new one.
func (c *Camera) launch() (*launched, error) {
	args := redactorArgs(c.o.Args, c.o.Redactor.Detect)
	if l := c.o.Standby.acquire(c.o.Program, args); l != nil {
		l.log.to(c.redactorLog)
		return l, nil
	}
	return launch(c.o.Program, args, c.redactorLog)
}

// redactorArgs are the arguments of a redactor with a detector.
func redactorArgs(args []string, detect ipc.DetectConfig) []string {
	return append(slices.Clone(args), ipc.ReadArgs(detect)...)
}

// writer is a redactor process; tests have others.
type writer interface {
	Write(t ipc.Type, head any, body []byte) error
}

// writeItems sends items until ctx ends or nothing can be sent any more. If the pipe is
// closed, read or reap know why. After any other error the redactor would get no more
// units and show a slate forever, so it is killed.
func writeItems(ctx context.Context, id int, w writer, items <-chan item, post func(event)) {
	for {
		select {
		case it := <-items:
			if err := w.Write(it.kind, it.head, it.body); err != nil {
				if !redactorproc.PipeClosed(err) {
					post(processBroken{id, fmt.Errorf("write to the redactor, which was killed for it: %w", err)})
				}
				return
			}
			post(writeDone{id})
		case <-ctx.Done():
			return
		}
	}
}

// read returns the next message. The error is or wraps io.EOF, or the failure that the
// redactor reported, which wraps ErrPermanent if it is.
func (l *launched) read(id int) (messageReceived, error) {
	m, err := l.Read()
	if err == nil {
		return parse(id, m)
	}
	if f, ok := errors.AsType[*redactorproc.Failure](err); ok && f.Permanent {
		return messageReceived{}, fmt.Errorf("%w: %w", ErrPermanent, f)
	}
	return messageReceived{}, err
}

// post posts messages until the pipe ends, and returns the failure that the redactor
// reported, if it did. Started is called when it has sent hello.
func (p *process) post(post func(event), started func()) (failure error) {
	for {
		e, err := p.read(p.id)
		if errors.Is(err, io.EOF) {
			return failure
		}
		if _, ok := errors.AsType[*redactorproc.Failure](err); ok { // it exits by itself now
			failure = err
			continue
		}
		if err != nil {
			p.Kill()
			post(processBroken{p.id, fmt.Errorf("%w: %w", errProtocol, err)})
			return nil
		}
		if _, ok := e.head.(*ipc.Hello); ok {
			started()
		}
		post(e)
	}
}

// reap waits for the process and returns why it exited: the failure that it reported, or
// what can be seen from outside.
func (p *process) reap(failure error) error {
	err := p.Wait()
	p.log.end()
	if failure != nil {
		return failure
	}
	if reason, ok := errors.AsType[*redactorproc.ExitReason](err); ok {
		if p.log.raw {
			reason.Advice = cmp.Or(reason.Advice, "see its log above")
		}
		return reason
	}
	return errors.New("redactor exited unexpectedly")
}
