package bus

import (
	"sync"
	"time"
)

// keyframeInterval is the least time between two key frames asked for, per
// camera: a key frame costs many times a usual one.
const keyframeInterval = time.Second

// limiter calls a function when asked, at most once in an interval. Asking
// within the interval has it called once at its end.
type limiter struct {
	interval time.Duration
	call     func()

	mu     sync.Mutex
	timer  *time.Timer // set while an interval runs
	again  bool
	closed bool
}

func newLimiter(interval time.Duration, call func()) *limiter {
	return &limiter{interval: interval, call: call}
}

// ask has the function called now or at the end of the interval.
func (l *limiter) ask() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	if l.timer != nil {
		l.again = true
		l.mu.Unlock()
		return
	}
	l.timer = time.AfterFunc(l.interval, l.expire)
	l.mu.Unlock()
	l.call()
}

func (l *limiter) expire() {
	l.mu.Lock()
	if l.closed || !l.again {
		l.timer = nil
		l.mu.Unlock()
		return
	}
	l.again = false
	l.timer = time.AfterFunc(l.interval, l.expire)
	l.mu.Unlock()
	l.call()
}

// close has no call begin any more.
func (l *limiter) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
}
