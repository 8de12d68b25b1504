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
	fallback  *fallback // nil: what the redactor makes
	lastSlate time.Time // the last one
	// heldBack is set while a redactor that lives is covered for. Nothing is shown of
	// it then, nor later, that does not bear at least floor, the last fence. fenced is
	// when it was last told. worked is set when it has worked since the last fence was
	// raised.
	heldBack        bool
	progressed      bool
	fence, minFence uint64
	fenceRequested  time.Time
}

// fallback is why viewers get prepared slates, and which.
type fallback struct {
	kind   ipc.SlateKind
	fault  transport.Fault
	reason string
}

// starting covers the time before the first output of the first redactor, noVideo that
// before a camera's first unit.
var (
	starting = fallback{kind: ipc.SlateStarting, reason: "starting"}
	noVideo  = fallback{kind: ipc.SlateOffline, reason: "waiting for video from the camera"}
)

// fallbackFor is what viewers get after a redactor ended with an error.
func fallbackFor(err error) fallback {
	reason := oneLine(err.Error())
	if p, ok := errors.AsType[publicError](err); ok {
		reason = oneLine(p.Public())
	}
	switch {
	case errors.Is(err, ErrPermanent):
		return fallback{ipc.SlateFailed, transport.FaultConfig, reason}
	case errors.Is(err, errStarved):
		return fallback{ipc.SlateStarting, transport.FaultOverload, reason}
	case errors.Is(err, errSilent), errors.Is(err, errSpun):
		return fallback{ipc.SlateStarting, transport.FaultHang, reason}
	}
	return fallback{ipc.SlateStarting, transport.FaultCrash, reason}
}

// fallBack begins to show slates. Whoever waits for a snapshot gets the slate: that for
// which the redactor was asked may never come.
func (m *machine) startFallback(f fallback) {
	m.view.fallback, m.view.lastSlate = &f, time.Time{}
	m.answerWithSlate()
	m.emitSlate()
}

// holdBack shows slates for a redactor that lives. What it had under way is not shown
// any more should it come back: it goes on with a key frame that it is asked for now.
func (m *machine) holdBack(f fallback) {
	v := &m.view
	v.fence++
	v.minFence, v.heldBack, v.progressed = v.fence, true, false
	m.requestFence()
	if m.provisional.drop() {
		m.askRedactorForSnapshot()
	}
	if v.fallback == nil || *v.fallback != f { // else its slates go on
		m.startFallback(f)
	}
}

func (m *machine) requestFence() {
	m.view.fenceRequested = m.now
	m.queue.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{Fence: m.view.fence})
}

// showSlate publishes the next slate when one is due.
func (m *machine) emitSlate() {
	v := &m.view
	if v.fallback == nil || m.now.Sub(v.lastSlate) < slateInterval {
		return
	}
	v.lastSlate = m.now
	s := m.slates.next(v.fallback.kind)
	if s == nil {
		m.setState(m.stateWithoutSlate(), v.fallback.fault, v.fallback.reason)
		return
	}
	m.setState(v.fallback.state(), v.fallback.fault, v.fallback.reason)
	if !m.admitUnit(true, len(s.data)) {
		return
	}
	u := &transport.RedactedUnit{
		Captured: m.now, Key: true, Codec: s.Codec, Width: s.Width, Height: s.Height, State: transport.StateObscured,
		Reason: v.fallback.reason, Data: s.data,
	}
	m.stream.appendSlate(u, s.form(), m.now)
	m.act(publish{u, nil})
	m.status.s.Counters.Slates++
	m.status.published(u)
}

// state is what a camera is in whose slates are shown for this. A redactor that cannot
// work is not obscured for a while: somebody has to mend it.
func (f *fallback) state() transport.State {
	if f.fault == transport.FaultConfig {
		return transport.StateFailed
	}
	return transport.StateObscured
}

// withoutSlate is the state while there is nothing to show: the video has failed, unless
// it has not begun, or the slates that all cameras share are still to come. In both
// states the page covers the last picture by itself.
func (m *machine) stateWithoutSlate() transport.State {
	if f := m.view.fallback; *f == starting || *f == noVideo || m.redactor.phase == idle {
		return transport.StateStarting
	}
	return transport.StateFailed
}

// note takes the camera's state.
func (m *machine) setState(state transport.State, fault transport.Fault, reason string) {
	if state == transport.StateStarting {
		return // it is that from the beginning
	}
	if m.status.history.Note(m.now, state, fault, reason) {
		m.reporter.changed = true
	}
}

// output checks what a redactor has made, and publishes it or keeps it back.
func (m *machine) handleOutput(id int, o *ipc.Output, data []byte) error {
	if err := checkOutput(o, data, m.redactor.process.epoch); err != nil {
		return err
	}
	m.redactor.process.outputs++
	m.redactor.process.lastOutput = m.now
	m.redactor.process.encodingSince = time.Time{}
	m.noteProgress()
	if o.Fence < m.view.minFence {
		return nil // from before it hung
	}
	var unit uint64
	if o.Record != nil {
		unit = o.Record.Unit
	}
	another := m.view.fallback != nil || !m.stream.continues(id, o.Epoch)
	x := &heldOutput{id, o, redacted(o, data)}
	switch p := &m.provisional; {
	case p.output != nil && !p.holds(unit): // the camera is silent, and this goes on from what is not shown
		m.rejectProvisional()
		m.queue.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
	case another && !o.Key: // of no use without what was not shown
	case p.isRejected(unit):
		m.requireKeyframe() // what comes next goes on from it
	case p.holds(unit):
		p.output = x
	default:
		m.publishOutput(x)
	}
	return nil
}

// pass publishes a unit.
func (m *machine) publishOutput(x *heldOutput) {
	if !m.admitUnit(x.unit.Key, len(x.unit.Data)) {
		return
	}
	if m.view.fallback != nil && len(m.snapshotRequests) > 0 {
		m.askRedactorForSnapshot()
	}
	m.view.fallback, m.view.heldBack = nil, false
	u, o := x.unit, x.head
	m.stream.appendOutput(u, x.id, m.now)
	m.act(publish{u, o.Record})
	m.status.output(m.now, u, o)
	if u.State == transport.StateLive {
		m.trackShown(u.State, "")
		m.setState(u.State, "", "")
		return
	}
	reason := u.Reason
	if m.input.lostReason != "" {
		reason = m.input.lostReason
	}
	m.setState(u.State, o.Fault.Known(), reason)
	m.trackShown(u.State, o.Fault.Known())
}

// admits reports whether the bus may be given a unit.
func (m *machine) admitUnit(key bool, bytes int) bool {
	if m.backlog.admit(key, bytes) {
		return true
	}
	m.reporter.unitLost(m.now, m.log, "the bus does not take it")
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

// report tells what has changed, and the status, unless the last report is not taken
// yet: then that follows.
func (m *machine) report() {
	r := &m.reporter
	if !r.enabled || r.pending {
		return
	}
	events, lost := m.status.history.Events()
	if lost > 0 {
		m.log(slog.LevelWarn, "events were dropped, the camera's state changes too fast", "events", lost)
	}
	for i := range events {
		events[i].Site, events[i].Camera = m.config.Site, m.config.Camera
	}
	r.pending, r.changed = true, false
	m.act(report{events, m.status.at(m.now)})
}
