package pipeline

import (
	"context"
	"sync"
)

// queue is a bounded first-in first-out queue between two stages. When it is full it
// drops the oldest element, so that what is shown is recent. It is safe for concurrent
// use.
type queue[T any] struct {
	mu     sync.Mutex
	items  []T
	limit  int
	ready  chan struct{} // holds a token while there may be items
	room   chan struct{} // holds a token while there may be room for offer
	closed bool
	// idle is set when the receiver has found the queue empty, so that it is done with
	// all elements.
	idle bool
}

func newQueue[T any](limit int) *queue[T] {
	return &queue[T]{limit: limit, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put appends v. If the queue was full it returns the element that was dropped. A
// closed queue drops v itself.
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

// offer waits for room and appends v, without dropping anything. It returns false,
// and the caller keeps v, if the queue is closed or ctx is done first. Only one
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

// append appends v if there is room.
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

// try returns an element if there is one; end is set when no more will come.
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

// close makes get return what is left, and then false.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	signal(q.ready)
	signal(q.room)
}

// signal leaves a token, unless there is one.
func signal(token chan<- struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
