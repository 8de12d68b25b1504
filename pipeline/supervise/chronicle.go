package supervise

import (
	"maps"
	"time"

	"scrim/transport"
)

// maxEvents bounds the events that wait to be published; the oldest are dropped.
const maxEvents = 256

// Chronicle turns what becomes of a camera, moment by moment, into the state that
// viewers see, one event for every change of it, and counts of faults. However
// short a state is, its event is not merged into the next. It is not safe for
// concurrent use.
type Chronicle struct {
	state  transport.State
	reason string
	fault  transport.Fault
	counts map[transport.Fault]uint64
	events []transport.Event // without site and camera
	lost   int
}

// Note takes the state at a time. reason and fault are empty while the camera is
// live. It reports whether that is a change.
func (c *Chronicle) Note(at time.Time, state transport.State, fault transport.Fault, reason string) bool {
	if c.state == state && c.reason == reason && c.fault == fault {
		return false
	}
	if fault != "" && fault != c.fault {
		if c.counts == nil {
			c.counts = make(map[transport.Fault]uint64)
		}
		c.counts[fault]++
	}
	c.state, c.reason, c.fault = state, reason, fault
	if len(c.events) >= maxEvents {
		c.events = append(c.events[:0], c.events[1:]...)
		c.lost++
	}
	c.events = append(c.events, transport.Event{Time: at, State: state, Reason: reason, Fault: fault})
	return true
}

// Faults returns how often each fault has begun.
func (c *Chronicle) Faults() map[transport.Fault]uint64 { return maps.Clone(c.counts) }

// Events returns the events since the last call, in order, and how many had to
// be dropped before them.
func (c *Chronicle) Events() (events []transport.Event, lost int) {
	events, lost = c.events, c.lost
	c.events, c.lost = nil, 0
	return events, lost
}
