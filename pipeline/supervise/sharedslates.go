package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"scrim/pipeline/wire"
)

// maxSlateTries is how often a redactor is asked for the shared slates.
const maxSlateTries = 3

// Slates are those that all cameras of a worker share: what viewers see of a camera
// that has sent nothing so far. One redactor codes them, once, and ends. They have the
// size that a redactor chooses where it knows none, and no camera's name.
type Slates struct {
	program   string
	args      []string
	admission *Admission
	log       *slog.Logger
	ready     chan struct{} // closed when list does not change any more
	list      []slate       // empty: there will be none
}

// NewSlates returns Slates that are there some time after Run has begun. The arguments
// are those of Options.
func NewSlates(program string, args []string, admission *Admission, log *slog.Logger) *Slates {
	return &Slates{program: program, args: args, admission: admission, log: log, ready: make(chan struct{})}
}

// coded returns what is closed when they are there; nil for a nil one.
func (s *Slates) coded() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.ready
}

// Run has them coded, and returns.
func (s *Slates) Run(ctx context.Context) {
	for try := 1; ctx.Err() == nil; try++ {
		err := s.code(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			close(s.ready)
			return
		case try == maxSlateTries || errors.Is(err, ErrPermanent):
			s.log.Debug("no slates for cameras that send nothing; each gets a redactor", "error", err)
			close(s.ready)
			return
		}
		wait(ctx, time.Duration(try)*minRestart)
	}
}

// code has a redactor code them.
func (s *Slates) code(ctx context.Context) error {
	release, err := s.admission.enter(ctx, true)
	if err != nil {
		return err
	}
	defer release()
	l, err := launch(s.program, s.args, newLogWriter(newThrottle(s.log, redactorLeftOut)))
	if err != nil {
		return err
	}
	defer l.dismiss()
	ctx, cancel := context.WithTimeout(ctx, sharedSlateTime)
	defer cancel()
	defer context.AfterFunc(ctx, l.kill)()
	if err := wire.NewWriter(l.in).Write(wire.TypeConfig, wire.Config{}, nil); err != nil {
		return fmt.Errorf("ask for slates: %w", err)
	}
	list, all := []slate(nil), newPreparedSlates()
	for r := wire.NewReader(l.out); !all.complete(); {
		m, err := r.Read()
		if err != nil {
			return fmt.Errorf("read slates: %w", err)
		}
		e, err := parse(0, m)
		if err != nil {
			return err
		}
		head, ok := e.head.(*wire.Spare)
		made := slate{data: e.data}
		if !ok {
			continue
		}
		if made.Spare = *head; made.check() != nil {
			return made.check()
		}
		all.keep(made, false)
		list = append(list, made)
		if len(list) > maxSlateKinds*(wire.SpareParts+1) {
			return fmt.Errorf("%w: too many slates", wire.ErrProtocol)
		}
	}
	l.kill() // it would go on and load a model
	s.list = list
	return nil
}
