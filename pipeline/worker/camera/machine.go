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
	waiting  []chan *transport.Snapshot // for a snapshot
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

// newMachine returns a machine that has begun nothing yet. Lazy: there are slates that
// all cameras share, so no redactor is needed before the camera sends something.
func newMachine(c *ipc.Config, shown string, lazy bool) *machine {
	m := &machine{
		config: c, lazy: lazy, view: view{fallback: &starting}, slates: newPreparedSlates(), stream: stream{camera: c.Camera}, status: newStatus(c, shown),
	}
	if lazy {
		m.view.fallback = &noVideo
	}
	m.input.connected.log, m.pictures.log = m.log, m.log
	return m
}

// follow goes on where the machine of another camera has ended. One that has sent
// something will again: it does not wait for that.
func (m *machine) follow(b *machine) {
	m.slates.follow(&b.slates)
	m.stream.follow(&b.stream)
	if b.units > 0 {
		m.lazy, m.view.fallback = false, &starting
	}
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
	case redactorWanted:
		m.want()
	case keyframeAsked:
		m.queue.command(ipc.TypeKeyframe, ipc.Keyframe{})
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

// take takes an event and has all be performed that follows from it. What an action is
// answered with at once is an event of its own, which has to wait for the rest of the
// actions: what it makes be published comes after what was to be published before it.
func (m *machine) take(clock func() time.Time, e event, perform func(action) (answer event)) {
	for events := []event{e}; len(events) > 0; events = events[1:] {
		for _, a := range m.step(clock(), events[0]) {
			if answer := perform(a); answer != nil {
				events = append(events, answer)
			}
		}
	}
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
	case said:
		if m.of(e.id, greeting, up) {
			if err := m.said(e); err != nil {
				m.kill(fmt.Errorf("%w: %w", errProtocol, err))
			}
		}
	}
}

// said takes a message. One that is too early, or that no redactor sends, ends it.
func (m *machine) said(e said) error {
	if s, ok := e.head.(*ipc.PreparedSlate); ok {
		return m.slateMade(slate{*s, e.data})
	}
	h, greets := e.head.(*ipc.Hello)
	if greets != (m.redactor.phase == greeting) {
		return fmt.Errorf("%w: %T is not due", ipc.ErrProtocol, e.head)
	}
	m.redactor.life.heard, m.redactor.life.excused = m.now, false
	switch head := e.head.(type) {
	case *ipc.Heartbeat:
		m.redactor.life.encodes = time.Time{}
		if head.Encoding > 0 {
			m.redactor.life.encodes = m.now.Add(-time.Duration(head.Encoding))
		}
		m.works()
	case *ipc.Output:
		return m.output(e.id, head, e.data)
	case *ipc.Snapshot:
		return m.snapshotMade(head, e.data)
	default:
		m.hello(h)
	}
	return nil
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

// end tells that nobody takes actions any more but those that answer requests, and
// returns what is still to be told.
func (m *machine) end(now time.Time) []action {
	m.now = now
	m.reporter.busy = false
	m.report()
	m.reporter.working, m.redactor.phase = false, off
	actions := m.actions
	m.actions = nil
	return actions
}

// tick does what time demands.
func (m *machine) tick() {
	// Time in which this program itself stood still is not the redactor's. Ticks that are
	// a little late, as all are on a busy machine, are not that.
	if passed := m.now.Sub(m.lastTick); !m.lastTick.IsZero() && passed > standstill {
		m.redactor.life.excuse(passed-tickInterval, m.now)
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
	if u.Provisional {
		m.proof.provisional = u.Number
	}
	dropped := m.queue.unit(&u)
	m.status.s.Counters.UnitsIn++
	m.status.s.Counters.UnitsDropped += uint64(dropped) //nolint:gosec // a count
	m.want()
	m.hurry()
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
		m.holdBack(fallback{ipc.SlateStarting, transport.FaultLoss, "picture without end"})
	}
}

func (m *machine) sourceEnded(e sourceEnded) {
	m.input.connected.failed(m.now, e.detail, e.delay)
	m.pictures.logged(m.now, e.reason, e.delay)
	m.queue.command(ipc.TypeInput, ipc.Input{Reason: e.reason})
	m.input.reason = e.reason
	m.input.picture.paused()
	if m.redactor.phase == idle {
		m.fallBack(fallback{ipc.SlateOffline, transport.FaultCamera, e.reason})
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

// sharedSlates keeps those, for as long as the camera's own redactor has made none.
func (m *machine) sharedSlates(list []slate) {
	for _, s := range list {
		m.slates.share(s)
	}
	m.giveSlate()
}

func (m *machine) slateMade(s slate) error {
	if err := s.check(); err != nil {
		return err
	}
	m.slates.keep(s, m.redactor.phase == up)
	if s.Snapshot {
		m.giveSlate()
	}
	return nil
}
