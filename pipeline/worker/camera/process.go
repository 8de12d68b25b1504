package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"scrim/pipeline/ipc"
)

// process is one life of a redactor, as the loop has it.
type process struct {
	*launched
	id    int
	items chan item // what is to be written: one at a time
}

// runProcess starts a redactor once that is admitted, and works with it until it has
// ended. When ctx ends its pipe is closed, and a little later it is killed.
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
	ended := make(chan struct{})
	quit := context.AfterFunc(ctx, func() {
		_ = p.in.Close()
		select {
		case <-ended:
		case <-time.After(quitTime):
			p.kill()
		}
	})
	var writer sync.WaitGroup
	writing, stop := context.WithCancel(ctx)
	writer.Go(func() { p.write(writing, l.post) })
	last := p.read(l.post, admission.leave)
	stop() // nothing comes any more
	_ = p.in.Close()
	writer.Wait()
	err = p.reap(last)
	close(ended)
	quit()
	l.post(processEnded{id, err})
}

// launchedProcess tells the loop which process there is; the machine gets processStarted.
type processLaunched struct{ p *process }

// launch lets the redactor that is on standby work for this camera, or a new one.
func (c *Camera) launch() (*launched, error) {
	args := redactorArgs(c.o.Args, c.o.Redactor.Detect)
	if l := c.o.Standby.take(c.o.Program, args); l != nil {
		l.log.to(c.redactorLog)
		return l, nil
	}
	return launch(c.o.Program, args, newLogWriter(c.redactorLog))
}

// redactorArgs are the arguments of a redactor with a detector.
func redactorArgs(args []string, detect ipc.DetectConfig) []string {
	return append(slices.Clone(args), ipc.ReadArgs(detect)...)
}

// write sends what is in items, until ctx ends or nothing can be sent any more.
func (p *process) write(ctx context.Context, post func(event)) {
	w := ipc.NewWriter(p.in)
	for {
		select {
		case it := <-p.items:
			if err := w.Write(it.kind, it.head, it.body); err != nil {
				if err := unwritable(err); err != nil {
					post(processBroken{p.id, err})
				}
				return
			}
			post(writeDone{p.id})
		case <-ctx.Done():
			return
		}
	}
}

// unwritable is what an error of a write means. Of a pipe that is closed read or reap
// know better why. After any other error the redactor would be fed no more and
// show a slate for ever; so it is killed, and the next begins anew.
func unwritable(err error) error {
	for _, closed := range []error{syscall.EPIPE, os.ErrClosed, io.ErrClosedPipe} {
		if errors.Is(err, closed) {
			return nil
		}
	}
	return fmt.Errorf("write to the redactor, which was killed for it: %w", err)
}

// read takes messages until the pipe ends, and returns what the redactor said last, if
// that is why it ended. Greeted is called when it has come up.
func (p *process) read(post func(event), greeted func()) (last error) {
	r := ipc.NewReader(p.out)
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed) {
			return last
		}
		var e messageReceived
		if err == nil {
			e, err = parse(p.id, m)
		}
		if err != nil {
			if _, ok := errors.AsType[*failure](err); ok { // it ends by itself now
				last = err
				continue
			}
			p.kill()
			post(processBroken{p.id, fmt.Errorf("%w: %w", errProtocol, err)})
			return nil
		}
		if _, ok := e.head.(*ipc.Hello); ok {
			greeted()
		}
		post(e)
	}
}

// reap waits for the process and says why it ended; err is what it said itself.
func (p *process) reap(err error) error {
	quit := time.AfterFunc(quitTime, p.kill)
	defer quit.Stop()
	werr := p.cmd.Wait()
	p.log.end()
	if err != nil {
		return err
	}
	if exit, ok := errors.AsType[*exec.ExitError](werr); ok {
		return died(exit.ProcessState, p.log)
	}
	return errors.New("redactor ended without being asked to")
}
