package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"scrim/pipeline/ipc"
)

// maxSlateTries is how often a redactor is asked for the shared slates.
const maxSlateTries = 3

// SharedSlates are the slates of all cameras of a worker that have sent nothing so far. One
// redactor encodes them once, starts, and is ended. They have a default size and no
// camera's name.
type SharedSlates struct {
	program   string
	args      []string
	config    ipc.Config
	admission *Admission
	log       *slog.Logger
	done      chan struct{} // closed when list and failed do not change any more
	list      []slate
	failed    bool // no redactor starts
}

// NewSharedSlates returns SharedSlates that are ready some time after Run has begun. The
// arguments are those of Options, the configuration is that of any camera.
func NewSharedSlates(program string, args []string, config ipc.Config, admission *Admission, log *slog.Logger) *SharedSlates {
	config.Camera, config.Zones, config.HavePreparedSlates = config.Site, nil, false
	return &SharedSlates{
		program: program, args: redactorArgs(args, config.Detect), config: config, admission: admission, log: log, done: make(chan struct{}),
	}
}

// Run has the slates encoded, and returns. If the redactor does not start, each camera
// starts its own, which reports why.
func (s *SharedSlates) Run(ctx context.Context) {
	defer close(s.done)
	for try := 1; ctx.Err() == nil; try++ {
		err := s.encode(ctx)
		if s.failed = err != nil; !s.failed {
			return
		}
		if try == maxSlateTries || errors.Is(err, ErrPermanent) {
			s.log.Warn("no redactor starts to encode the shared slates", "error", err)
			return
		}
		wait(ctx, time.Duration(try)*minRestart)
	}
}

// encode has a redactor encode the slates, and waits until it has started.
func (s *SharedSlates) encode(ctx context.Context) error {
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
		return fmt.Errorf("configure: %w", err)
	}
	all := newPreparedSlates()
	for s.list = nil; ; {
		e, err := l.read(0)
		if err != nil {
			return err
		}
		switch head := e.head.(type) {
		case *ipc.PreparedSlate:
			one := slate{*head, e.data}
			if err := one.check(); err != nil {
				return err
			}
			if !all.complete() {
				all.keep(one, false)
				s.list = append(s.list, one)
			}
		case *ipc.Hello:
			if all.complete() {
				return nil
			}
			return fmt.Errorf("%w: slates are missing", ipc.ErrProtocol)
		default:
			return fmt.Errorf("%w: %T instead of slates", ipc.ErrProtocol, e.head)
		}
	}
}
