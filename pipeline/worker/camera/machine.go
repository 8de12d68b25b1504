package camera

import (
	"fmt"
	"log/slog"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// machine holds everything known about one camera and decides what to do. It is pure: it
// has no lock and no clock, and only returns actions. Its owner calls step with one event
// at a time.
//
// Viewers get either the redactor's output or a prepared slate (fallback):
//
//	          first output of the redactor that is whole and behind the fence
//	fallback ─────────────────────────────────────────────────────────────────▶ redactor
//	         ◀─────────────────────────────────────────────────────────────────
//	          it ended, is silent, its encoder hangs, or it showed a partial unit
//
// The redactor itself goes through phases, see there.
type machine struct {
	config *ipc.Config
	lazy   bool // a redactor is only started for a camera that has sent something

	now     time.Time // of this step
	actions []action

	lastTick         time.Time
	units            uint64 // received so far; the number of the last one
	input            input
	queue            queue
	redactor         redactor
	view             view
	provisional      provisionalUnit
	slates           preparedSlates
	stream           stream
	backlog          backlog
	snapshotRequests []chan *transport.Snapshot
	status           status
	reporter         reporter
	pictureOutage    pictureOutage
	blindness        blindness
}

// newMachine returns a machine that waits for runStarted. If lazy is set, all cameras
// share slates, and a redactor is not needed before the camera sends something.
func newMachine(c *ipc.Config, shownSource string, lazy bool) *machine {
	m := &machine{
		config: c, lazy: lazy, view: view{fallback: &starting}, slates: newPreparedSlates(),
		stream: stream{camera: c.Camera}, status: newStatus(c, shownSource),
	}
	m.input.outage.log, m.pictureOutage.log, m.blindness.log = m.log, m.log, m.log
	return m
}

// continueFrom takes over the stream and the slates of a machine that has ended. A camera
// that has sent something will do so again, so its redactor starts at once.
func (m *machine) continueFrom(b *machine) {
	m.slates.continueFrom(&b.slates)
	m.stream.continueFrom(&b.stream)
	m.status.blind.continueFrom(&b.status.blind)
	m.status.sight.continueFrom(&b.status.sight)
	m.lazy = m.lazy && b.units == 0
}

func (m *machine) act(a action) { m.actions = append(m.actions, a) }

func (m *machine) log(level slog.Level, msg string, args ...any) { m.act(logLine{level, msg, args}) }

// step handles an event and returns what must be done, in order. Time never goes back
// between two steps.
func (m *machine) step(now time.Time, e event) []action {
	m.now = now
	m.status.blind.pass(now, m.unproved())
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
	case sharedSlatesDone:
		m.sharedSlatesDone(e)
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
	if m.updateState(); m.reporter.changed {
		m.report()
	}
	actions := m.actions
	m.actions = nil
	return actions
}

// handle steps the machine and performs the actions. The answer to an action is another
// event; it is handled after the remaining actions, so that units are published in order.
func (m *machine) handle(clock func() time.Time, e event, perform func(action) (answer event)) {
	for events := []event{e}; len(events) > 0; events = events[1:] {
		for _, a := range m.step(clock(), events[0]) {
			if answer := perform(a); answer != nil {
				events = append(events, answer)
			}
		}
	}
}

// handleProcessEvent ignores events of processes other than the current one.
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

// handleMessage returns an error for a message that violates the protocol.
func (m *machine) handleMessage(e messageReceived) error {
	p := &m.redactor.process
	if s, ok := e.head.(*ipc.PreparedSlate); ok {
		return m.keepSlate(slate{*s, e.data})
	}
	hello, isHello := e.head.(*ipc.Hello)
	if isHello != (m.redactor.phase == configuring) {
		return fmt.Errorf("%w: unexpected %T", ipc.ErrProtocol, e.head)
	}
	p.lastMessage, p.standstillExcused = m.now, false
	switch head := e.head.(type) {
	case *ipc.Heartbeat:
		p.encodingSince = time.Time{}
		if head.Encoding > 0 {
			p.encodingSince = m.now.Add(-time.Duration(head.Encoding))
		}
		m.noteProgress()
	case *ipc.Output:
		return m.handleOutput(e.id, head, e.data)
	case *ipc.Snapshot:
		return m.handleSnapshot(head, e.data)
	default:
		m.redactorReady(hello)
	}
	return nil
}

func (m *machine) begin(working bool) {
	m.reporter.enabled, m.reporter.pending = true, false
	m.backlog, m.input.silentSince = backlog{}, m.now
	m.report()
	switch {
	case !working:
		m.redactor.phase = disabled
	case !m.lazy:
		m.startRedactor()
	}
}

// end is called when only requests are answered from here on. It returns the last report.
func (m *machine) end(now time.Time) []action {
	m.now = now
	m.reporter.pending = false
	m.report()
	m.reporter.enabled, m.redactor.phase = false, disabled
	actions := m.actions
	m.actions = nil
	return actions
}

// tick does what is due by time.
func (m *machine) tick() {
	// Time in which this program itself stood still counts against neither redactor nor camera.
	// Slightly late ticks, which are normal on a busy machine, do not count as that.
	if passed := m.now.Sub(m.lastTick); !m.lastTick.IsZero() && passed > standstill {
		m.redactor.process.excuseStandstill(passed-tickInterval, m.now)
		m.input.excuseStandstill(passed-tickInterval, m.now)
	}
	m.lastTick = m.now
	m.watchRedactor()
	m.emitSlate()
	m.watchPictures()
	if m.reporter.due(m.now) {
		s := m.status.at(m.now)
		m.pictureOutage.check(m.now, &s)
		m.checkBlindness()
		m.report()
	}
}

// unitArrived queues a unit. It also settles whether the unit before was whole.
func (m *machine) unitArrived(u transport.CameraUnit) {
	m.units++
	u.Number = m.units
	m.input.outage.unitArrived(m.now)
	m.input.reason, m.input.lost, m.input.silentSince, m.input.noPicture.lastUnit = "", false, m.now, m.now
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

// rejectProvisional drops the output made from a partial unit, also output that is still
// to come, and everything that depends on it.
func (m *machine) rejectProvisional() {
	m.provisional.reject()
	m.dropHeldOutput()
	m.requireKeyframe()
}

// dropHeldOutput drops output that can no longer be confirmed. A client that waits for its
// snapshot gets another.
func (m *machine) dropHeldOutput() {
	if m.provisional.drop() {
		m.askRedactorForSnapshot()
	}
}

// requireKeyframe falls back until a redactor that has coded what is not shown has begun
// again with a key frame.
func (m *machine) requireKeyframe() {
	if m.redactor.phase == running && m.view.fallback == nil {
		m.holdBack(fallback{ipc.SlateStarting, transport.FaultLoss, "picture without end"})
	}
}

func (m *machine) sourceEnded(e sourceEnded) {
	m.input.outage.attemptFailed(m.now, e.detail, e.delay)
	m.pictureOutage.noteLogged(m.now, e.reason, e.delay)
	m.input.reason, m.input.lost = e.reason, m.input.lost || !e.byWorker
	m.queue.pushCommand(ipc.TypeInput, ipc.Input{Reason: m.input.slateText()})
	m.input.noPicture.reset()
}

// watchPictures ends a connection from which no picture could be shown for too long.
func (m *machine) watchPictures() {
	p := &m.input.noPicture
	if after, ok := p.timedOut(m.now, m.config.Lookahead); ok {
		m.act(reconnect{&noPictureError{camera: m.config.Camera, reason: m.status.history.reason, after: after, ownFault: p.ownFault}})
	}
}

// sharedSlatesDone keeps slates of kinds that the camera's own redactor has not made.
func (m *machine) sharedSlatesDone(e sharedSlatesDone) {
	for _, s := range e.list {
		m.slates.earlier.keep(s, false)
	}
	m.answerWithSlate()
	if e.failed {
		m.ensureRedactor()
	}
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
