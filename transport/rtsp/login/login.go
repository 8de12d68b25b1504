package login

import (
	"context"
	"errors"
	"time"

	"scrim/transport"
	"scrim/transport/rtsp"
)

// result is how the last attempt of a login went.
type result int

const (
	untried result = iota
	accepted
	refused
)

// Login is what is known of the attempts to reach a camera by one URL, user and password.
// It outlives the camera's other settings: otherwise every edit of a zone would try a
// refused password at once. Its methods may be called from any goroutine, those of its
// source and Delay in turn.
type Login struct {
	camera  string
	url     string
	account *account

	// The account's lock guards the rest.
	playing bool
	last    result
	backoff rtsp.Backoff
	// refusal is the error of a refused login, which is not tried again before retryAt.
	refusal error
	retryAt time.Time
	// skippedUntil is set if the last attempt was too early to be made.
	skippedUntil time.Time
}

// Source is where a camera's units come from, such as an rtsp.Client.
type Source interface {
	Run(ctx context.Context, onUnit func(transport.CameraUnit)) error
}

// Source returns a source that connects to this one only when the login may be tried.
// Until then its Run returns at once, with the reason. The source must call OnPlaying.
func (l *Login) Source(s Source) Source { return guarded{s, l} }

// OnPlaying notes that the device has accepted the login; see rtsp.Config.
func (l *Login) OnPlaying() { l.account.onPlaying(l) }

// Delay returns how long to wait after the source's Run has returned err.
func (l *Login) Delay(err error) time.Duration {
	l.account.mu.Lock()
	defer l.account.mu.Unlock()
	if !l.skippedUntil.IsZero() {
		return max(time.Until(l.skippedUntil), 0)
	}
	d := l.backoff.NextDelay(err)
	l.refusal, l.retryAt = nil, time.Time{}
	// If no login was made (because its kind is not allowed, say), a change of settings
	// may help, and is tried at once.
	if isRefusal(err) {
		l.refusal, l.retryAt = err, time.Now().Add(d)
		if after := l.account.blockedUntil.Add(refusedLag); after.After(l.retryAt) {
			l.retryAt, d = after, time.Until(after)
		}
	}
	return d
}

// lag is how much later than others it is tried after the account was blocked. It is
// called with the account's lock held.
func (l *Login) lag() time.Duration {
	switch l.last {
	case accepted:
		return 0
	case refused:
		return refusedLag
	default:
		return untriedLag
	}
}

// tooEarly reports whether a refused login must not be repeated yet, and its error.
func (l *Login) tooEarly() (early bool, refusal error) {
	l.account.mu.Lock()
	defer l.account.mu.Unlock()
	l.skippedUntil = l.retryAt
	return time.Now().Before(l.retryAt), l.refusal
}

// isRefusal reports whether an error is that of a login that was made.
func isRefusal(err error) bool {
	e, ok := errors.AsType[*rtsp.Error](err)
	return ok && e.LoginRefused
}

// guarded is the source that Login.Source returns.
type guarded struct {
	Source
	login *Login
}

func (g guarded) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	l := g.login
	if early, refusal := l.tooEarly(); early {
		return refusal
	}
	ok, blockedBy, err := l.account.acquire(ctx, l)
	if err != nil {
		return err
	}
	if !ok {
		return &rtsp.Error{
			Camera: l.camera, Class: rtsp.ErrCredentials,
			Reason: "not tried: the device refuses the same user and password for camera " + blockedBy,
			Advice: "correct user and password of both cameras; not tried before " + l.skippedUntil.Format(time.TimeOnly) +
				", because devices lock accounts after about 5 failed logins",
		}
	}
	defer time.AfterFunc(answerTime, func() { l.account.release(l) }).Stop()
	err = g.Source.Run(ctx, onUnit)
	l.account.onEnd(l, err)
	return err
}
