package camera

import (
	"maps"
	"time"

	"scrim/transport"
)

// maxEvents bounds the events that wait to be published; the oldest are dropped.
const maxEvents = 256

// StateHistory has a camera's state, one event for every change of it, and counts of
// faults. However short a state is, its event is not merged into the next. It is not safe
// for concurrent use.
type StateHistory struct {
	state  transport.State
	reason string
	fault  transport.Fault
	counts map[transport.Fault]uint64
	events []transport.Event // without site and camera
	lost   int
}

// Note records the state at a time. Reason and fault are empty while the camera is live.
// It reports whether that is a change.
func (h *StateHistory) Note(at time.Time, state transport.State, fault transport.Fault, reason string) bool {
	if h.state == state && h.reason == reason && h.fault == fault {
		return false
	}
	if fault != "" && fault != h.fault {
		if h.counts == nil {
			h.counts = make(map[transport.Fault]uint64)
		}
		h.counts[fault]++
	}
	h.state, h.reason, h.fault = state, reason, fault
	if len(h.events) >= maxEvents {
		h.events = append(h.events[:0], h.events[1:]...)
		h.lost++
	}
	h.events = append(h.events, transport.Event{Time: at, State: state, Reason: reason, Fault: fault})
	return true
}

// Faults returns how often each fault has begun.
func (h *StateHistory) Faults() map[transport.Fault]uint64 { return maps.Clone(h.counts) }

// Events returns the events since the last call, in order, and how many were dropped
// before them.
func (h *StateHistory) Events() (events []transport.Event, lost int) {
	events, lost = h.events, h.lost
	h.events, h.lost = nil, 0
	return events, lost
}
