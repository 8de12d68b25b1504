package supervise

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"scrim/pipeline/wire"
)

// standbyDelay is the time from the start, and from when the standby was taken, to
// the next one's start: what runs is shown before.
const standbyDelay = time.Second

// Standby is a redactor that has started and waits for its configuration, for all
// cameras of a worker together. The one whose redactor dies takes it: to load the
// libraries twice, once to confine itself, is most of a start, which on a busy
// machine takes seconds. Nothing of a camera has reached it. It is safe for
// concurrent use; a nil one never has any.
type Standby struct {
	program string
	args    []string
	log     *slog.Logger
	taken   chan struct{}

	mu    sync.Mutex
	ready *launched
}

// NewStandby returns a Standby that has none before Run. The arguments are those of
// Options, the detector that of its configuration.
func NewStandby(program string, args []string, detect wire.DetectConfig, log *slog.Logger) *Standby {
	return &Standby{program: program, args: redactorArgs(args, detect), log: log, taken: make(chan struct{}, 1)}
}

// Run keeps one until ctx ends.
func (s *Standby) Run(ctx context.Context) {
	defer s.close()
	for wait(ctx, standbyDelay) {
		s.prepare()
		select {
		case <-s.taken:
		case <-ctx.Done():
			return
		}
	}
}

// Renew has the next be started with other arguments, or for another detector; the one
// that waits is ended if that makes a difference.
func (s *Standby) Renew(args []string, detect wire.DetectConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	args = redactorArgs(args, detect)
	if slices.Equal(args, s.args) {
		return
	}
	s.args = args
	if l := s.ready; l != nil {
		s.ready = nil
		l.dismiss()
		s.wake()
	}
}

// prepare starts one if there is none. Where that fails cameras start their own, and
// say what is wrong.
func (s *Standby) prepare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != nil {
		return
	}
	l, err := launch(s.program, s.args, newLogWriter(s.log))
	if err != nil {
		s.log.Debug("no redactor on standby", "error", err)
		s.wake() // to try once more
		return
	}
	s.ready = l
}

// take returns the one that waits, nil if there is none that lives and was started
// in this way.
func (s *Standby) take(program string, args []string) *launched {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ready
	if l == nil || l.program != program || !slices.Equal(l.args, args) {
		return nil
	}
	s.ready = nil
	s.wake()
	if !runs(l.cmd.Process.Pid) {
		l.dismiss()
		return nil
	}
	return l
}

func (s *Standby) wake() {
	select {
	case s.taken <- struct{}{}:
	default:
	}
}

func (s *Standby) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != nil {
		s.ready.dismiss()
		s.ready = nil
	}
}
