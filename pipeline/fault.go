package pipeline

import (
	"sync"
	"time"

	"scrim/pipeline/wire"
	"scrim/redact"
	"scrim/transport"
)

// shutting is why the pipeline itself has shut the gate last.
type shutting struct {
	reason string
	fault  transport.Fault
}

// redactFaults are the faults behind the reasons of package redact.
var redactFaults = map[string]transport.Fault{
	redact.ReasonOrder:     transport.FaultCertificate,
	redact.ReasonSelfTest:  transport.FaultSelfTest,
	redact.ReasonDetection: transport.FaultDetector,
	redact.ReasonTracking:  transport.FaultTracker,
	redact.ReasonAnother:   transport.FaultCertificate,
	redact.ReasonObscuring: transport.FaultObscurer,
	redact.ReasonSecond:    transport.FaultDetector,
	redact.ReasonInspect:   transport.FaultCertificate,
	redact.ReasonPanic:     transport.FaultPanic,
}

// shut shuts the gate and remembers what kind of fault it is for.
func (p *Pipeline) shut(fault transport.Fault, reason string) (chain uint64) {
	p.why.Store(&shutting{reason, fault})
	return p.gate.Shut(reason)
}

// faultOf returns the fault behind a reason that a slate shows.
func (p *Pipeline) faultOf(reason string) transport.Fault {
	switch reason {
	case reasonStarting, reasonWaiting:
		return ""
	case reasonStalled:
		return transport.FaultStall
	case reasonOverflow:
		return transport.FaultOverflow
	}
	if f, ok := redactFaults[reason]; ok {
		return f
	}
	if w := p.why.Load(); w != nil && w.reason == reason {
		return w.fault
	}
	return transport.FaultOther
}

// gapFault is the fault behind a discontinuity that ingest or the worker tells.
func gapFault(discontinuity string) transport.Fault {
	switch discontinuity {
	case wire.ReasonLate:
		return transport.FaultOverflow
	case wire.ReasonRestarted: // the worker has said so
		return ""
	}
	return transport.FaultLoss
}

// overflowSpan is how long ago a dropped picture still counts.
const overflowSpan = time.Second

// overflow notices that a queue does not even out any more: that more is
// dropped within overflowSpan than it holds. That is told once, until for as long
// nothing was dropped. It is safe for concurrent use.
type overflow struct {
	mu    sync.Mutex
	drops []time.Time
	going bool
	due   bool
}

// drop notes a picture that was dropped from a queue that holds limit.
func (o *overflow) drop(now time.Time, limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.drops); n > 0 && now.Sub(o.drops[n-1]) > overflowSpan {
		o.drops, o.going = o.drops[:0], false
	}
	o.drops = append(o.drops, now)
	if len(o.drops) > limit+1 { // the last ones are all that matters
		o.drops = append(o.drops[:0], o.drops[1:]...)
	}
	if len(o.drops) > limit && now.Sub(o.drops[0]) <= overflowSpan && !o.going {
		o.going, o.due = true, true
	}
}

// take reports whether there is an overflow that viewers were not told.
func (o *overflow) take() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	due := o.due
	o.due = false
	return due
}
