package supervise

import (
	"context"
	"sync"
)

// Admission bounds how many redactors of a worker start at once: a start costs a part
// of a second of processor time, and as many as there are cameras would keep each other
// from ever being ready. It is safe for concurrent use; a nil one admits all.
type Admission struct {
	mu    sync.Mutex
	free  int
	first []chan struct{} // cameras that send
	rest  []chan struct{}
}

// NewAdmission admits so many at once.
func NewAdmission(atOnce int) *Admission { return &Admission{free: max(atOnce, 1)} }

// enter waits until one more may start, or ctx ends. First goes before those that are
// not. Release is called when it has started, or will not; a second call does nothing.
func (a *Admission) enter(ctx context.Context, first bool) (release func(), err error) {
	if a == nil {
		return func() {}, nil
	}
	a.mu.Lock()
	if a.free > 0 {
		a.free--
		a.mu.Unlock()
		return sync.OnceFunc(a.leave), nil
	}
	turn := make(chan struct{}, 1)
	if first {
		a.first = append(a.first, turn)
	} else {
		a.rest = append(a.rest, turn)
	}
	a.mu.Unlock()
	select {
	case <-turn:
		return sync.OnceFunc(a.leave), nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	a.first, a.rest = without(a.first, turn), without(a.rest, turn)
	a.mu.Unlock()
	select {
	case <-turn: // it came meanwhile
		a.leave()
	default:
	}
	return nil, context.Cause(ctx)
}

// leave gives the place to the next.
func (a *Admission) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, waiting := range []*[]chan struct{}{&a.first, &a.rest} {
		if len(*waiting) > 0 {
			(*waiting)[0] <- struct{}{}
			*waiting = (*waiting)[1:]
			return
		}
	}
	a.free++
}

func without(list []chan struct{}, gone chan struct{}) []chan struct{} {
	for i, ch := range list {
		if ch == gone {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
