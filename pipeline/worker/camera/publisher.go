package camera

import (
	"errors"
	"log/slog"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// view is what viewers get.
type view struct {
	// fallback is why they get prepared slates; nil: they get the redactor's output. Its
	// last was a picture or a slate, in this state for this reason. unproved is why the
	// detector may not see in that picture, or in the one behind the slate.
	fallback *fallback
	state    transport.State
	picture  bool
	fault    transport.Fault
	reason   string
	unproved transport.BlindReason

	emitted   fallback // the last prepared slate's
	lastSlate time.Time

	// heldBack is set while output of a running redactor is not shown. From then on only
	// output behind minFence, the last fence, is shown. fenceRequested is when the
	// redactor was last sent it. progressed is set when the redactor has worked since the
	// last fence was raised.
	heldBack        bool
	progressed      bool
	fence, minFence uint64
	fenceRequested  time.Time
}

// fallback is why viewers get prepared slates, and their kind.
type fallback struct {
	kind   ipc.SlateKind
	fault  transport.Fault
	reason string
}

// starting is shown until the first output of the first redactor.
var starting = fallback{kind: ipc.SlateStarting, reason: "starting"}

// fallbackFor is what viewers get after a redactor ended with an error.
func fallbackFor(err error) fallback {
	f := fallback{ipc.SlateStarting, transport.FaultCrash, publicText(err, err.Error())}
	switch {
	case errors.Is(err, ErrPermanent):
		f.kind, f.fault = ipc.SlateFailed, transport.FaultConfig
	case errors.Is(err, errStarved):
		f.fault = transport.FaultOverload
	case errors.Is(err, errSilent), errors.Is(err, errSpun):
		f.fault = transport.FaultHang
	}
	return f
}

// startFallback begins to show slates. Those who wait for a snapshot get the slate: the
// one that the redactor was asked for may never come.
func (m *machine) startFallback(f fallback) {
	m.view.fallback, m.view.lastSlate = &f, time.Time{}
	m.emitSlate()
}

// holdBack shows slates while the redactor runs. Output that it was working on is not
// shown if it comes back: it must begin again with the key frame that it is asked for now.
func (m *machine) holdBack(f fallback) {
	v := &m.view
	v.fence++
	v.minFence, v.heldBack, v.progressed = v.fence, true, false
	m.requestFence()
	m.dropHeldOutput()
	if v.fallback == nil || *v.fallback != f { // else its slates go on
		m.startFallback(f)
	}
}

func (m *machine) requestFence() {
	m.view.fenceRequested = m.now
	m.queue.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{Fence: m.view.fence})
}

// emitSlate publishes the next prepared slate when one is due.
func (m *machine) emitSlate() {
	v, f := &m.view, m.fallback()
	if f == nil || *f == v.emitted && m.now.Sub(v.lastSlate) < slateInterval {
		return
	}
	v.emitted, v.lastSlate = *f, m.now
	m.answerWithSlate()
	s := m.slates.next(f.kind)
	if s == nil || !m.admitUnit(true, len(s.data)) {
		return
	}
	u := &transport.RedactedUnit{
		Captured: m.now, Key: true, Codec: s.Codec, Width: s.Width, Height: s.Height, State: f.unitState(), Reason: f.reason, Data: s.data,
	}
	m.stream.appendSlate(u, s.form(), m.now)
	m.act(publish{u, nil})
	m.status.s.Counters.Slates++
	m.status.published(u)
}

// unitState is the state of the slate as a unit or a snapshot.
func (f *fallback) unitState() transport.State {
	if f.kind == ipc.SlateOffline {
		return transport.StateOffline
	}
	return transport.StateObscured
}

// handleOutput checks a redactor's output, and publishes it or holds it back.
func (m *machine) handleOutput(id int, o *ipc.Output, data []byte) error {
	if err := checkOutput(o, data, m.redactor.process.epoch); err != nil {
		return err
	}
	p := &m.redactor.process
	p.outputs++
	p.lastOutput, p.encodingSince = m.now, time.Time{}
	m.noteProgress()
	if o.Fence < m.view.minFence {
		return nil // from before it hung
	}
	var unit uint64
	if o.Record != nil {
		unit = o.Record.Unit
	}
	isNewStream := m.view.fallback != nil || !m.stream.continues(id, o.Epoch)
	x := &heldOutput{id, o, redacted(o, data)}
	switch held := &m.provisional; {
	case held.output != nil && !held.holds(unit): // the camera is silent, and this continues output that is not shown
		m.rejectProvisional()
		m.queue.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
	case isNewStream && !o.Key: // of no use without output that was not shown
	case held.isRejected(unit):
		m.requireKeyframe() // what comes next depends on it
	case held.holds(unit):
		held.output = x
	default:
		m.publishOutput(x)
	}
	return nil
}

func (m *machine) publishOutput(x *heldOutput) {
	if !m.admitUnit(x.unit.Key, len(x.unit.Data)) {
		return
	}
	v, u, o := &m.view, x.unit, x.head
	if v.fallback != nil && len(m.snapshotRequests) > 0 {
		m.askRedactorForSnapshot()
	}
	v.fallback, v.heldBack = nil, false
	if u.State == transport.StateBlind && v.state == transport.StateBlind && u.Reason == "" { // it sees, but not for long enough
		u.Reason = v.reason
	}
	v.state, v.picture, v.fault, v.reason, v.unproved = u.State, o.Record != nil, o.Fault.Known(), u.Reason, o.Unproved.Known()
	m.trackNoPicture()
	if offline := m.input.offline(m.now); offline != "" && !v.picture {
		u.State, u.Reason = transport.StateOffline, offline
	}
	if u.State == transport.StateLive || u.State == transport.StateBlind {
		u.CoveredBy = m.coveredBy()
	}
	m.stream.appendOutput(u, x.id, m.now)
	m.act(publish{u, o.Record})
	m.status.output(m.now, u, o)
	m.status.sight.output(m.now, x.id, u, o, &m.config.Detect)
}

// trackNoPicture notes whether viewers got a picture. A picture in which the detector may
// not see is as good as shown: no key frame would help.
func (m *machine) trackNoPicture() {
	switch p, v := &m.input.noPicture, &m.view; {
	case v.picture, v.state == transport.StateBlind, v.fault == transport.FaultBlind:
		p.shown()
	case m.input.reason != "":
		p.reset()
	default:
		p.hidden(m.now, m.view.fault)
	}
}

// admitUnit reports whether a unit may go to the bus.
func (m *machine) admitUnit(key bool, bytes int) bool {
	if m.backlog.admit(key, bytes) {
		return true
	}
	m.reporter.unitLost(m.now, m.log, "the bus does not accept it")
	m.input.noPicture.reset() // nobody knows what would be shown
	return false
}

func (m *machine) unitSent(e unitSent) {
	if m.backlog.sent(e.bytes) {
		m.queue.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
	}
	if e.err != nil {
		m.reporter.unitLost(m.now, m.log, e.err.Error())
		return
	}
	m.status.s.Counters.BytesOut += uint64(e.bytes) //nolint:gosec // a length
}

// report publishes the changes of state, and the status. While the bus has not accepted
// the last report, that waits.
func (m *machine) report() {
	r := &m.reporter
	if !r.enabled || r.pending {
		return
	}
	events, lost := m.status.history.Events()
	if lost > 0 {
		m.log(slog.LevelWarn, "events dropped: the camera's state changes too fast", "events", lost)
	}
	for i := range events {
		events[i].Site, events[i].Camera = m.config.Site, m.config.Camera
	}
	r.pending, r.changed = true, false
	m.act(report{events, m.status.at(m.now)})
}
