package camera

import (
	"log/slog"
	"time"
)

// reminders are how long a condition lasts until it is logged again. After the last of
// them, it is logged at that interval.
var reminders = [...]time.Duration{time.Minute, 10 * time.Minute, time.Hour}

const (
	// maxBetween bounds the lines between two reminders, for a condition whose reason
	// changes, or that comes and goes.
	maxBetween = 4
	// calm is how long a condition must be absent to be over.
	calm = time.Minute
)

// repeatLog decides when a condition is logged: at once, when its reason changes, and then
// at growing intervals. A condition that comes and goes for hours is one. The zero value
// is ready. It is not safe for concurrent use.
type repeatLog struct {
	since           time.Time // when it began; zero: there is none
	badSince        time.Time // when it last came
	goodSince       time.Time // when it last went; zero: it is there
	remindersLogged int
	lines           int  // since the last reminder
	logged          bool // the last line says that it is there, for this reason
	reason          string
}

// markBad notes that the condition is there, and returns for how long.
func (r *repeatLog) markBad(now time.Time) time.Duration {
	if r.since.IsZero() {
		r.since = now
	}
	if r.badSince.IsZero() || !r.goodSince.IsZero() {
		r.badSince, r.goodSince = now, time.Time{}
	}
	return now.Sub(r.badSince)
}

// due reports, after markBad, whether a line is due, which the caller must log then.
func (r *repeatLog) due(now time.Time, reason string) bool {
	switch lasted := now.Sub(r.since); {
	case lasted >= reminderAfter(r.remindersLogged):
		for lasted >= reminderAfter(r.remindersLogged) {
			r.remindersLogged++
		}
		r.lines = 0
	case r.logged && reason == r.reason, r.lines >= maxBetween:
		return false
	default:
		r.lines++
	}
	r.logged, r.reason = true, reason
	return true
}

// level returns, after markBad, the level of a line: a warning if one is due, else debug.
func (r *repeatLog) level(now time.Time, reason string) slog.Level {
	if r.due(now, reason) {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// markGood notes that the condition is absent. It reports whether the caller must log
// that, and how long the condition lasted.
func (r *repeatLog) markGood(now time.Time) (lasted time.Duration, due bool) {
	if r.since.IsZero() {
		return 0, false
	}
	if r.goodSince.IsZero() {
		r.goodSince = now
	}
	over := now.Sub(r.goodSince) >= calm
	if lasted, due = r.goodSince.Sub(r.badSince), r.logged && (over || r.lines < maxBetween); due {
		r.logged = false
	}
	if over {
		*r = repeatLog{}
	}
	return lasted, due
}

// reminderAfter is how long a condition lasts until reminder n.
func reminderAfter(n int) time.Duration {
	if last := len(reminders) - 1; n > last {
		return reminders[last] * time.Duration(n-last+1)
	}
	return reminders[n]
}
