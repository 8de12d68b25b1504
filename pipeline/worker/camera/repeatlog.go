package camera

import "time"

// reminders are for how long something must have lasted to be logged again; after the
// last of them it is as long to the next each time.
var reminders = [...]time.Duration{time.Minute, 10 * time.Minute, time.Hour}

const (
	// maxBetween bounds the lines between two reminders, where the reason changes or
	// all seems to be well in between, again and again.
	maxBetween = 4
	// calm is for how long all must be well for it to be over.
	calm = time.Minute
)

// repeatLog says when something that lasts is to be logged: the first time, when its
// reason is another, and then at growing intervals. What comes and goes for hours is
// one. The zero value is ready. It is not safe for concurrent use.
type repeatLog struct {
	since           time.Time // when it began; zero: there is nothing
	badSince        time.Time // when it was bad again after the last good
	goodSince       time.Time // when all was well again; zero: it is not
	remindersLogged int       // reminders
	lines           int       // since the last of them
	logged          bool      // that it is bad, for this reason, is the last that was logged
	reason          string
}

// ill notes that it is bad, and returns for how long it has been.
func (r *repeatLog) markBad(now time.Time) time.Duration {
	if r.since.IsZero() {
		r.since = now
	}
	if r.badSince.IsZero() || !r.goodSince.IsZero() {
		r.badSince, r.goodSince = now, time.Time{}
	}
	return now.Sub(r.badSince)
}

// due reports, after ill, whether a line is due. It is taken to be logged then.
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

// well notes that all is well. It reports whether that is to be logged, and for how
// long it was not.
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

// until is how long something must have lasted for a repeatLog.
func reminderAfter(n int) time.Duration {
	if last := len(reminders) - 1; n > last {
		return reminders[last] * time.Duration(n-last+1)
	}
	return reminders[n]
}
