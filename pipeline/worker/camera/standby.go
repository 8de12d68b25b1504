package camera

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
)

// Standby keeps one redactor that has started and waits for its configuration, for all
// cameras of a worker. The camera whose redactor exits uses it. Most of a start is loading
// the libraries, twice because the process confines itself; on a busy machine that takes
// seconds. No camera's data has reached the process. A Standby is safe for concurrent use;
// a nil one never has a process.
type Standby struct {
	program   string
	args      []string
	admission *Admission
	log       *slog.Logger
	lines     *throttle     // what the processes log while they wait
	wanted    chan struct{} // another process is needed

	mu     sync.Mutex
	ready  *launched
	exited <-chan struct{} // closed when ready exits
}

// NewStandby returns a Standby without a process before Run. The arguments are those of
// Options, the detector is that of the cameras.
func NewStandby(program string, args []string, detect ipc.DetectConfig, admission *Admission, log *slog.Logger) *Standby {
	return &Standby{
		program: program, args: redactorArgs(args, detect), admission: admission, log: log,
		lines: newThrottle(log, redactorLeftOut), wanted: make(chan struct{}, 1),
	}
}

// Run keeps a process ready until ctx ends.
func (s *Standby) Run(ctx context.Context) {
	defer s.close()
	for delay := standbyDelay; wait(ctx, delay); {
		begun := time.Now()
		l, exited := s.start(ctx)
		select {
		case <-s.wanted:
			delay = standbyDelay
		case <-exited:
			if s.take(func(ready *launched) bool { return ready == l }) == nil { // it was acquired, or replaced
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

// take removes the process that is ready, if it matches, and returns it. The caller ends it
// or uses it. It is not ended under the lock, because that may take seconds.
func (s *Standby) take(matches func(*launched) bool) *launched {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ready
	if l == nil || !matches(l) {
		return nil
	}
	s.ready = nil
	return l
}

// Renew sets the arguments and detector of the next process. The one that is ready is
// ended if it was started with others.
func (s *Standby) Renew(args []string, detect ipc.DetectConfig) {
	args = redactorArgs(args, detect)
	s.mu.Lock()
	s.args = args
	s.mu.Unlock()
	if l := s.take(func(l *launched) bool { return !slices.Equal(l.Args, args) }); l != nil {
		s.restock()
		l.dismiss()
	}
}

// start starts a process when that is admitted, and returns when its start is over. It
// reports nothing before its configuration, but then it waits for that.
func (s *Standby) start(ctx context.Context) (l *launched, exited <-chan struct{}) {
	place := s.admission.join(false)
	defer place.leave()
	if place.wait(ctx) != nil {
		return nil, nil
	}
	l, exited = s.ensure()
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	for starting := true; starting && s.isReady(l) && wait(ctx, examineInterval); {
		starting = redactorproc.Runnable(l.PID())
	}
	return l, exited
}

// isReady reports whether a process is the one that is ready.
func (s *Standby) isReady(l *launched) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l != nil && s.ready == l
}

// ensure starts a process if none is ready. If that fails, cameras start their own, and
// report the error.
func (s *Standby) ensure() (l *launched, exited <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != nil {
		return s.ready, s.exited
	}
	l, err := launch(s.program, s.args, s.lines)
	if err != nil {
		s.log.Debug("cannot start a redactor on standby", "error", err)
		s.restock() // try again
		return nil, nil
	}
	s.ready, s.exited = l, l.WatchExit()
	return l, s.exited
}

// acquire returns the process that is ready; nil if none is, or it was started in another
// way.
func (s *Standby) acquire(program string, args []string) *launched {
	if s == nil {
		return nil
	}
	l := s.take(func(l *launched) bool { return l.Program == program && slices.Equal(l.Args, args) })
	if l == nil {
		return nil
	}
	s.restock()
	l.StopWatching()
	if !redactorproc.Alive(l.PID()) {
		l.dismiss()
		return nil
	}
	return l
}

// restock lets Run start another process.
func (s *Standby) restock() {
	select {
	case s.wanted <- struct{}{}:
	default:
	}
}

func (s *Standby) close() {
	if l := s.take(func(*launched) bool { return true }); l != nil {
		l.dismiss()
	}
}
