package pipeline

import (
	"context"
	"sync"
)

// queue is a bounded first-in first-out queue between two stages. Putting into
// a full one drops the oldest element whole, so that what is shown is recent.
// It is safe for concurrent use.
type queue[T any] struct {
	mu     sync.Mutex
	items  []T
	limit  int
	ready  chan struct{} // holds one token while items may be there
	room   chan struct{} // holds one token while there may be room for offer
	closed bool
	// idle is set when whoever takes elements has come back and found none: it is done
	// with all that were put.
	idle bool
}

func newQueue[T any](limit int) *queue[T] {
	return &queue[T]{limit: limit, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put appends v. When the queue was full it returns the element that was
// dropped for it. A queue that is closed drops v itself.
func (q *queue[T]) put(v T) (dropped T, full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return v, true
	}
	if len(q.items) == q.limit {
		dropped, full = q.items[0], true
		q.items = append(q.items[:0], q.items[1:]...)
	}
	q.items = append(q.items, v)
	signal(q.ready)
	return dropped, full
}

// offer appends v and drops nothing: it waits for room. It returns false, and v
// stays the caller's, when the queue is closed or ctx is done first. One
// goroutine may wait at a time.
func (q *queue[T]) offer(ctx context.Context, v T) bool {
	for ctx.Err() == nil {
		if taken, closed := q.append(v); taken || closed {
			return taken
		}
		select {
		case <-q.room:
		case <-ctx.Done():
		}
	}
	return false
}

// append puts v to the queue when there is room.
func (q *queue[T]) append(v T) (taken, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.items) == q.limit {
		return false, q.closed
	}
	q.items = append(q.items, v)
	signal(q.ready)
	return true, false
}

// get waits for an element. It returns false when the queue is closed and
// empty, or ctx is done.
func (q *queue[T]) get(ctx context.Context) (v T, ok bool) {
	for {
		if v, ok, end := q.try(); ok || end {
			return v, ok
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return v, false
		}
	}
}

// try returns an element if there is one; end is set when none will come.
func (q *queue[T]) try() (v T, ok, end bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.idle = len(q.items) == 0; q.idle {
		return v, false, q.closed
	}
	v = q.items[0]
	q.items = append(q.items[:0], q.items[1:]...)
	if len(q.items) > 0 || q.closed {
		signal(q.ready)
	}
	signal(q.room)
	return v, true, false
}

// close lets get return what is left, and then false.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	signal(q.ready)
	signal(q.room)
}

// signal leaves a token, unless one is there.
func signal(token chan<- struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
