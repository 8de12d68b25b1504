package pipeline

import (
	"sync"
	"time"
)

const (
	// overflowSpan is how long a dropped picture counts.
	overflowSpan = time.Second
	// backlogSpan is how long after the first picture pictures may arrive that are
	// older than it: the worker holds back some four seconds. The bound keeps a clock
	// that was set back from hiding an overflow for longer.
	backlogSpan = 5 * time.Second
)

// overflow detects a queue that no longer evens out: one that drops more within
// overflowSpan than it holds. It reports that once, until nothing has been dropped for
// overflowSpan. Pictures from before the first one shown are the backlog of a start
// and do not count. It is safe for concurrent use.
type overflow struct {
	mu    sync.Mutex
	first time.Time // when the first picture was shown; zero: none was
	drops []time.Time
	going bool
	due   bool
}

// pictureShown is called when a picture is shown; only the first call counts.
func (o *overflow) pictureShown(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first.IsZero() {
		o.first = now
	}
}

// anyShown reports whether a picture has been shown.
func (o *overflow) anyShown() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.first.IsZero()
}

// dropped notes that a queue of the given limit dropped a picture, and when the
// picture had arrived.
func (o *overflow) dropped(now, arrived time.Time, limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first.IsZero() || arrived.Before(o.first) && now.Sub(o.first) < backlogSpan {
		return
	}
	if n := len(o.drops); n > 0 && now.Sub(o.drops[n-1]) > overflowSpan {
		o.drops, o.going = o.drops[:0], false
	}
	o.drops = append(o.drops, now)
	if len(o.drops) > limit+1 { // only the last ones matter
		o.drops = append(o.drops[:0], o.drops[1:]...)
	}
	if len(o.drops) > limit && now.Sub(o.drops[0]) <= overflowSpan && !o.going {
		o.going, o.due = true, true
	}
}

// reportDue reports whether there is an overflow that viewers were not told of.
func (o *overflow) reportDue() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	due := o.due
	o.due = false
	return due
}
