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
	idle      phase = iota // none is needed: the camera has sent nothing
	waiting                // for the next start
	launching              // asked for
	greeting               // started and configured
	up                     // it has said hello
	ending                 // killed
	off                    // there will be none
)

// redactor is what is known of a camera's redactor.
type redactor struct {
	phase   phase
	wasUp   bool // one has come up: what keeps the next one from it may pass
	last    int  // number of the last process
	first   bool // it is started before those whose cameras do not send
	restart time.Time
	delay   time.Duration // before the last restart
	life    life
}

// life is what is known of one process.
type life struct {
	pid      int
	epoch    uint64 // the first that it may use
	begun    time.Time
	heard    time.Time // when it last said something
	encodes  time.Time // since when its encoder is at one picture, as it said last; zero: it is at none
	writing  bool      // its pipe has not taken what was sent last
	sent     uint64    // units
	made     time.Time // the last of them
	cause    error     // why it was killed
	examined time.Time
	excused  bool      // time was left out since it was heard
	starved  time.Time // when it was last found to wait for a processor
	cpu      cpuWatchdog
	share    cpuShare
}

// excuse leaves out time in which nobody could hear it, once until it is heard again:
// else a program that stands still again and again would never notice one that does.
func (l *life) excuse(late time.Duration, now time.Time) {
	if l.excused {
		return
	}
	l.excused = true
	for _, t := range []*time.Time{&l.begun, &l.heard, &l.encodes, &l.starved} {
		if !t.IsZero() {
			*t = t.Add(min(late, now.Sub(*t)))
		}
	}
}

// starves reports whether the process would work if it got a processor.
func (l *life) starves(now time.Time) bool {
	return !l.starved.IsZero() && now.Sub(l.starved) < killSilence
}

// cpuShare tells a process that works from one that would if it got a processor: the
// kernel calls both runnable.
type cpuShare struct {
	at   time.Time
	used time.Duration // processor time of the process, as of at
}

// full looks again, and reports whether the process has had a whole processor, or more,
// since the last look.
func (c *cpuShare) full(now time.Time, used time.Duration) bool {
	wall, got := now.Sub(c.at), used-c.used
	first := c.at.IsZero()
	*c = cpuShare{now, used}
	return !first && got > wall*fullShare/100
}

// cpuWatchdog measures what a redactor uses between two units.
type cpuWatchdog struct {
	sent  uint64 // units, as of since
	since time.Time
	used  time.Duration // processor time of the process, as of since
}

// spins looks again and reports whether the redactor has been at work for too long.
func (c *cpuWatchdog) spins(now time.Time, sent uint64, used time.Duration) bool {
	if c.since.IsZero() || sent != c.sent {
		*c = cpuWatchdog{sent, now, used}
		return false
	}
	return used-c.used > spinCPU && now.Sub(c.since) > spinTime
}

// of reports whether a process is the present one, in one of these phases.
func (m *machine) of(id int, phases ...phase) bool {
	return id == m.redactor.last && slices.Contains(phases, m.redactor.phase)
}

// want has a redactor started where none was needed so far.
func (m *machine) want() {
	if m.redactor.phase == idle {
		m.start()
	}
}

// hurry has the redactor that is asked for started before those of cameras that do not
// send, where this one has begun to send since.
func (m *machine) hurry() {
	if r := &m.redactor; r.phase == launching && !r.first {
		r.first = true
		m.do(startFirst{})
	}
}

// start has the next process started.
func (m *machine) start() {
	r := &m.redactor
	r.phase, r.life = launching, life{}
	r.last++
	r.first = m.input.picture.sends(m.now)
	m.do(start{r.last, r.first})
	if m.view.fallback.kind == ipc.SlateOffline {
		m.view.fallback, m.view.slateAt = &starting, time.Time{}
	}
}

// processStarted lets a redactor take the place of the last one. Until its first unit
// what covered the time before goes on.
func (m *machine) processStarted(pid int) {
	r := &m.redactor
	r.phase = greeting
	r.life = life{pid: pid, epoch: m.stream.nextEpoch(m.now), begun: m.now, writing: true}
	m.queue.restart(ipc.ReasonRestarted)
	m.view.heldBack, m.view.floor = false, 0
	m.proof.forget()
	config := *m.config
	config.Epoch, config.HavePreparedSlates = r.life.epoch, m.slates.complete()
	m.do(write{r.last, item{ipc.TypeConfig, config, nil}})
}

// processEnded covers for a redactor that has ended, or could not be started.
func (m *machine) processEnded(err error) {
	r := &m.redactor
	worked := time.Duration(0) // how long it was silent, or worked at nothing, is not in it
	if !r.life.made.IsZero() {
		worked = r.life.made.Sub(r.life.begun)
	}
	f := fallbackFor(err)
	if r.life.cause != nil { // viewers have been told
		err, f = r.life.cause, fallbackFor(r.life.cause)
	} else {
		m.slates.ended(true)
		m.lose(f)
	}
	r.life = life{}
	m.status.ended()
	m.input.picture.paused()
	r.phase = waiting
	if errors.Is(err, ErrPermanent) && !r.wasUp {
		m.log(slog.LevelError, "redactor cannot work", "error", err)
		r.phase = off
		m.do(giveUp{fmt.Errorf("camera %s: %w", m.config.Camera, err)})
		return
	}
	if r.delay = min(max(2*r.delay, minRestart), maxRestart); worked > healthyTime {
		r.delay = 0
	}
	r.restart = m.now.Add(r.delay)
	m.log(slog.LevelError, "redactor ended", "error", err, "restart_in", r.delay.Round(time.Millisecond))
	m.pictures.logged(m.now, f.reason, r.delay)
}

// lose covers for a redactor of which nothing is shown any more.
func (m *machine) lose(f fallback) {
	m.view.heldBack = false
	m.proof.forget()
	m.fallBack(f)
}

// kill ends the process.
func (m *machine) kill(cause error) {
	r := &m.redactor
	r.phase, r.life.cause = ending, cause
	m.do(kill{r.last})
	m.slates.ended(!errors.Is(cause, errProtocol))
	m.lose(fallbackFor(cause))
}

// hello takes the greeting of a redactor.
func (m *machine) hello(h *ipc.Hello) {
	r := &m.redactor
	first := !r.wasUp
	r.phase, r.wasUp = up, true
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
		m.queue.first(ipc.TypeInput, ipc.Input{Reason: m.input.reason})
	}
}

// examined takes what the kernel says of the process.
func (m *machine) examined(e processExamined) {
	l := &m.redactor.life
	full := e.known && l.share.full(m.now, e.used)
	switch {
	case full:
		l.starved = time.Time{}
	case e.runnable:
		l.starved = m.now
	}
	if e.known && l.cpu.spins(m.now, l.sent, e.used) {
		m.kill(errSpun)
	}
}

// watchRedactor starts the next redactor when it is time, and covers for one that is
// silent, or kills it.
func (m *machine) watchRedactor() {
	switch r := &m.redactor; r.phase {
	case waiting:
		if !m.now.Before(r.restart) {
			m.status.s.Counters.Restarts++
			m.start()
		}
	case greeting:
		silent := m.now.Sub(r.life.begun)
		m.examine(silent > helloTimeout-killSilence)
		m.bury(silent, helloTimeout, errNoHello)
	case up:
		m.watchLive()
	}
}

func (m *machine) watchLive() {
	l, v := &m.redactor.life, &m.view
	silent := m.now.Sub(l.heard)
	m.examine(silent > examineSilence)
	if m.bury(silent, killSilence, errSilent) {
		return
	}
	f, due := l.hangs(m.now), m.now.Sub(v.fenced) >= fenceInterval
	switch {
	case f != nil && (!v.heldBack || v.worked || due || m.proof.pending()): // what it has under way is old by now
		m.holdBack(*f)
	case v.heldBack && due:
		m.askFence()
	}
}

// works notes that a redactor which was covered for has said something and does not
// hang: it may have begun a picture behind the fence.
func (m *machine) works() {
	if m.view.heldBack && m.redactor.life.hangs(m.now) == nil {
		m.view.worked = true
	}
}

// hangs returns what viewers get while nothing comes of a process that lives; nil: it
// works.
func (l *life) hangs(now time.Time) *fallback {
	switch silent := now.Sub(l.heard); {
	case silent > slateSilence && l.starves(now):
		return &fallback{ipc.SlateHang, transport.FaultOverload, "this machine is too slow: the redactor waits for a processor"}
	case silent > slateSilence:
		return &fallback{ipc.SlateHang, transport.FaultHang, "redactor sends nothing"}
	case !l.encodes.IsZero() && now.Sub(l.encodes) > slateSilence:
		return &fallback{ipc.SlateHang, transport.FaultHang, "redactor's encoder does not come back"}
	}
	return nil
}

// examine has the process looked at when it is time: often while its state matters.
func (m *machine) examine(state bool) {
	l, every := &m.redactor.life, usageInterval
	if state {
		every = examineInterval
	}
	if m.now.Sub(l.examined) >= every {
		l.examined = m.now
		m.do(examine{m.redactor.last, state})
	}
}

// bury kills a process that has been silent for longer than it may.
func (m *machine) bury(silent, limit time.Duration, why error) bool {
	switch {
	case silent > starveTime && m.redactor.life.starves(m.now):
		m.kill(errStarved)
	case silent > limit && !m.redactor.life.starves(m.now):
		m.kill(why)
	default:
		return false
	}
	return true
}

// feed hands the redactor the next message, when its pipe has taken the one before.
func (m *machine) feed() {
	r := &m.redactor
	if r.phase != up || r.life.writing {
		return
	}
	if it, ok := m.queue.take(); ok {
		r.life.writing = true
		m.do(write{r.last, it})
	}
}
