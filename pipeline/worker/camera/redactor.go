package camera

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

var (
	errSilent   = fmt.Errorf("redactor sent nothing for %v and was killed", killSilence)
	errNoHello  = fmt.Errorf("redactor did not come up within %v and was killed", helloTimeout)
	errStarved  = fmt.Errorf("redactor waited %v for a processor and was killed", starveTime)
	errSpun     = fmt.Errorf("redactor used %v of processor time without sending anything and was killed", spinCPU)
	errProtocol = errors.New("redactor talks nonsense and was killed")
)

// phase is what a redactor is in:
//
//	idle ──first unit──▶ launching ──▶ greeting ──hello──▶ up
//	                      ▲     │          │               │
//	                   delay   fails    dies, or is killed (ending)
//	                      │     ▼          ▼               ▼
//	                     waiting ◀─────────┴───────────────┘
type phase int

const (
	idle        phase = iota // none is needed: the camera has sent nothing
	backingOff               // for the next start
	launching                // asked for
	configuring              // started and configured
	running                  // it has said hello
	stopping                 // killed
	disabled                 // there will be none
)

// redactor is what is known of a camera's redactor.
type redactor struct {
	phase        phase
	everRan      bool // one has come up: what keeps the next one from it may pass
	id           int  // number of the last process
	prioritized  bool // it is started before those whose cameras do not send
	restartAt    time.Time
	restartDelay time.Duration // before the last restart
	process      processState
}

// life is what is known of one process.
type processState struct {
	pid               int
	epoch             uint64 // the first that it may use
	started           time.Time
	lastMessage       time.Time // when it last said something
	encodingSince     time.Time // since when its encoder is at one picture, as it said last; zero: it is at none
	writing           bool      // its pipe has not taken what was sent last
	outputs           uint64    // units
	lastOutput        time.Time // the last of them
	killCause         error     // why it was killed
	examined          time.Time
	standstillExcused bool      // time was left out since it was heard
	lastStarved       time.Time // when it was last found to wait for a processor
	watchdog          cpuWatchdog
	share             cpuShare
}

// excuse leaves out time in which nobody could hear it, once until it is heard again:
// else a program that stands still again and again would never notice one that does.
func (l *processState) excuseStandstill(late time.Duration, now time.Time) {
	if l.standstillExcused {
		return
	}
	l.standstillExcused = true
	for _, t := range []*time.Time{&l.started, &l.lastMessage, &l.encodingSince, &l.lastStarved} {
		if !t.IsZero() {
			*t = t.Add(min(late, now.Sub(*t)))
		}
	}
}

// starves reports whether the process would work if it got a processor.
func (l *processState) isStarving(now time.Time) bool {
	return !l.lastStarved.IsZero() && now.Sub(l.lastStarved) < killSilence
}

// cpuShare tells a process that works from one that would if it got a processor: the
// kernel calls both runnable.
type cpuShare struct {
	at   time.Time
	used time.Duration // processor time of the process, as of at
}

// full looks again, and reports whether the process has had a whole processor, or more,
// since the last look.
func (c *cpuShare) update(now time.Time, used time.Duration) bool {
	wall, got := now.Sub(c.at), used-c.used
	first := c.at.IsZero()
	*c = cpuShare{now, used}
	return !first && got > wall*fullShare/100
}

// cpuWatchdog measures what a redactor uses between two units.
type cpuWatchdog struct {
	outputs uint64 // units, as of since
	since   time.Time
	used    time.Duration // processor time of the process, as of since
}

// spins looks again and reports whether the redactor has been at work for too long.
func (c *cpuWatchdog) isSpinning(now time.Time, sent uint64, used time.Duration) bool {
	if c.since.IsZero() || sent != c.outputs {
		*c = cpuWatchdog{sent, now, used}
		return false
	}
	return used-c.used > spinCPU && now.Sub(c.since) > spinTime
}

// of reports whether a process is the present one, in one of these phases.
func (m *machine) isCurrent(id int, phases ...phase) bool {
	return id == m.redactor.id && slices.Contains(phases, m.redactor.phase)
}

// want has a redactor started where none was needed so far.
func (m *machine) ensureRedactor() {
	if m.redactor.phase == idle {
		m.startRedactor()
	}
}

// hurry has the redactor that is asked for started before those of cameras that do not
// send, where this one has begun to send since.
func (m *machine) raisePriority() {
	if r := &m.redactor; r.phase == launching && !r.prioritized {
		r.prioritized = true
		m.act(raisePriority{})
	}
}

// start has the next process started.
func (m *machine) startRedactor() {
	r := &m.redactor
	r.phase, r.process = launching, processState{}
	r.id++
	r.prioritized = m.input.noPicture.isSending(m.now)
	m.act(startProcess{r.id, r.prioritized})
	if m.view.fallback.kind == ipc.SlateOffline {
		m.view.fallback, m.view.lastSlate = &starting, time.Time{}
	}
}

// processStarted lets a redactor take the place of the last one. Until its first unit
// what covered the time before goes on.
func (m *machine) processStarted(pid int) {
	r := &m.redactor
	r.phase = configuring
	r.process = processState{pid: pid, epoch: m.stream.nextEpoch(m.now), started: m.now, writing: true}
	m.queue.restart()
	m.view.heldBack, m.view.minFence = false, 0
	m.provisional.drop()
	config := *m.config
	config.Epoch, config.HavePreparedSlates = r.process.epoch, m.slates.complete()
	m.act(writeMessage{r.id, item{ipc.TypeConfig, config, nil}})
}

// processEnded covers for a redactor that has ended, or could not be started.
func (m *machine) processEnded(err error) {
	r := &m.redactor
	worked := time.Duration(0) // how long it was silent, or worked at nothing, is not in it
	if !r.process.lastOutput.IsZero() {
		worked = r.process.lastOutput.Sub(r.process.started)
	}
	f := fallbackFor(err)
	if r.process.killCause != nil { // viewers have been told
		err, f = r.process.killCause, fallbackFor(r.process.killCause)
	} else {
		m.slates.retire(true)
		m.loseRedactor(f)
	}
	r.process = processState{}
	m.status.processEnded()
	m.input.noPicture.reset()
	r.phase = backingOff
	if errors.Is(err, ErrPermanent) && !r.everRan {
		m.log(slog.LevelError, "redactor cannot work", "error", err)
		r.phase = disabled
		m.act(giveUp{fmt.Errorf("camera %s: %w", m.config.Camera, err)})
		return
	}
	if r.restartDelay = min(max(2*r.restartDelay, minRestart), maxRestart); worked > healthyTime {
		r.restartDelay = 0
	}
	r.restartAt = m.now.Add(r.restartDelay)
	m.log(slog.LevelError, "redactor ended", "error", err, "restart_in", r.restartDelay.Round(time.Millisecond))
	m.pictureOutage.noteLogged(m.now, f.reason, r.restartDelay)
}

// lose covers for a redactor of which nothing is shown any more.
func (m *machine) loseRedactor(f fallback) {
	m.view.heldBack = false
	m.provisional.drop()
	m.startFallback(f)
}

// kill ends the process.
func (m *machine) killRedactor(cause error) {
	r := &m.redactor
	r.phase, r.process.killCause = stopping, cause
	m.act(killProcess{r.id})
	m.slates.retire(!errors.Is(cause, errProtocol))
	m.loseRedactor(fallbackFor(cause))
}

// hello takes the greeting of a redactor.
func (m *machine) redactorReady(h *ipc.Hello) {
	r := &m.redactor
	first := !r.everRan
	r.phase, r.everRan = running, true
	m.status.redactorReady(h)
	m.log(slog.LevelInfo, "redactor is up", "detector", oneLine(h.Detector), "epoch", r.process.epoch, "pid", r.process.pid,
		"sandbox", oneLine(strings.Join(h.Sandbox.Holding(), " ")))
	if missing := h.Sandbox.Missing(); first && len(missing) > 0 {
		m.log(slog.LevelWarn, "redactor is not fully confined", "missing", oneLine(strings.Join(missing, "; ")))
	}
	if h.Warning != "" {
		m.log(slog.LevelWarn, oneLine(h.Warning))
	}
	if m.input.lostReason != "" {
		m.queue.pushFront(ipc.TypeInput, ipc.Input{Reason: m.input.lostReason})
	}
}

// examined takes what the kernel says of the process.
func (m *machine) examined(e processExamined) {
	l := &m.redactor.process
	full := e.known && l.share.update(m.now, e.used)
	switch {
	case full:
		l.lastStarved = time.Time{}
	case e.runnable:
		l.lastStarved = m.now
	}
	if e.known && l.watchdog.isSpinning(m.now, l.outputs, e.used) {
		m.killRedactor(errSpun)
	}
}

// watchRedactor starts the next redactor when it is time, and covers for one that is
// silent, or kills it.
func (m *machine) watchRedactor() {
	switch r := &m.redactor; r.phase {
	case backingOff:
		if !m.now.Before(r.restartAt) {
			m.status.s.Counters.Restarts++
			m.startRedactor()
		}
	case configuring:
		silent := m.now.Sub(r.process.started)
		m.examine(silent > helloTimeout-killSilence)
		m.killIfSilent(silent, helloTimeout, errNoHello)
	case running:
		m.watchRunning()
	}
}

func (m *machine) watchRunning() {
	l, v := &m.redactor.process, &m.view
	silent := m.now.Sub(l.lastMessage)
	m.examine(silent > examineSilence)
	if m.killIfSilent(silent, killSilence, errSilent) {
		return
	}
	f, due := l.hangFallback(m.now), m.now.Sub(v.fenceRequested) >= fenceInterval
	switch {
	case f != nil && (!v.heldBack || v.progressed || due || m.provisional.holdsAnything()): // what it has under way is old by now
		m.holdBack(*f)
	case v.heldBack && due:
		m.requestFence()
	}
}

// works notes that a redactor which was covered for has said something and does not
// hang: it may have begun a picture behind the fence.
func (m *machine) noteProgress() {
	if m.view.heldBack && m.redactor.process.hangFallback(m.now) == nil {
		m.view.progressed = true
	}
}

// hangs returns what viewers get while nothing comes of a process that lives; nil: it
// works.
func (l *processState) hangFallback(now time.Time) *fallback {
	switch silent := now.Sub(l.lastMessage); {
	case silent > slateSilence && l.isStarving(now):
		return &fallback{ipc.SlateHang, transport.FaultOverload, "this machine is too slow: the redactor waits for a processor"}
	case silent > slateSilence:
		return &fallback{ipc.SlateHang, transport.FaultHang, "redactor sends nothing"}
	case !l.encodingSince.IsZero() && now.Sub(l.encodingSince) > slateSilence:
		return &fallback{ipc.SlateHang, transport.FaultHang, "redactor's encoder does not come back"}
	}
	return nil
}

// examine has the process looked at when it is time: often while its state matters.
func (m *machine) examine(state bool) {
	l, every := &m.redactor.process, usageInterval
	if state {
		every = examineInterval
	}
	if m.now.Sub(l.examined) >= every {
		l.examined = m.now
		m.act(examineProcess{m.redactor.id, state})
	}
}

// bury kills a process that has been silent for longer than it may.
func (m *machine) killIfSilent(silent, limit time.Duration, why error) bool {
	switch {
	case silent > starveTime && m.redactor.process.isStarving(m.now):
		m.killRedactor(errStarved)
	case silent > limit && !m.redactor.process.isStarving(m.now):
		m.killRedactor(why)
	default:
		return false
	}
	return true
}

// feed hands the redactor the next message, when its pipe has taken the one before.
func (m *machine) feed() {
	r := &m.redactor
	if r.phase != running || r.process.writing {
		return
	}
	if it, ok := m.queue.pop(); ok {
		r.process.writing = true
		m.act(writeMessage{r.id, it})
	}
}
