package camera

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"scrim/pipeline/ipc"
)

// Standby is a redactor that has started and waits for its configuration, for all
// cameras of a worker together. The one whose redactor dies takes it: to load the
// libraries twice, once to confine itself, is most of a start, which on a busy
// machine takes seconds. Nothing of a camera has reached it. It is safe for
// concurrent use; a nil one never has any.
type Standby struct {
	program string
	args    []string
	log     *slog.Logger
	said    *throttle // what they log while they wait
	taken   chan struct{}

	mu     sync.Mutex
	ready  *launched
	exited <-chan struct{} // closed when ready exits
}

// NewStandby returns a Standby that has none before Run. The arguments are those of
// Options, the detector that of its configuration.
func NewStandby(program string, args []string, detect ipc.DetectConfig, log *slog.Logger) *Standby {
	return &Standby{
		program: program, args: redactorArgs(args, detect), log: log, said: newThrottle(log, redactorLeftOut), taken: make(chan struct{}, 1),
	}
}

// Run keeps one until ctx ends.
func (s *Standby) Run(ctx context.Context) {
	defer s.close()
	for delay := standbyDelay; wait(ctx, delay); {
		l, exited := s.prepare()
		begun := time.Now()
		select {
		case <-s.taken:
			delay = standbyDelay
		case <-exited:
			if !s.leaves(l) { // it was taken, or is not wanted any more
				delay = standbyDelay
				continue
			}
			l.dismiss()
			s.log.Debug("redactor on standby has exited", "state", l.State())
			if delay = min(2*delay, maxStandbyDelay); time.Since(begun) > healthyTime {
				delay = standbyDelay
			}
		case <-ctx.Done():
			return
		}
	}
}

// leaves takes this one out of its place, and reports whether it was there: who has
// taken it out ends it, with the lock not held, since that may take seconds.
func (s *Standby) leaves(l *launched) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l == nil || s.ready != l {
		return false
	}
	s.ready = nil
	return true
}

// Renew has the next be started with other arguments, or for another detector; the one
// that waits is ended if that makes a difference.
func (s *Standby) Renew(args []string, detect ipc.DetectConfig) {
	if l := s.renew(redactorArgs(args, detect)); l != nil {
		s.wake()
		l.dismiss()
	}
}

// renew notes the arguments, and takes out what was started with others.
func (s *Standby) renew(args []string) (old *launched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(args, s.args) {
		return nil
	}
	old, s.args, s.ready = s.ready, args, nil
	return old
}

// prepare starts one if there is none, and returns it, and what is closed when it exits. Where that fails cameras start
// their own, and say what is wrong. It is not admitted as theirs are: when it is ready it
// does not say so.
func (s *Standby) prepare() (l *launched, exited <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != nil {
		return s.ready, s.exited
	}
	l, err := launch(s.program, s.args, s.said)
	if err != nil {
		s.log.Debug("no redactor on standby", "error", err)
		s.wake() // to try once more
		return nil, nil
	}
	s.ready, s.exited = l, l.WatchExit()
	return l, s.exited
}

// take returns the one that waits, nil if there is none that lives and was started
// in this way.
func (s *Standby) take(program string, args []string) *launched {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	l := s.ready
	s.mu.Unlock()
	if l == nil || l.Program != program || !slices.Equal(l.Args, args) || !s.leaves(l) {
		return nil
	}
	s.wake()
	l.StopWatching()
	if !runs(l.PID()) {
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
	l := s.ready
	s.ready = nil
	s.mu.Unlock()
	if l != nil {
		l.dismiss()
	}
}
