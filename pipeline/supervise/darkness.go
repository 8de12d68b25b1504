package supervise

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"scrim/transport"
)

const (
	// darkTime is for how long viewers may have no picture before the log says so.
	darkTime = 10 * time.Second
	// tryTime is what an attempt to mend it may take, until somebody logs how it went.
	tryTime = time.Minute
	// maxKnown bounds the reasons that are known from other lines of the log.
	maxKnown = 4
)

// darkness logs that viewers have had no picture for long, where nothing else in the
// log says why: not every reason is an error of the camera or the end of a redactor.
// It is safe for concurrent use.
type darkness struct {
	log *slog.Logger

	mu       sync.Mutex
	last     reminder
	pictures uint64 // as of the last look
	known    []knownReason
}

// knownReason is one that was logged, as a warning or an error.
type knownReason struct {
	reason string
	until  time.Time // whoever has logged it sees to it
}

// logged notes that somebody else has logged a reason, the one that viewers are told,
// or has it in hand, and will try again after a delay.
func (d *darkness) logged(now time.Time, reason string, delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := knownReason{reason, now.Add(delay + tryTime)}
	if i := slices.IndexFunc(d.known, func(k knownReason) bool { return k.reason == reason }); i >= 0 {
		d.known[i] = k
		return
	}
	if len(d.known) >= maxKnown {
		d.known = slices.Delete(d.known, 0, 1)
	}
	d.known = append(d.known, k)
}

// isKnown reports whether there is no need to log a reason.
func (d *darkness) isKnown(now time.Time, reason string) bool {
	return slices.ContainsFunc(d.known, func(k knownReason) bool { return k.reason == reason && now.Before(k.until) })
}

// look looks at what viewers get, every second or so.
func (d *darkness) look(now time.Time, s transport.Status) {
	d.mu.Lock()
	defer d.mu.Unlock()
	pictures := d.pictures
	d.pictures = s.Counters.Pictures
	dark := s.State == transport.StateObscured || s.State == transport.StateFailed
	if !dark || d.pictures != pictures { // there was one since the last look
		if lasted, due := d.last.well(now); due {
			d.log.Info("viewers get pictures again", "none_for", roughly(lasted))
		}
		if !dark {
			return
		}
	}
	lasted := d.last.ill(now)
	if lasted < darkTime || d.isKnown(now, s.Reason) || !d.last.due(now, s.Reason) {
		return
	}
	d.log.Warn("viewers get no picture", "state", s.State, "fault", s.Fault, "reason", s.Reason, "none_for", roughly(lasted))
}

// watchDarkness looks until ctx ends.
func (c *Camera) watchDarkness(ctx context.Context) error {
	tick := time.NewTicker(statusInterval)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			c.dark.look(now, c.Status())
		case <-ctx.Done():
			return nil
		}
	}
}
