package camera

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Admission bounds how many redactors of a worker start at once: a start costs a part
// of a second of processor time, and as many as there are cameras would keep each other
// from ever being ready. It is safe for concurrent use; a nil one admits all.
type Admission struct {
	mu    sync.Mutex
	free  int
	queue []*entry // in the order in which they came
}

// NewAdmission admits so many at once.
func NewAdmission(atOnce int) *Admission { return &Admission{free: max(atOnce, 1)} }

// entry is one start. A nil one is admitted.
type entry struct {
	a     *Admission
	since time.Time
	turn  chan struct{} // closed when it is admitted
	// Guarded by the mutex of a.
	sends    bool
	admitted bool
	left     bool
}

// enter has one more wait for its turn. Those whose camera sends go before those whose
// camera does not, unless one has waited for admissionTime. Leave is to be called when
// it has started, or will not.
func (a *Admission) join(sends bool) *entry {
	if a == nil {
		return nil
	}
	e := &entry{a: a, since: time.Now(), turn: make(chan struct{}), sends: sends}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = append(a.queue, e)
	a.admit()
	return e
}

// wait waits until it may start, or ctx ends.
func (e *entry) wait(ctx context.Context) error {
	if e == nil {
		return nil
	}
	select {
	case <-e.turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// first notes that its camera has begun to send.
func (e *entry) prioritize() {
	if e == nil {
		return
	}
	e.a.mu.Lock()
	defer e.a.mu.Unlock()
	e.sends = true
}

// leave gives its place to the next. A second call does nothing.
func (e *entry) leave() {
	if e == nil {
		return
	}
	e.a.mu.Lock()
	defer e.a.mu.Unlock()
	if e.left {
		return
	}
	if e.left = true; e.admitted {
		e.a.free++
	}
	e.a.queue = slices.DeleteFunc(e.a.queue, func(x *entry) bool { return x == e })
	e.a.admit()
}

// admit admits whoever is next, with the lock held.
func (a *Admission) admit() {
	for a.free > 0 && len(a.queue) > 0 {
		next := 0
		if time.Since(a.queue[0].since) < admissionTime {
			next = max(slices.IndexFunc(a.queue, func(e *entry) bool { return e.sends }), 0)
		}
		e := a.queue[next]
		a.queue = slices.Delete(a.queue, next, next+1)
		a.free--
		e.admitted = true
		close(e.turn)
	}
}
