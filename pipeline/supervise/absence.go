package supervise

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// maxLogError bounds an error in the log, in bytes. What it quotes of others was
// bounded where it was quoted; the advice at its end is to be there.
const maxLogError = 1000

// absence logs that a camera is away, tried every second or so, and that it is back.
// It is safe for concurrent use.
type absence struct {
	log  *slog.Logger
	gone atomic.Bool // there is something to do when it is back

	mu       sync.Mutex
	last     reminder
	attempts int // since it was logged
}

// failed notes that an attempt has failed, or a connection ended.
func (a *absence) failed(now time.Time, reason string, delay time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone.Store(true)
	a.attempts++
	lasted := a.last.ill(now)
	args := []any{"error", reason, "retry_in", delay.Round(time.Millisecond)}
	if lasted > 0 {
		args = append(args, "away", roughly(lasted), "attempts", a.attempts)
	}
	if !a.last.due(now, reason) {
		a.log.Debug("no video from the camera", args...)
		return
	}
	a.log.Warn("no video from the camera", args...)
	a.attempts = 0
}

// unit notes that something came of the camera.
func (a *absence) unit(now time.Time) {
	if !a.gone.Load() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if lasted, due := a.last.well(now); due {
		a.log.Info("video from the camera again", "away", roughly(lasted))
		a.attempts = 0
	}
	a.gone.Store(!a.last.since.IsZero())
}

// roughly is a duration as somebody wants to read it.
func roughly(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
