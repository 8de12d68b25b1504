package main

import (
	"context"
	"errors"
	"time"

	"scrim/pipeline/worker/camera"
	"scrim/transport"
	"scrim/transport/rtsp"
)

// login is what is known of the attempts to reach a camera with one URL, user and
// password. TRAPS: cameras lock accounts after about five bad logins. It outlives
// the camera's other settings, or every edit of a zone would try a refused password
// at once.
type login struct {
	camera  string
	account *account
	backoff rtsp.Backoff
	// refused is why the camera let nobody in; before next it is not asked again.
	refused error
	next    time.Time
	// early is set where it was too early to ask, and until when.
	early time.Time

	// The account's lock guards these: whether it is let in now, was let in when it was
	// last tried, and was refused then.
	live, good, bad bool
}

// loginOf is that of a plan: the one that it takes the place of has, unless that
// has another URL, user or password.
func (a accounts) loginOf(p *plan, before *running) *login {
	if before != nil && before.plan.ingest.URL == p.ingest.URL {
		return before.login
	}
	return &login{camera: p.ingest.Camera, account: a.of(p.ingest.URL)}
}

// later is by how much later than others it tries: those that are let in open the
// way for all. It is called with the account's lock held.
func (l *login) later() time.Duration {
	switch {
	case l.bad:
		return afterOthers
	case l.good:
		return 0
	}
	return afterGood
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
	camera.Source
	login *login
}

// Run returns at once, with why, while it is too early.
func (s source) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	l := s.login
	if l.early = l.next; time.Now().Before(l.early) {
		return l.refused
	}
	ok, hold, by, err := l.account.enter(ctx, l)
	if l.early = hold; err != nil {
		return err
	}
	if !ok {
		return &rtsp.Error{
			Camera: l.camera, Class: rtsp.ErrCredentials,
			Reason: "not tried: the device refuses user and password for camera " + by + ", and this one has the same",
			Advice: "correct the user and password of both; not tried before " + hold.Format(time.TimeOnly) + ", since devices lock accounts after about 5 bad logins",
		}
	}
	defer l.account.done(l)
	defer l.account.out(l)
	defer time.AfterFunc(answerTime, func() { l.account.done(l) }).Stop()
	err = s.Source.Run(ctx, onUnit)
	if refused(err) {
		l.account.refuse(l, err)
	}
	return err
}

// letIn notes that the camera plays.
func (l *login) letIn() { l.account.in(l) }
