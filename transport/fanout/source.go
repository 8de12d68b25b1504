package fanout

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"scrim/transport"
)

// ErrNoCamera is returned by Source.Subscribe, wrapped or not, for a camera that does
// not exist.
var ErrNoCamera = errors.New("no such camera")

// Source provides the video for hubs. Its methods may be called from many goroutines.
type Source interface {
	// Subscribe starts to receive the units of a camera.
	Subscribe(camera string) (Subscription, error)
	// RequestKeyframe asks the camera for a key frame and does not wait for it.
	RequestKeyframe(camera string) error
}

// Subscription receives the units of one camera.
type Subscription interface {
	// Next returns the next unit that can be decoded: the first one is a key frame, as
	// is the one after any loss. It blocks until there is a unit, ctx ends or the
	// subscription ends. The caller must not change the unit. Only one goroutine calls
	// Next.
	Next(ctx context.Context) (*transport.RedactedUnit, error)
	// Close ends the subscription.
	Close()
}

// Times are the limits of hubs and their viewers.
type Times struct {
	// Linger is how long a camera without viewers stays subscribed, so that a viewer
	// who returns starts at once.
	Linger time.Duration
	// Keyframe is the minimum time between two requests for a key frame to one camera.
	Keyframe time.Duration
	// Silence is how long a camera may send nothing before its viewers are
	// disconnected. They would show the last picture forever otherwise. A running
	// redactor sends a slate every 250 ms.
	Silence time.Duration
	// First is how long a viewer may wait for its first unit.
	First time.Duration
}

// DefaultTimes returns the times in production.
func DefaultTimes() Times {
	return Times{Linger: 3 * time.Second, Keyframe: time.Second, Silence: 5 * time.Second, First: 10 * time.Second}
}

// Counters count what hubs and queues do. They only grow.
type Counters struct {
	// Units were received and packetised. Dropped units were missed by a viewer that
	// was too slow.
	Units, Dropped atomic.Uint64
	// WrongCamera units named another camera than the one subscribed to. It must stay
	// 0.
	WrongCamera atomic.Uint64
	// Keyframes are requests that were sent to cameras.
	Keyframes atomic.Uint64
	// Resubscribed counts subscriptions that failed and were retried.
	Resubscribed atomic.Uint64
}
