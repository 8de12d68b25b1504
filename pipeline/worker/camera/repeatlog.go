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
	since  time.Time // when it began; zero: there is nothing
	bad    time.Time // when it was bad again after the last good
	good   time.Time // when all was well again; zero: it is not
	told   int       // reminders
	lines  int       // since the last of them
	said   bool      // that it is bad, for this reason, is the last that was logged
	reason string
}

// ill notes that it is bad, and returns for how long it has been.
func (r *repeatLog) ill(now time.Time) time.Duration {
	if r.since.IsZero() {
		r.since = now
	}
	if r.bad.IsZero() || !r.good.IsZero() {
		r.bad, r.good = now, time.Time{}
	}
	return now.Sub(r.bad)
}

// due reports, after ill, whether a line is due. It is taken to be logged then.
func (r *repeatLog) due(now time.Time, reason string) bool {
	switch lasted := now.Sub(r.since); {
	case lasted >= until(r.told):
		for lasted >= until(r.told) {
			r.told++
		}
		r.lines = 0
	case r.said && reason == r.reason, r.lines >= maxBetween:
		return false
	default:
		r.lines++
	}
	r.said, r.reason = true, reason
	return true
}

// well notes that all is well. It reports whether that is to be logged, and for how
// long it was not.
func (r *repeatLog) well(now time.Time) (lasted time.Duration, due bool) {
	if r.since.IsZero() {
		return 0, false
	}
	if r.good.IsZero() {
		r.good = now
	}
	over := now.Sub(r.good) >= calm
	if lasted, due = r.good.Sub(r.bad), r.said && (over || r.lines < maxBetween); due {
		r.said = false
	}
	if over {
		*r = repeatLog{}
	}
	return lasted, due
}

// until is how long something must have lasted for a repeatLog.
func until(n int) time.Duration {
	if last := len(reminders) - 1; n > last {
		return reminders[last] * time.Duration(n-last+1)
	}
	return reminders[n]
}
