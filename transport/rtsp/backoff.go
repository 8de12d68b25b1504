package rtsp

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The waits between attempts to reach a camera.
const (
	// MinNetworkDelay and MaxNetworkDelay are for a camera that is away or stalls.
	// The longest is short: a camera that is back shall be shown within 3 seconds
	// however long it was away, one of which its next key frame may take, and a
	// connection that is refused costs nothing.
	MinNetworkDelay = 500 * time.Millisecond
	MaxNetworkDelay = 1500 * time.Millisecond
	// MinCredentialsDelay and MaxCredentialsDelay are for refused credentials: where a
	// login was made.
	// TRAPS: Hikvision locks an account for about 30 minutes after 5 bad logins,
	// also for the people who use the camera.
	MinCredentialsDelay = 60 * time.Second
	MaxCredentialsDelay = 15 * time.Minute
	// MinSettingsDelay and MaxSettingsDelay are for what somebody has to change in
	// the camera or the configuration: path, codec, video track, a kind of login that
	// is allowed.
	MinSettingsDelay = 5 * time.Second
	MaxSettingsDelay = 60 * time.Second
	// healthyRun is how long units must have come for the waits to begin anew.
	healthyRun = 10 * time.Second
)

// Backoff says how long to wait before the next Run. The zero value is ready. It
// is not safe for concurrent use; each camera has its own.
type Backoff struct {
	network, credentials, settings *backoff.ExponentialBackOff
}

// NextDelay returns how long to wait after err, which came from Run or NewClient
// (or is nil). Waits grow from attempt to attempt, each kind on its own scale,
// with jitter, so that a site's cameras do not come back all at once. After a
// run that delivered for 10 s they begin anew.
func (b *Backoff) NextDelay(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) && e.Delivered > 0 && e.Lasted >= healthyRun {
		b.Reset()
	}
	switch {
	case errors.Is(err, ErrCredentials) && (e == nil || e.LoginRefused):
		return next(&b.credentials, MinCredentialsDelay, MaxCredentialsDelay)
	case errors.Is(err, ErrConfig), errors.Is(err, ErrCredentials), errors.Is(err, ErrNotFound), errors.Is(err, ErrNoVideo), errors.Is(err, ErrUnsupportedCodec):
		return next(&b.settings, MinSettingsDelay, MaxSettingsDelay)
	default:
		return next(&b.network, MinNetworkDelay, MaxNetworkDelay)
	}
}

// Reset lets the waits begin anew.
func (b *Backoff) Reset() { *b = Backoff{} }

func next(e **backoff.ExponentialBackOff, shortest, longest time.Duration) time.Duration {
	if *e == nil {
		*e = &backoff.ExponentialBackOff{
			// ±20 % around these stays between shortest and longest.
			InitialInterval:     shortest * 5 / 4,
			RandomizationFactor: 0.2,
			Multiplier:          2,
			MaxInterval:         longest * 5 / 6,
		}
		(*e).Reset()
	}
	return min(max((*e).NextBackOff(), shortest), longest)
}
