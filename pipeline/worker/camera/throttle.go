package camera

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxLogBurst lines that a redactor can influence are logged at once, and then
	// maxLogRate a second. An attacker who controls a redactor can neither fill the disk
	// nor leak much through the log.
	maxLogBurst = 30
	maxLogRate  = rate.Limit(1)
	// leftOutDelay is the time from the first line that is left out to the line that
	// reports their number, unless the redactor ends earlier.
	leftOutDelay = 10 * time.Second
)

// throttle passes a limited number of lines to a log. It belongs to a camera, not to a
// process: a restarted process has no new burst. It is safe for concurrent use.
type throttle struct {
	log     *slog.Logger
	leftOut string // message of the line that reports how many were left out
	limit   *rate.Limiter

	mu    sync.Mutex
	count int // lines that were left out and not reported
	timer *time.Timer
}

func newThrottle(log *slog.Logger, leftOut string) *throttle {
	return &throttle{log: log, leftOut: leftOut, limit: rate.NewLimiter(maxLogRate, maxLogBurst)}
}

// line logs a line, and reports whether it did.
func (t *throttle) line(level slog.Level, msg string, args ...any) bool {
	switch {
	case !t.enabled(level):
		return false
	case !t.limit.Allow():
		t.leaveOut()
		return false
	}
	t.log.Log(context.Background(), level, msg, args...)
	return true
}

func (t *throttle) enabled(level slog.Level) bool {
	return t.log.Enabled(context.Background(), level)
}

// full reports whether the next line will be left out.
func (t *throttle) full() bool { return t.limit.Tokens() < 1 }

func (t *throttle) leaveOut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count++; t.timer == nil {
		t.timer = time.AfterFunc(leftOutDelay, t.reportLeftOut)
	}
}

// reportLeftOut reports how many lines were left out, if any were.
func (t *throttle) reportLeftOut() {
	t.mu.Lock()
	n := t.count
	t.count = 0
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	t.mu.Unlock()
	if n > 0 {
		t.log.Warn(t.leftOut, "lines", n)
	}
}
