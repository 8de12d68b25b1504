package rtsp

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Delays between attempts to reach a camera.
const (
	// MinNetworkDelay and MaxNetworkDelay apply to a camera that is offline or stalls.
	// The maximum is short: a camera that returns must be visible within 3 seconds, of
	// which its next key frame may need one. A refused connection costs nothing.
	MinNetworkDelay = 500 * time.Millisecond
	MaxNetworkDelay = 1500 * time.Millisecond
	// MinCredentialsDelay and MaxCredentialsDelay apply to refused logins. Quirk
	// (Hikvision): it locks an account for about 30 minutes after 5 failed logins, also
	// for people; see docs/quirks.md.
	MinCredentialsDelay = 60 * time.Second
	MaxCredentialsDelay = 15 * time.Minute
	// MinSettingsDelay and MaxSettingsDelay apply to errors that need a change in the
	// camera or the configuration: path, codec, video track, kind of login.
	MinSettingsDelay = 5 * time.Second
	MaxSettingsDelay = 60 * time.Second
	// healthyRun is how long units must have arrived for the delays to restart.
	healthyRun = 10 * time.Second
)

// Backoff computes the delay before the next Run. The zero value is ready. It is not
// safe for concurrent use; each camera has its own.
type Backoff struct {
	network, credentials, settings *backoff.ExponentialBackOff
}

// NextDelay returns the delay after err, which is from Run or NewClient, or nil. Delays
// grow with each attempt, on a scale for each kind of error, with jitter, so that the
// cameras of a site do not reconnect all at once. After a run that delivered units for
// 10 s they restart.
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

// Reset restarts the delays.
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
