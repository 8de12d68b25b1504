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
	errSilent   = fmt.Errorf("redactor sent nothing for %v; killed", killSilence)
	errNoHello  = fmt.Errorf("redactor did not start within %v; killed", helloTimeout)
	errStarved  = fmt.Errorf("redactor waited %v for a processor; killed", starveTime)
	errSpun     = fmt.Errorf("redactor used %v of processor time without output; killed", spinCPU)
	errProtocol = errors.New("redactor violated the protocol; killed")
)

// phase is what a redactor does:
//
//	idle ──first unit──▶ launching ──▶ configuring ──hello──▶ running
//	                      ▲     │          │                    │
//	                   delay  fails     ends, or is killed (stopping)
//	                      │     ▼          ▼                    ▼
//	                    backingOff ◀───────┴────────────────────┘
type phase int

const (
	idle        phase = iota // not needed: the camera has sent nothing
	backingOff               // before the next start
	launching                // requested
	configuring              // started, and sent its configuration
	running                  // has sent hello
	stopping                 // killed
	disabled                 // never again
)

// redactor is what is known about a camera's redactor.
type redactor struct {
	phase        phase
	everRan      bool // so whatever fails now may pass
	id           int  // of the last process
	prioritized  bool // its start goes before those of cameras that do not send
	restartAt    time.Time
	restartDelay time.Duration // before the last restart
	process      processState
}

// processState is what is known about one process.
type processState struct {
	pid           int
	epoch         uint64 // the first that it may use
	started       time.Time
	lastMessage   time.Time
	encodingSince time.Time // when its encoder began the current picture; zero: it has none
	writing       bool      // its pipe has not accepted the last message
	outputs       uint64
	lastOutput    time.Time
	killCause     error
	examined      time.Time
	lastStarved   time.Time // when it was last seen waiting for a processor
	watchdog      cpuWatchdog
	share         cpuShare
	// standstillExcused is set once a standstill was excused, until the next message.
	standstillExcused bool
}

// excuseStandstill leaves out time in which this program could not read its messages.
// That is done once between two messages: a program that stands still again and again
// would otherwise never notice a process that does.
func (p *processState) excuseStandstill(late time.Duration, now time.Time) {
	if p.standstillExcused {
		return
	}
	p.standstillExcused = true
	for _, t := range []*time.Time{&p.started, &p.lastMessage, &p.encodingSince, &p.lastStarved} {
		if !t.IsZero() {
			*t = t.Add(min(late, now.Sub(*t)))
		}
	}
}

// isStarving reports whether the process would work if it got a processor.
func (p *processState) isStarving(now time.Time) bool {
	return !p.lastStarved.IsZero() && now.Sub(p.lastStarved) < killSilence
}

// hangFallback returns what viewers get while a running process sends nothing; nil: it
// works.
func (p *processState) hangFallback(now time.Time) *fallback {
	switch silent := now.Sub(p.lastMessage) > slateSilence; {
	case silent && p.isStarving(now):
		return &fallback{ipc.SlateHang, transport.FaultOverload, "this machine is too slow: the redactor waits for a processor"}
	case silent:
		return &fallback{ipc.SlateHang, transport.FaultHang, "redactor does not respond"}
	case !p.encodingSince.IsZero() && now.Sub(p.encodingSince) > slateSilence:
		return &fallback{ipc.SlateHang, transport.FaultHang, "encoder hangs"}
	}
	return nil
}

// cpuShare tells a process that works from one that waits for a processor: the kernel
// calls both runnable.
type cpuShare struct {
	at   time.Time
	used time.Duration // processor time of the process, as of at
}

// update reports whether the process has had a whole processor since the last update.
func (c *cpuShare) update(now time.Time, used time.Duration) (hadWhole bool) {
	hadWhole = !c.at.IsZero() && used-c.used > now.Sub(c.at)*fullShare/100
	*c = cpuShare{now, used}
	return hadWhole
}

// cpuWatchdog measures the processor time that a redactor uses between two outputs.
type cpuWatchdog struct {
	outputs uint64 // as of since
	since   time.Time
	used    time.Duration // processor time of the process, as of since
}

// isSpinning reports whether the redactor has used too much without an output.
func (c *cpuWatchdog) isSpinning(now time.Time, outputs uint64, used time.Duration) bool {
	if c.since.IsZero() || outputs != c.outputs {
		*c = cpuWatchdog{outputs, now, used}
	}
	return used-c.used > spinCPU && now.Sub(c.since) > spinTime
}

// isCurrent reports whether a process is the current one, in one of these phases.
func (m *machine) isCurrent(id int, phases ...phase) bool {
	return id == m.redactor.id && slices.Contains(phases, m.redactor.phase)
}

// ensureRedactor starts a redactor if none was needed so far.
func (m *machine) ensureRedactor() {
	if m.redactor.phase == idle {
		m.startRedactor()
	}
}

// raisePriority has a requested redactor started before those of cameras that do not
// send, if its camera did not send before.
func (m *machine) raisePriority() {
	if r := &m.redactor; r.phase == launching && !r.prioritized {
		r.prioritized = true
		m.act(raisePriority{})
	}
}

// startRedactor requests the next process.
func (m *machine) startRedactor() {
	r := &m.redactor
	r.phase, r.process = launching, processState{}
	r.id++
	r.prioritized = m.input.noPicture.isSending(m.now)
	m.act(startProcess{r.id, r.prioritized})
}

// processStarted configures a redactor. Until its first output, viewers get what they
// got before.
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

// processEnded falls back from a redactor that has ended, or could not be started.
func (m *machine) processEnded(err error) {
	r := &m.redactor
	worked := time.Duration(0) // up to the last output
	if !r.process.lastOutput.IsZero() {
		worked = r.process.lastOutput.Sub(r.process.started)
	}
	if cause := r.process.killCause; cause != nil { // viewers have been told
		err = cause
	} else {
		m.loseRedactor(err)
	}
	r.phase, r.process = backingOff, processState{}
	m.status.processEnded()
	m.input.noPicture.reset()
	if errors.Is(err, ErrPermanent) && !r.everRan {
		m.log(slog.LevelError, "redactor cannot work as configured", "error", err)
		r.phase = disabled
		m.act(giveUp{fmt.Errorf("camera %s: %w", m.config.Camera, err)})
		return
	}
	if r.restartDelay = min(max(2*r.restartDelay, minRestart), maxRestart); worked > healthyTime {
		r.restartDelay = 0
	}
	r.restartAt = m.now.Add(r.restartDelay)
	m.log(slog.LevelError, "redactor ended", "error", err, "restart_in", r.restartDelay.Round(time.Millisecond))
	m.pictureOutage.noteLogged(m.now, fallbackFor(err).reason, r.restartDelay)
}

// loseRedactor falls back from a redactor whose output is not shown any more.
func (m *machine) loseRedactor(err error) {
	m.slates.retire(!errors.Is(err, errProtocol))
	m.view.heldBack = false
	m.provisional.drop()
	m.startFallback(fallbackFor(err))
}

func (m *machine) killRedactor(cause error) {
	r := &m.redactor
	r.phase, r.process.killCause = stopping, cause
	m.act(killProcess{r.id})
	m.loseRedactor(cause)
}

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
	if m.input.reason != "" {
		m.queue.pushFront(ipc.TypeInput, ipc.Input{Reason: m.input.slateText()})
	}
}

// examined handles what the kernel reports about the process.
func (m *machine) examined(e processExamined) {
	p := &m.redactor.process
	switch {
	case e.known && p.share.update(m.now, e.used):
		p.lastStarved = time.Time{}
	case e.runnable:
		p.lastStarved = m.now
	}
	if e.known && p.watchdog.isSpinning(m.now, p.outputs, e.used) {
		m.killRedactor(errSpun)
	}
}

// watchRedactor starts the next redactor when it is due, falls back from one that does
// not respond, and kills it later.
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
	p, v := &m.redactor.process, &m.view
	silent := m.now.Sub(p.lastMessage)
	m.examine(silent > examineSilence)
	if m.killIfSilent(silent, killSilence, errSilent) {
		return
	}
	f, due := p.hangFallback(m.now), m.now.Sub(v.fenceRequested) >= fenceInterval
	switch {
	case f != nil && (!v.heldBack || v.progressed || due || m.provisional.holdsAnything()): // its work in progress is old by now
		m.holdBack(*f)
	case v.heldBack && due:
		m.requestFence()
	}
}

// noteProgress is called when a redactor has sent something: if its output is held back
// and it does not hang, it may have begun a picture behind the fence.
func (m *machine) noteProgress() {
	if m.view.heldBack && m.redactor.process.hangFallback(m.now) == nil {
		m.view.progressed = true
	}
}

// examine has the process examined when it is due, which is often while it is silent.
func (m *machine) examine(silent bool) {
	p, interval := &m.redactor.process, usageInterval
	if silent {
		interval = examineInterval
	}
	if m.now.Sub(p.examined) >= interval {
		p.examined = m.now
		m.act(examineProcess{m.redactor.id, silent})
	}
}

// killIfSilent kills a process that has been silent for longer than the limit, which is
// starveTime for one that is starving.
func (m *machine) killIfSilent(silent, limit time.Duration, cause error) bool {
	if m.redactor.process.isStarving(m.now) {
		limit, cause = starveTime, errStarved
	}
	if silent > limit {
		m.killRedactor(cause)
	}
	return silent > limit
}

// feed sends the redactor the next message once its pipe has accepted the last one.
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
