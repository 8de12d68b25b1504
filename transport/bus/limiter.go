package bus

import (
	"sync"
	"time"
)

// keyframeInterval is the minimum time between two key frame requests for a camera: a
// key frame is many times larger than other frames.
const keyframeInterval = time.Second

// limiter calls a function on request, at most once in an interval. Requests within the
// interval cause one call at its end.
type limiter struct {
	interval time.Duration
	call     func()

	mu        sync.Mutex
	timer     *time.Timer // set while an interval runs
	requested bool
	closed    bool
}

func newLimiter(interval time.Duration, call func()) *limiter {
	return &limiter{interval: interval, call: call}
}

// request calls the function now, or at the end of the interval.
func (l *limiter) request() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	if l.timer != nil {
		l.requested = true
		l.mu.Unlock()
		return
	}
	l.timer = time.AfterFunc(l.interval, l.expire)
	l.mu.Unlock()
	l.call()
}

func (l *limiter) expire() {
	l.mu.Lock()
	if l.closed || !l.requested {
		l.timer = nil
		l.mu.Unlock()
		return
	}
	l.requested = false
	l.timer = time.AfterFunc(l.interval, l.expire)
	l.mu.Unlock()
	l.call()
}

// close prevents further calls.
func (l *limiter) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
}
