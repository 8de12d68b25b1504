package main

import (
	"context"
	"errors"
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
	backoff rtsp.Backoff
	// refused is why the camera let nobody in; before next it is not asked again.
	refused error
	next    time.Time
	// early is set where it was too early to ask.
	early bool
}

// loginOf is that of a plan: the one that it takes the place of has, unless that
// has another URL, user or password.
func loginOf(p *plan, before *running) *login {
	if before != nil && before.plan.ingest.URL == p.ingest.URL {
		return before.login
	}
	return &login{}
}

// delay is how long to wait after an error of a source.
func (l *login) delay(err error) time.Duration {
	if l.early {
		return max(time.Until(l.next), 0)
	}
	d := l.backoff.NextDelay(err)
	l.refused, l.next = nil, time.Time{}
	// Where none was made (there is a login that is not allowed, say), settings may
	// mend it, and are tried at once.
	if e, ok := errors.AsType[*rtsp.Error](err); ok && e.LoginRefused {
		l.refused, l.next = err, time.Now().Add(d)
	}
	return d
}

// source is a camera that is not asked before its login may be tried.
type source struct {
	supervise.Source
	login *login
}

// Run returns at once, with why, while it is too early.
func (s source) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	s.login.early = time.Now().Before(s.login.next)
	if s.login.early {
		return s.login.refused
	}
	return s.Source.Run(ctx, onUnit)
}
