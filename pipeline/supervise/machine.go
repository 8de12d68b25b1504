package supervise

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// machine is all that is known of one camera, and what follows from it. It is pure: it
// has no lock, no clock and no way to do anything but to return actions. Its owner calls
// step with one event at a time.
//
// What viewers get is either what the redactor makes, or a prepared slate (fallback):
//
//	          first output of the redactor, whole and behind the fence
//	fallback ─────────────────────────────────────────────────────────▶ redactor
//	         ◀─────────────────────────────────────────────────────────
//	          it ended, is silent, its encoder hangs, or it showed what was not whole
//
// and the redactor itself goes through phases, see there.
type machine struct {
	config *wire.Config
	lazy   bool // a redactor is started only for a camera that has sent something

	now     time.Time // of this step
	actions []action

	lastTick time.Time
	units    uint64 // of the camera so far: the number of the last one
	input    input
	queue    queue
	redactor redactor
	view     view
	proof    proof
	slates   preparedSlates
	stream   stream
	backlog  backlog
	waiting  []chan *transport.Still // for a snapshot
	status   status
	reporter reporter
	pictures pictureOutage
}

// input is what is known of what the camera sends.
type input struct {
	reason    string // why no units come; empty while they do
	connected connectionOutage
	picture   noPicture
}

// view is what viewers get.
type view struct {
	fallback *fallback // nil: what the redactor makes
	slateAt  time.Time // the last one
	// heldBack is set while a redactor that lives is covered for. Nothing is shown of
	// it then, nor later, that does not bear at least floor, the last fence. fenced is
	// when it was last told.
	heldBack     bool
	fence, floor uint64
	fenced       time.Time
}

// fallback is why viewers get prepared slates, and which.
type fallback struct {
	kind   wire.SpareClass
	fault  transport.Fault
	reason string
}

// starting covers the time before the first output of the first redactor, noVideo that
// before a camera's first unit.
var (
	starting = fallback{kind: wire.SpareStarting, reason: "starting"}
	noVideo  = fallback{kind: wire.SpareOffline, reason: "waiting for video from the camera"}
)

// newMachine returns a machine that has begun nothing yet. Lazy: there are slates that
// all cameras share, so no redactor is needed before the camera sends something.
func newMachine(c *wire.Config, shown string, lazy bool) *machine {
	m := &machine{
		config: c, lazy: lazy, view: view{fallback: &starting}, slates: newPreparedSlates(), stream: stream{camera: c.Camera}, status: newStatus(c, shown),
	}
	if lazy {
		m.view.fallback = &noVideo
	}
	m.input.connected.log, m.pictures.log = m.log, m.log
	return m
}

// follow goes on where the machine of another camera has ended.
func (m *machine) follow(b *machine) {
	m.slates.follow(&b.slates)
	m.stream.follow(&b.stream)
}

func (m *machine) do(a action) { m.actions = append(m.actions, a) }

func (m *machine) log(level slog.Level, msg string, args ...any) { m.do(logLine{level, msg, args}) }

// step takes an event and returns what is to be done, in order. Time never goes back
// between two steps.
func (m *machine) step(now time.Time, e event) []action {
	m.now = now
	switch e := e.(type) {
	case tick:
		m.tick()
	case unitArrived:
		m.unitArrived(e.unit)
	case sourceBegun:
		if e.again {
			m.status.s.Counters.Reconnects++
		}
	case sourceEnded:
		m.sourceEnded(e)
	case begun:
		m.begin(e.working)
	case sharedSlates:
		m.sharedSlates(e.list)
	case keyframeAsked:
		m.queue.command(wire.TypeKeyframe, wire.Keyframe{})
	case snapshotAsked:
		m.snapshotAsked(e.to)
	case snapshotLeft:
		m.snapshotLeft(e.to)
	case statusAsked:
		m.do(giveStatus{e.to, m.status.at(now)})
	case noticed:
		m.status.notice = e.text
	case sent:
		m.sent(e)
	case reported:
		m.reporter.busy = false
	default:
		m.process(e)
	}
	m.feed()
	if m.reporter.changed {
		m.report()
	}
	actions := m.actions
	m.actions = nil
	return actions
}

// process takes what is of a redactor, unless it is not the present one.
func (m *machine) process(e event) {
	switch e := e.(type) {
	case processStarted:
		if m.of(e.id, launching) {
			m.processStarted(e.pid)
		}
	case processEnded:
		if m.of(e.id, launching, greeting, up, ending) {
			m.processEnded(e.err)
		}
	case processBroken:
		if m.of(e.id, greeting, up) {
			m.kill(e.err)
		}
	case processExamined:
		if m.of(e.id, greeting, up) {
			m.examined(e)
		}
	case written:
		if m.of(e.id, greeting, up) {
			m.redactor.life.writing = false
		}
	case slateMade:
		if m.of(e.id, greeting, up) {
			m.slateMade(e.slate)
		}
	case hello:
		if m.due(e.id, greeting, wire.TypeHello) {
			m.hello(&e.head)
		}
	case heartbeat:
		if m.due(e.id, up, wire.TypeBeat) {
			m.heard(time.Duration(e.head.Encoding))
		}
	case output:
		if m.due(e.id, up, wire.TypeOutput) {
			m.output(e)
		}
	case snapshotMade:
		if m.due(e.id, up, wire.TypeShot) {
			m.snapshotMade(e)
		}
	}
}

func (m *machine) begin(working bool) {
	m.reporter.working, m.reporter.busy = true, false
	m.backlog = backlog{}
	m.report()
	switch {
	case !working:
		m.redactor.phase = off
	case !m.lazy:
		m.start()
	}
}

// tick does what time demands.
func (m *machine) tick() {
	// Time in which this program itself stood still is not the redactor's.
	if late := m.now.Sub(m.lastTick) - tickInterval; !m.lastTick.IsZero() && late > 0 {
		m.redactor.life.excuse(late, m.now)
	}
	m.lastTick = m.now
	m.watchRedactor()
	m.showSlate()
	m.watchPictures()
	if m.reporter.due(m.now) {
		s := m.status.at(m.now)
		m.pictures.look(m.now, &s)
		m.report()
	}
}

// unitArrived takes a unit of the camera. It proves whether the one before was whole.
func (m *machine) unitArrived(u transport.CameraUnit) {
	m.units++
	u.Number = m.units
	m.input.connected.unit(m.now)
	m.input.reason, m.input.picture.came = "", m.now
	m.status.arrived.add(m.now)
	switch {
	case m.proof.provisional == 0:
	case u.Discontinuity != "":
		m.refuse()
	default:
		out, snapshot := m.proof.accept()
		if out != nil {
			m.pass(out)
		}
		if snapshot != nil {
			m.passSnapshot(snapshot)
		}
	}
	if u.Unproven {
		m.proof.provisional = u.Number
	}
	dropped := m.queue.unit(&u)
	m.status.s.Counters.UnitsIn++
	m.status.s.Counters.UnitsDropped += uint64(dropped) //nolint:gosec // a count
	if m.redactor.phase == idle {
		m.start()
	}
}

// refuse drops what was made of a unit that was not whole, also where that is still to
// come, and all that goes on from it.
func (m *machine) refuse() {
	m.proof.refuse()
	if m.proof.forget() {
		m.askSnapshot()
	}
	m.breakOff()
}

// breakOff covers for a redactor that has coded what is not shown, up to a key frame.
func (m *machine) breakOff() {
	if m.redactor.phase == up && m.view.fallback == nil {
		m.holdBack(fallback{wire.SpareStarting, transport.FaultLoss, "picture without end"})
	}
}

func (m *machine) sourceEnded(e sourceEnded) {
	m.input.connected.failed(m.now, e.detail, e.delay)
	m.pictures.logged(m.now, e.reason, e.delay)
	m.queue.command(wire.TypeInput, wire.Input{Reason: e.reason})
	m.input.reason = e.reason
	m.input.picture.paused()
	if m.redactor.phase == idle {
		m.fallBack(fallback{wire.SpareOffline, transport.FaultCamera, e.reason})
	}
}

// watchPictures ends a connection from which no picture could be shown for too long.
func (m *machine) watchPictures() {
	after, ok := m.input.picture.tooLong(m.now, m.config.Lookahead)
	if ok {
		p := &m.input.picture
		m.do(reconnect{&noPictureError{camera: m.config.Camera, reason: m.status.history.reason, after: after, own: p.own}})
	}
}

// seen notes what viewers got of the redactor.
func (m *machine) seen(state transport.State, fault transport.Fault) {
	switch p := &m.input.picture; {
	case state == transport.StateLive:
		p.shown()
	case m.input.reason != "":
		p.paused()
	default:
		p.hidden(m.now, fault)
	}
}

// sharedSlates keeps those, for as long as the camera's own redactor has made none. If
// there will be none its own has to say what is wrong.
func (m *machine) sharedSlates(list []slate) {
	for _, s := range list {
		m.slates.keep(s, false)
	}
	m.giveSlate()
	if len(list) == 0 && m.redactor.phase == idle {
		m.start()
	}
}

func (m *machine) slateMade(s slate) {
	m.slates.keep(s, m.redactor.phase == up)
	if s.Still {
		m.giveSlate()
	}
}

// Fallback.

// fallBack begins to show slates. Whoever waits for a snapshot gets the slate: that for
// which the redactor was asked may never come.
func (m *machine) fallBack(f fallback) {
	m.view.fallback, m.view.slateAt = &f, time.Time{}
	m.giveSlate()
	m.showSlate()
}

// holdBack shows slates for a redactor that lives. What it had under way is not shown
// any more should it come back: it goes on with a key frame that it is asked for now.
func (m *machine) holdBack(f fallback) {
	v := &m.view
	v.fence++
	v.floor, v.heldBack = v.fence, true
	m.askFence()
	if m.proof.forget() {
		m.askSnapshot()
	}
	m.fallBack(f)
}

func (m *machine) askFence() {
	m.view.fenced = m.now
	m.queue.command(wire.TypeKeyframe, wire.Keyframe{Fence: m.view.fence})
}

// showSlate publishes the next slate when one is due.
func (m *machine) showSlate() {
	v := &m.view
	if v.fallback == nil || m.now.Sub(v.slateAt) < slateInterval {
		return
	}
	v.slateAt = m.now
	s := m.slates.next(v.fallback.kind)
	if s == nil {
		m.note(v.fallback.withoutSlate(), v.fallback.fault, v.fallback.reason)
		return
	}
	if !m.admits(true, len(s.data)) {
		return
	}
	u := &transport.RedactedUnit{
		Captured: m.now, Key: true, Codec: s.Codec, Width: s.Width, Height: s.Height, State: transport.StateObscured,
		Reason: v.fallback.reason, Data: s.data,
	}
	m.stream.slate(u, s.form(), m.now)
	m.do(publish{u, nil})
	m.status.s.Counters.Slates++
	m.status.published(u)
	m.note(v.fallback.state(), v.fallback.fault, v.fallback.reason)
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
// it has not begun.
func (f *fallback) withoutSlate() transport.State {
	switch {
	case *f == starting, *f == noVideo:
		return transport.StateStarting
	case f.kind == wire.SpareOffline:
		return transport.StateObscured
	}
	return transport.StateFailed
}

// note takes the camera's state.
func (m *machine) note(state transport.State, fault transport.Fault, reason string) {
	if state == transport.StateStarting {
		return // it is that from the beginning
	}
	if m.status.history.Note(m.now, state, fault, reason) {
		m.reporter.changed = true
	}
}

// Output of the redactor.

// output checks what a redactor has made, and publishes it or keeps it back.
func (m *machine) output(e output) {
	r := &m.redactor
	if err := checkOutput(e.head, e.data, r.life.epoch); err != nil {
		m.kill(fmt.Errorf("%w: %w", errProtocol, err))
		return
	}
	o := e.head
	r.life.heard = m.now
	r.life.sent++
	if o.Fence < m.view.floor {
		return // from before it hung
	}
	var unit uint64
	if o.Record != nil {
		unit = o.Record.Unit
	}
	another := m.view.fallback != nil || !m.stream.continues(e.id, o.Epoch)
	x := &made{e.id, o, redacted(o, e.data)}
	switch p := &m.proof; {
	case p.output != nil && !p.waits(unit): // the camera is silent, and this goes on from what is not shown
		m.refuse()
		m.queue.command(wire.TypeKeyframe, wire.Keyframe{})
	case another && !o.Key: // of no use without what was not shown
	case p.isRefused(unit):
		m.breakOff() // what comes next goes on from it
	case p.waits(unit):
		p.output = x
	default:
		m.pass(x)
	}
}

// pass publishes a unit.
func (m *machine) pass(x *made) {
	if !m.admits(x.unit.Key, len(x.unit.Data)) {
		return
	}
	if m.view.fallback != nil && len(m.waiting) > 0 {
		m.askSnapshot()
	}
	m.view.fallback, m.redactor.life.encoding, m.view.heldBack = nil, 0, false
	u, o := x.unit, x.head
	m.stream.made(u, x.id, m.now)
	m.do(publish{u, o.Record})
	m.status.output(m.now, u, o)
	if u.State == transport.StateLive {
		m.seen(u.State, "")
		m.note(u.State, "", "")
		return
	}
	reason := u.Reason
	if m.input.reason != "" {
		reason = m.input.reason
	}
	m.note(u.State, o.Fault.Known(), reason)
	m.seen(u.State, o.Fault.Known())
}

// admits reports whether the bus may be given a unit.
func (m *machine) admits(key bool, bytes int) bool {
	if m.backlog.admits(key, bytes) {
		return true
	}
	m.reporter.lose(m.now, m.log, "the bus does not take it")
	m.input.picture.paused() // nobody knows what would be shown
	return false
}

func (m *machine) sent(e sent) {
	if m.backlog.sent(e.bytes) {
		m.queue.command(wire.TypeKeyframe, wire.Keyframe{})
	}
	if e.err != nil {
		m.reporter.lose(m.now, m.log, e.err.Error())
		return
	}
	m.status.s.Counters.BytesOut += uint64(e.bytes) //nolint:gosec // a length
}

// report tells what has changed, and the status, unless the last report is not taken
// yet: then that follows.
func (m *machine) report() {
	r := &m.reporter
	if !r.working || r.busy {
		return
	}
	events, lost := m.status.history.Events()
	if lost > 0 {
		m.log(slog.LevelWarn, "events were dropped, the camera's state changes too fast", "events", lost)
	}
	for i := range events {
		events[i].Site, events[i].Camera = m.config.Site, m.config.Camera
	}
	r.busy, r.changed = true, false
	m.do(report{events, m.status.at(m.now)})
}

// end returns the last report.
func (m *machine) end(now time.Time) []action {
	m.now = now
	m.reporter.busy = false
	m.report()
	m.reporter.working = false
	actions := m.actions
	m.actions = nil
	return actions
}

// Snapshots.

func (m *machine) snapshotAsked(to chan *transport.Still) {
	if s := m.slateSnapshot(); s != nil {
		m.do(giveSnapshot{to, s})
		return
	}
	m.waiting = append(m.waiting, to)
	m.askSnapshot()
}

func (m *machine) snapshotLeft(gone chan *transport.Still) {
	kept := m.waiting[:0]
	for _, ch := range m.waiting {
		if ch != gone {
			kept = append(kept, ch)
		}
	}
	clear(m.waiting[len(kept):])
	m.waiting = kept
}

// askSnapshot asks the redactor for one, also in the place of one that was dropped:
// whoever waited for that one waits still.
func (m *machine) askSnapshot() { m.queue.command(wire.TypeSnapshot, wire.Snapshot{}) }

// snapshotMade takes a snapshot of what a redactor has coded. It is handed on if that
// is shown, and as late as it is: it waits for the same proof.
func (m *machine) snapshotMade(e snapshotMade) {
	if err := checkSnapshot(e.head, e.data); err != nil {
		m.kill(fmt.Errorf("%w: %w", errProtocol, err))
		return
	}
	m.redactor.life.heard = m.now
	w := e.head
	x := &taken{e.id, w, &transport.Still{
		Camera: m.config.Camera, Captured: time.Unix(0, w.Captured), Width: w.Width, Height: w.Height,
		State: w.State, Reason: oneLine(w.Reason), JPEG: e.data,
	}}
	switch p := &m.proof; {
	case p.isRefused(w.Unit):
		m.askSnapshot()
	case p.waits(w.Unit):
		p.snapshot = x
	default:
		m.passSnapshot(x)
	}
}

// passSnapshot hands a snapshot to those who wait for one, if viewers see what the
// redactor has coded. If not they get what fallBack gives them, or wait until they do.
func (m *machine) passSnapshot(x *taken) {
	if m.view.fallback == nil && x.head.Fence >= m.view.floor {
		m.give(x.what)
	}
}

// giveSlate hands the slate that viewers get to those who wait.
func (m *machine) giveSlate() {
	if s := m.slateSnapshot(); s != nil {
		m.give(s)
	}
}

func (m *machine) give(s *transport.Still) {
	for _, ch := range m.waiting {
		m.do(giveSnapshot{ch, s})
	}
	m.waiting = nil
}

// slateSnapshot is the slate that viewers get, as a snapshot; nil when they get none.
func (m *machine) slateSnapshot() *transport.Still {
	f := m.view.fallback
	if f == nil {
		return nil
	}
	s, ok := m.slates.jpeg[f.kind]
	if !ok {
		return nil
	}
	return &transport.Still{
		Camera: m.config.Camera, Captured: m.now, Width: s.Width, Height: s.Height,
		State: transport.StateObscured, Reason: f.reason, JPEG: s.data,
	}
}

// Hello.

// hello takes the greeting of a redactor.
func (m *machine) hello(h *wire.Hello) {
	r := &m.redactor
	first := !r.wasUp
	r.phase, r.wasUp = up, true
	m.heard(0)
	m.status.hello(h)
	m.log(slog.LevelInfo, "redactor is up", "detector", oneLine(h.Detector), "epoch", r.life.epoch, "pid", r.life.pid,
		"sandbox", oneLine(strings.Join(h.Sandbox.Holding(), " ")))
	if missing := h.Sandbox.Missing(); first && len(missing) > 0 {
		m.log(slog.LevelWarn, "redactor is not fully confined", "missing", oneLine(strings.Join(missing, "; ")))
	}
	if h.Warning != "" {
		m.log(slog.LevelWarn, oneLine(h.Warning))
	}
	if m.input.reason != "" {
		m.queue.first(wire.TypeInput, wire.Input{Reason: m.input.reason})
	}
}

// fallbackFor is what viewers get after a redactor ended with an error.
func fallbackFor(err error) fallback {
	reason := oneLine(err.Error())
	if p, ok := errors.AsType[publicError](err); ok {
		reason = oneLine(p.Public())
	}
	switch {
	case errors.Is(err, ErrPermanent):
		return fallback{wire.SpareFailed, transport.FaultConfig, reason}
	case errors.Is(err, errStarved):
		return fallback{wire.SpareStarting, transport.FaultOverload, reason}
	case errors.Is(err, errSilent), errors.Is(err, errSpun):
		return fallback{wire.SpareStarting, transport.FaultHang, reason}
	}
	return fallback{wire.SpareStarting, transport.FaultCrash, reason}
}
