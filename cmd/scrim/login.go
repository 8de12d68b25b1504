package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"scrim/pipeline/supervise"
	"scrim/transport"
	"scrim/transport/rtsp"
)

// login is what is known of the attempts to reach a camera with one URL, user and
// password. TRAPS: cameras lock accounts after about five bad logins. It outlives
// the camera's other settings, or every edit of a zone would try a refused password
// at once.
type login struct {
	account *account
	backoff rtsp.Backoff
	// refused is why the camera let nobody in; before next it is not asked again.
	refused error
	next    time.Time
	// early is set where it was too early to ask, and until when.
	early time.Time
}

// loginOf is that of a plan: the one that it takes the place of has, unless that
// has another URL, user or password.
func (a accounts) loginOf(p *plan, before *running) *login {
	if before != nil && before.plan.ingest.URL == p.ingest.URL {
		return before.login
	}
	return &login{account: a.of(p.ingest.URL)}
}

// delay is how long to wait after an error of a source.
func (l *login) delay(err error) time.Duration {
	if !l.early.IsZero() {
		return max(time.Until(l.early), 0)
	}
	d := l.backoff.NextDelay(err)
	l.refused, l.next = nil, time.Time{}
	// Where none was made (there is a login that is not allowed, say), settings may
	// mend it, and are tried at once.
	if refused(err) {
		l.refused, l.next = err, time.Now().Add(d)
		if after := l.account.until().Add(afterOthers); after.After(l.next) {
			l.next, d = after, time.Until(after)
		}
	}
	return d
}

// refused reports whether an error is that of a login that was made.
func refused(err error) bool {
	e, ok := errors.AsType[*rtsp.Error](err)
	return ok && e.LoginRefused
}

// source is a camera that is not asked before its login may be tried.
type source struct {
	supervise.Source
	login *login
}

// Run returns at once, with why, while it is too early.
func (s source) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	l := s.login
	if l.early = l.next; time.Now().Before(l.early) {
		return l.refused
	}
	known, next, err := l.account.enter(ctx)
	if l.early = next; err != nil {
		return err
	}
	defer known()
	patience := time.AfterFunc(answerTime, known)
	defer patience.Stop()
	var in atomic.Bool
	err = s.Source.Run(ctx, func(u transport.CameraUnit) {
		if in.CompareAndSwap(false, true) {
			l.account.in()
			known()
		}
		onUnit(u)
	})
	if in.Load() {
		l.account.out()
	}
	if refused(err) {
		l.account.refuse(l, err)
	}
	return err
}
