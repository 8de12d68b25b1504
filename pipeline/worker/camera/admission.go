package camera

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Admission limits how many redactors of a worker start at once. A start uses a part of a
// second of processor time; if all cameras' redactors started at once, none would be ready
// for long. It is safe for concurrent use; a nil one admits all.
type Admission struct {
	mu    sync.Mutex
	free  int
	queue []*entry // in the order in which they joined
}

// NewAdmission returns an Admission that admits so many at once, at least one.
func NewAdmission(atOnce int) *Admission { return &Admission{free: max(atOnce, 1)} }

// entry is one start.
type entry struct {
	a     *Admission
	since time.Time
	turn  chan struct{} // closed when it is admitted
	sends bool          // guarded by the mutex of a
	leave func()        // makes room for the next; a second call does nothing
}

// join adds a start to the queue. Cameras that send go first, unless another has waited
// for admissionTime. The caller must call leave once it has started, or will not.
func (a *Admission) join(sends bool) *entry {
	if a == nil {
		a = NewAdmission(1)
	}
	e := &entry{a: a, since: time.Now(), turn: make(chan struct{}), sends: sends}
	e.leave = sync.OnceFunc(func() { a.leave(e) })
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = append(a.queue, e)
	a.admit()
	return e
}

// wait waits until the start is admitted, or ctx ends.
func (e *entry) wait(ctx context.Context) error {
	select {
	case <-e.turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// prioritize notes that the camera sends now.
func (e *entry) prioritize() {
	e.a.mu.Lock()
	defer e.a.mu.Unlock()
	e.sends = true
}

func (a *Admission) leave(e *entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.queue, e); i >= 0 {
		a.queue = slices.Delete(a.queue, i, i+1)
		return
	}
	a.free++
	a.admit()
}

// admit admits the next ones, with the lock held.
func (a *Admission) admit() {
	for a.free > 0 && len(a.queue) > 0 {
		next := 0
		if time.Since(a.queue[0].since) < admissionTime {
			next = max(slices.IndexFunc(a.queue, func(e *entry) bool { return e.sends }), 0)
		}
		e := a.queue[next]
		a.queue = slices.Delete(a.queue, next, next+1)
		a.free--
		close(e.turn)
	}
}
