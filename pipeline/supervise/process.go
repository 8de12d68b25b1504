package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"scrim/pipeline/wire"
)

const (
	// helloTimeout bounds the start of a redactor: it loads its model.
	helloTimeout = 20 * time.Second
	// silence is how long a redactor may send nothing, not even a beat, before it
	// is killed: the whole process stands still then. A call into C that hangs
	// does not keep it from beating; it ends itself for that.
	silence = 1500 * time.Millisecond
	// quitTime is what a redactor gets to end by itself when its pipe is closed.
	quitTime = 2 * time.Second
)

var (
	errSilent   = fmt.Errorf("redactor sent nothing for %v and was killed", silence)
	errNoHello  = fmt.Errorf("redactor did not come up within %v and was killed", helloTimeout)
	errProtocol = errors.New("redactor talks nonsense and was killed")
)

// process is one life of a redactor.
type process struct {
	*launched
	c     *Camera
	epoch uint64
	alive chan struct{} // gets a token with every message; closed when none will come
	hello chan struct{} // closed at the first message
	sent  atomic.Uint64 // units
}

// runProcess starts a redactor and works with it until it ends or ctx does.
func (c *Camera) runProcess(ctx context.Context) error {
	p, err := c.start()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.watch(gctx) })
	g.Go(func() error { return p.write(gctx) })
	g.Go(func() error {
		defer cancel() // nothing comes any more: the others may end
		return p.read()
	})
	err = g.Wait()
	return p.reap(err)
}

// start lets the redactor that is on standby work for this camera, or a new one.
func (c *Camera) start() (*process, error) {
	args := redactorArgs(c.o.Args, c.o.Redactor.Detect)
	l := c.o.Standby.take(c.o.Program, args)
	if l != nil {
		l.log.to(c.said)
	} else {
		var err error
		if l, err = launch(c.o.Program, args, newLogWriter(c.said)); err != nil {
			return nil, err
		}
	}
	p := &process{launched: l, c: c, epoch: c.nextEpoch(), alive: make(chan struct{}, 1), hello: make(chan struct{})}
	c.queue.restart(wire.ReasonRestarted)
	c.out.begin(p)
	return p, nil
}

// redactorArgs are the arguments of a redactor with a detector.
func redactorArgs(args []string, detect wire.DetectConfig) []string {
	return append(slices.Clone(args), wire.ReadArgs(detect)...)
}

// write sends the configuration, and then what is in the queue.
func (p *process) write(ctx context.Context) error {
	w := wire.NewWriter(p.in)
	config := p.c.o.Redactor
	config.Epoch = p.epoch
	config.HaveSpares = p.c.out.haveSpares()
	// The pipe is closed when the context ends, also while a write blocks.
	stop := context.AfterFunc(ctx, func() { _ = p.in.Close() })
	defer stop()
	if err := w.Write(wire.TypeConfig, config, nil); err != nil {
		return p.unwritable(err)
	}
	select { // nothing is taken from the queue for a redactor that never comes up
	case <-p.hello:
	case <-ctx.Done():
		return nil
	}
	if reason := p.c.state.inputReason(); reason != "" {
		if err := w.Write(wire.TypeInput, wire.Input{Reason: reason}, nil); err != nil {
			return p.unwritable(err)
		}
	}
	for {
		it, ok := p.c.queue.next(ctx)
		if !ok {
			return nil
		}
		if err := w.Write(it.kind, it.head, it.body); err != nil {
			return p.unwritable(err)
		}
	}
}

// unwritable handles an error of a write. Of a pipe that is closed read or reap
// know better why. After any other error the redactor would be fed no more and
// show a slate for ever; so it is killed, and the next begins anew.
func (p *process) unwritable(err error) error {
	for _, closed := range []error{syscall.EPIPE, os.ErrClosed, io.ErrClosedPipe} {
		if errors.Is(err, closed) {
			return nil
		}
	}
	p.kill()
	return fmt.Errorf("write to the redactor, which was killed for it: %w", err)
}

// watch kills a redactor that is silent, and one that does not end when its
// pipe is closed.
func (p *process) watch(ctx context.Context) error {
	limit, err := helloTimeout, errNoHello
	t := time.NewTimer(limit)
	defer t.Stop()
	look := time.NewTicker(spinWatch)
	defer look.Stop()
	var l leash
	for {
		select {
		case _, ok := <-p.alive:
			if !ok {
				return nil
			}
			limit, err = silence, errSilent
			t.Reset(limit)
		case <-t.C:
			p.kill()
			return err
		case now := <-look.C:
			if used, ok := cpuTime(p.cmd.Process.Pid); ok && l.spins(now, p.sent.Load(), used) {
				p.kill()
				return errSpun
			}
		case <-ctx.Done():
			quit := time.AfterFunc(quitTime, p.kill)
			defer quit.Stop()
			for range p.alive { // until read has ended
			}
			return nil
		}
	}
}

// read takes messages until the pipe ends.
func (p *process) read() error {
	defer close(p.alive)
	r := wire.NewReader(p.out)
	var last error
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return last
		}
		if err == nil {
			err = p.message(m)
		}
		if err != nil {
			if _, ok := errors.AsType[*failure](err); ok { // it ends by itself now
				last = err
				continue
			}
			p.kill()
			return fmt.Errorf("%w: %w", errProtocol, err)
		}
		select {
		case p.alive <- struct{}{}:
		default:
		}
	}
}

// reap waits for the process and says why it ended.
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
