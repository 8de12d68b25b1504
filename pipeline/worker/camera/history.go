package camera

import (
	"maps"

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
// It reports whether state, fault or reason have changed.
func (h *StateHistory) Note(e transport.Event) bool {
	if h.state == e.State && h.reason == e.Reason && h.fault == e.Fault {
		return false
	}
	if e.Fault != "" && e.Fault != h.fault {
		if h.counts == nil {
			h.counts = make(map[transport.Fault]uint64)
		}
		h.counts[e.Fault]++
	}
	h.state, h.reason, h.fault = e.State, e.Reason, e.Fault
	if len(h.events) >= maxEvents {
		h.events = append(h.events[:0], h.events[1:]...)
		h.lost++
	}
	h.events = append(h.events, e)
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
