package pipeline

import (
	"sync"
	"time"

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
func (p *Pipeline) shut(fault transport.Fault, reason string) (generation uint64) {
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

// gapFault returns the fault behind a gap that ingest or the worker reports.
func (p *Pipeline) gapFault(kind transport.GapKind) transport.Fault {
	switch kind {
	case transport.GapLate:
		if !p.overflow.watching() { // units have waited for the redactor to come up
			return ""
		}
		return transport.FaultOverflow
	case transport.GapRestarted, transport.GapConnected: // the worker has said so, or that there was no connection
		return ""
	}
	return transport.FaultLoss
}

const (
	// overflowSpan is how long ago a dropped picture still counts.
	overflowSpan = time.Second
	// backlogSpan is for how long after the first picture there may be pictures
	// that came before it: the worker holds back some four seconds. It keeps a clock
	// that was set back from hiding an overflow for longer.
	backlogSpan = 5 * time.Second
)

// overflow notices that a queue does not even out any more: that more is
// dropped within overflowSpan than it holds. That is told once, until for as long
// nothing was dropped. What has come before the first picture was shown is the
// backlog of a start, of which it is not said that it is dropped. It is safe for
// concurrent use.
type overflow struct {
	mu    sync.Mutex
	began time.Time // when the first picture was shown; zero: not yet
	drops []time.Time
	going bool
	due   bool
}

// begin notes that a picture is shown; only the first counts.
func (o *overflow) begin(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.began.IsZero() {
		o.began = now
	}
}

// watching reports whether a picture was shown.
func (o *overflow) watching() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.began.IsZero()
}

// drop notes a picture that was dropped from a queue that holds limit, and when
// it had arrived.
func (o *overflow) drop(now, arrived time.Time, limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.began.IsZero() || arrived.Before(o.began) && now.Sub(o.began) < backlogSpan {
		return
	}
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
