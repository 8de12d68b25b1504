package fanout

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"scrim/transport"
)

// ErrNoCamera is what Source.Subscribe returns, wrapped or not, for a camera
// that does not exist.
var ErrNoCamera = errors.New("no such camera")

// Source is where hubs get video from. Its methods may be called from many
// goroutines.
type Source interface {
	// Subscribe begins to receive a camera's units.
	Subscribe(camera string) (Units, error)
	// RequestKeyframe asks a camera for a key frame; it does not wait for it.
	RequestKeyframe(camera string) error
}

// Units is a subscription to one camera.
type Units interface {
	// Next returns the next unit that can be decoded: it begins with a key frame
	// and goes on with one after a loss. It waits until one comes, ctx ends or the
	// subscription does. What it returns is only read. One goroutine calls it.
	Next(ctx context.Context) (*transport.RedactedUnit, error)
	// Close ends the subscription.
	Close()
}

// Times are how long things take.
type Times struct {
	// Linger is how long a camera stays subscribed without viewers, so that one
	// who comes again starts at once.
	Linger time.Duration
	// Keyframe is the least time between two requests for a key frame of one
	// camera.
	Keyframe time.Duration
	// Silence is how long a camera may send nothing before its viewers should be
	// told, instead of seeing the last picture for ever. A living redactor sends
	// slates every 250 ms.
	Silence time.Duration
	// First is how long a viewer may wait for the first unit.
	First time.Duration
}

// DefaultTimes returns the times that viewers are given.
func DefaultTimes() Times {
	return Times{Linger: 3 * time.Second, Keyframe: time.Second, Silence: 5 * time.Second, First: 10 * time.Second}
}

// Counters count what hubs and queues have done. They only grow.
type Counters struct {
	// Units were received and packetised; Dropped are those that a viewer missed
	// because it was slow.
	Units, Dropped atomic.Uint64
	// WrongCamera units named another camera than the one subscribed to. This must
	// be 0.
	WrongCamera atomic.Uint64
	// Keyframes are requests that were passed on to cameras.
	Keyframes atomic.Uint64
	// Resubscribed is how often a subscription failed and was tried again.
	Resubscribed atomic.Uint64
}
