package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
)

// maxSlateTries is how often a redactor is asked for the shared slates.
const maxSlateTries = 3

// SharedSlates are the slates of all cameras of a worker that have sent nothing so far. One
// redactor encodes them once, and exits. They have a default size and no camera's name.
type SharedSlates struct {
	program   string
	args      []string
	config    ipc.Config
	admission *Admission
	log       *slog.Logger
	ready     chan struct{} // closed when list does not change any more
	list      []slate
	failed    chan struct{} // closed when no such redactor comes up
}

// NewSharedSlates returns SharedSlates that are ready some time after Run has begun. The
// arguments are those of Options, the configuration is that of any camera.
func NewSharedSlates(program string, args []string, config ipc.Config, admission *Admission, log *slog.Logger) *SharedSlates {
	config.Camera, config.Zones, config.HavePreparedSlates = config.Site, nil, false
	return &SharedSlates{
		program: program, args: redactorArgs(args, config.Detect), config: config, admission: admission, log: log,
		ready: make(chan struct{}), failed: make(chan struct{}),
	}
}

// news returns what is closed when they are coded, and when no redactor works; nil for
// a nil one.
func (s *SharedSlates) readiness() (ready, failed <-chan struct{}) {
	if s == nil {
		return nil, nil
	}
	return s.ready, s.failed
}

// Run has them coded, and returns. If the redactor does not come up cameras do not wait
// to have their own, which says why.
func (s *SharedSlates) Run(ctx context.Context) {
	for try := 1; ; try++ {
		err := s.code(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
			return
		case try == maxSlateTries, errors.Is(err, ErrPermanent):
			s.log.Warn("no redactor comes up for the slates that cameras share", "error", err)
			close(s.failed)
			return
		}
		wait(ctx, time.Duration(try)*minRestart)
	}
}

// code has a redactor code them, and waits until it has come up.
func (s *SharedSlates) code(ctx context.Context) error {
	admission := s.admission.join(true)
	defer admission.leave()
	if err := admission.wait(ctx); err != nil {
		return err
	}
	l, err := launch(s.program, s.args, newThrottle(s.log, redactorLeftOut))
	if err != nil {
		return err
	}
	defer l.dismiss()
	ctx, cancel := context.WithTimeout(ctx, sharedSlateTime)
	defer cancel()
	defer context.AfterFunc(ctx, l.Kill)()
	if err := l.Write(ipc.TypeConfig, s.config, nil); err != nil {
		return fmt.Errorf("ask for slates: %w", err)
	}
	list, all := []slate(nil), newPreparedSlates()
	for {
		m, err := l.Read()
		if f, ok := errors.AsType[*redactorproc.Failure](err); ok {
			return permanent(f)
		}
		if err != nil {
			return fmt.Errorf("read slates: %w", err)
		}
		e, err := parse(0, m)
		if err != nil {
			return err
		}
		head, ok := e.head.(*ipc.PreparedSlate)
		if !ok || len(list) == len(ipc.SlateKinds)*(ipc.SlateParts+1) {
			return s.expectHello(e)
		}
		made := slate{*head, e.data}
		if err := made.check(); err != nil {
			return err
		}
		all.keep(made, false)
		if list = append(list, made); all.complete() && s.list == nil {
			s.list = list
			close(s.ready)
		}
	}
}

// greeted takes the first message that is no slate.
func (s *SharedSlates) expectHello(e messageReceived) error {
	if _, ok := e.head.(*ipc.Hello); !ok || s.list == nil {
		return fmt.Errorf("%w: %T instead of slates", ipc.ErrProtocol, e.head)
	}
	return nil
}
