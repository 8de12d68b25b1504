package camera

import (
	"fmt"
	"log/slog"
	"time"

	"scrim/pipeline/ipc"
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
	config *ipc.Config
	lazy   bool // a redactor is started only for a camera that has sent something

	now     time.Time // of this step
	actions []action

	lastTick         time.Time
	units            uint64 // of the camera so far: the number of the last one
	input            input
	queue            queue
	redactor         redactor
	view             view
	provisional      provisionalUnit
	slates           preparedSlates
	stream           stream
	backlog          backlog
	snapshotRequests []chan *transport.Snapshot // for a snapshot
	status           status
	reporter         reporter
	pictureOutage    pictureOutage
}

// input is what is known of what the camera sends.
type input struct {
	lostReason string // why no units come; empty while they do
	connection connectionOutage
	noPicture  noPicture
}

// newMachine returns a machine that has begun nothing yet. Lazy: there are slates that
// all cameras share, so no redactor is needed before the camera sends something.
func newMachine(c *ipc.Config, shown string, lazy bool) *machine {
	m := &machine{
		config: c, lazy: lazy, view: view{fallback: &starting}, slates: newPreparedSlates(), stream: stream{camera: c.Camera}, status: newStatus(c, shown),
	}
	if lazy {
		m.view.fallback = &noVideo
	}
	m.input.connection.log, m.pictureOutage.log = m.log, m.log
	return m
}

// follow goes on where the machine of another camera has ended. One that has sent
// something will again: it does not wait for that.
func (m *machine) continueFrom(b *machine) {
	m.slates.continueFrom(&b.slates)
	m.stream.continueFrom(&b.stream)
	if b.units > 0 {
		m.lazy, m.view.fallback = false, &starting
	}
}

func (m *machine) act(a action) { m.actions = append(m.actions, a) }

func (m *machine) log(level slog.Level, msg string, args ...any) { m.act(logLine{level, msg, args}) }

// step takes an event and returns what is to be done, in order. Time never goes back
// between two steps.
func (m *machine) step(now time.Time, e event) []action {
	m.now = now
	switch e := e.(type) {
	case tick:
		m.tick()
	case unitArrived:
		m.unitArrived(e.unit)
	case connecting:
		if e.again {
			m.status.s.Counters.Reconnects++
		}
	case sourceEnded:
		m.sourceEnded(e)
	case runStarted:
		m.begin(e.working)
	case sharedSlatesReady:
		m.adoptSharedSlates(e.list)
	case redactorNeeded:
		m.ensureRedactor()
	case keyframeRequested:
		m.queue.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
	case snapshotRequested:
		m.requestSnapshot(e.to)
	case snapshotCanceled:
		m.cancelSnapshot(e.to)
	case statusRequested:
		m.act(returnStatus{e.to, m.status.at(now)})
	case noticeChanged:
		m.status.notice = e.text
	case unitSent:
		m.unitSent(e)
	case reportSent:
		m.reporter.pending = false
	default:
		m.handleProcessEvent(e)
	}
	m.feed()
	if m.reporter.changed {
		m.report()
	}
	actions := m.actions
	m.actions = nil
	return actions
}

// take takes an event and has all be performed that follows from it. What an action is
// answered with at once is an event of its own, which has to wait for the rest of the
// actions: what it makes be published comes after what was to be published before it.
func (m *machine) handle(clock func() time.Time, e event, perform func(action) (answer event)) {
	for events := []event{e}; len(events) > 0; events = events[1:] {
		for _, a := range m.step(clock(), events[0]) {
			if answer := perform(a); answer != nil {
				events = append(events, answer)
			}
		}
	}
}

// process takes what is of a redactor, unless it is not the present one.
func (m *machine) handleProcessEvent(e event) {
	switch e := e.(type) {
	case processStarted:
		if m.isCurrent(e.id, launching) {
			m.processStarted(e.pid)
		}
	case processEnded:
		if m.isCurrent(e.id, launching, configuring, running, stopping) {
			m.processEnded(e.err)
		}
	case processBroken:
		if m.isCurrent(e.id, configuring, running) {
			m.killRedactor(e.err)
		}
	case processExamined:
		if m.isCurrent(e.id, configuring, running) {
			m.examined(e)
		}
	case writeDone:
		if m.isCurrent(e.id, configuring, running) {
			m.redactor.process.writing = false
		}
	case messageReceived:
		if m.isCurrent(e.id, configuring, running) {
			if err := m.handleMessage(e); err != nil {
				m.killRedactor(fmt.Errorf("%w: %w", errProtocol, err))
			}
		}
	}
}

// said takes a message. One that is too early, or that no redactor sends, ends it.
func (m *machine) handleMessage(e messageReceived) error {
	if s, ok := e.head.(*ipc.PreparedSlate); ok {
		return m.keepSlate(slate{*s, e.data})
	}
	h, greets := e.head.(*ipc.Hello)
	if greets != (m.redactor.phase == configuring) {
		return fmt.Errorf("%w: %T is not due", ipc.ErrProtocol, e.head)
	}
	m.redactor.process.lastMessage, m.redactor.process.standstillExcused = m.now, false
	switch head := e.head.(type) {
	case *ipc.Heartbeat:
		m.redactor.process.encodingSince = time.Time{}
		if head.Encoding > 0 {
			m.redactor.process.encodingSince = m.now.Add(-time.Duration(head.Encoding))
		}
		m.noteProgress()
	case *ipc.Output:
		return m.handleOutput(e.id, head, e.data)
	case *ipc.Snapshot:
		return m.handleSnapshot(head, e.data)
	default:
		m.redactorReady(h)
	}
	return nil
}

func (m *machine) begin(working bool) {
	m.reporter.enabled, m.reporter.pending = true, false
	m.backlog = backlog{}
	m.report()
	switch {
	case !working:
		m.redactor.phase = disabled
	case !m.lazy:
		m.startRedactor()
	}
}

// end tells that nobody takes actions any more but those that answer requests, and
// returns what is still to be told.
func (m *machine) end(now time.Time) []action {
	m.now = now
	m.reporter.pending = false
	m.report()
	m.reporter.enabled, m.redactor.phase = false, disabled
	actions := m.actions
	m.actions = nil
	return actions
}

// tick does what time demands.
func (m *machine) tick() {
	// Time in which this program itself stood still is not the redactor's. Ticks that are
	// a little late, as all are on a busy machine, are not that.
	if passed := m.now.Sub(m.lastTick); !m.lastTick.IsZero() && passed > standstill {
		m.redactor.process.excuseStandstill(passed-tickInterval, m.now)
	}
	m.lastTick = m.now
	m.watchRedactor()
	m.emitSlate()
	m.watchPictures()
	if m.reporter.due(m.now) {
		s := m.status.at(m.now)
		m.pictureOutage.check(m.now, &s)
		m.report()
	}
}

// unitArrived takes a unit of the camera. It proves whether the one before was whole.
func (m *machine) unitArrived(u transport.CameraUnit) {
	m.units++
	u.Number = m.units
	m.input.connection.unitArrived(m.now)
	m.input.lostReason, m.input.noPicture.lastUnit = "", m.now
	m.status.arrivedRate.add(m.now)
	switch {
	case m.provisional.number == 0:
	case u.Gap.Kind != transport.GapNone:
		m.rejectProvisional()
	default:
		out, snapshot := m.provisional.confirm()
		if out != nil {
			m.publishOutput(out)
		}
		if snapshot != nil {
			m.releaseSnapshot(snapshot)
		}
	}
	if u.Provisional {
		m.provisional.number = u.Number
	}
	dropped := m.queue.pushUnit(u)
	m.status.s.Counters.UnitsIn++
	m.status.s.Counters.UnitsDropped += uint64(dropped) //nolint:gosec // a count
	m.ensureRedactor()
	m.raisePriority()
}

// refuse drops what was made of a unit that was not whole, also where that is still to
// come, and all that goes on from it.
func (m *machine) rejectProvisional() {
	m.provisional.reject()
	if m.provisional.drop() {
		m.askRedactorForSnapshot()
	}
	m.requireKeyframe()
}

// breakOff covers for a redactor that has coded what is not shown, up to a key frame.
func (m *machine) requireKeyframe() {
	if m.redactor.phase == running && m.view.fallback == nil {
		m.holdBack(fallback{ipc.SlateStarting, transport.FaultLoss, "picture without end"})
	}
}

func (m *machine) sourceEnded(e sourceEnded) {
	m.input.connection.attemptFailed(m.now, e.detail, e.delay)
	m.pictureOutage.noteLogged(m.now, e.reason, e.delay)
	m.queue.pushCommand(ipc.TypeInput, ipc.Input{Reason: e.reason})
	m.input.lostReason = e.reason
	m.input.noPicture.reset()
	if m.redactor.phase == idle {
		m.startFallback(fallback{ipc.SlateOffline, transport.FaultCamera, e.reason})
	}
}

// watchPictures ends a connection from which no picture could be shown for too long.
func (m *machine) watchPictures() {
	after, ok := m.input.noPicture.timedOut(m.now, m.config.Lookahead)
	if ok {
		p := &m.input.noPicture
		m.act(reconnect{&noPictureError{camera: m.config.Camera, reason: m.status.history.reason, after: after, own: p.ownFault}})
	}
}

// seen notes what viewers got of the redactor.
func (m *machine) trackShown(state transport.State, fault transport.Fault) {
	switch p := &m.input.noPicture; {
	case state == transport.StateLive:
		p.shown()
	case m.input.lostReason != "":
		p.reset()
	default:
		p.hidden(m.now, fault)
	}
}

// sharedSlates keeps those, for as long as the camera's own redactor has made none.
func (m *machine) adoptSharedSlates(list []slate) {
	for _, s := range list {
		m.slates.share(s)
	}
	m.answerWithSlate()
}

func (m *machine) keepSlate(s slate) error {
	if err := s.check(); err != nil {
		return err
	}
	m.slates.keep(s, m.redactor.phase == running)
	if s.Snapshot {
		m.answerWithSlate()
	}
	return nil
}
