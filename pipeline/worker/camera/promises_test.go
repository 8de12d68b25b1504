package camera

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// promises checks what was published, as it is published: it must make sense, whatever
// the redactor says.
type promises struct {
	t    tester
	r    *rig
	last *transport.RedactedUnit
}

// all checks what is new.
func (p *promises) all() {
	for _, u := range p.r.out {
		p.unit(u)
	}
	for _, e := range p.r.events {
		require.NotContains(p.t, e.Reason, "\n")
	}
	p.r.out, p.r.events = nil, nil
}

func (p *promises) unit(u *transport.RedactedUnit) {
	t := p.t
	require.Equal(t, "door", u.Camera)
	require.Positive(t, u.Width)
	require.Positive(t, u.Height)
	require.LessOrEqual(t, max(u.Width, u.Height), transport.MaxSide, "the bus takes it")
	require.NoError(t, transport.CheckCodec(u.Codec), "the bus takes it")
	require.NotEmpty(t, u.Data)
	require.LessOrEqual(t, len(u.Data), transport.MaxUnitBytes)
	require.True(t, u.State.OfUnit(), "state %s", u.State)
	require.NotContains(t, u.Reason, "\n")
	if p.last == nil || p.last.Epoch != u.Epoch {
		require.True(t, u.Key, "an epoch begins with a key frame")
		require.EqualValues(t, 1, u.Seq)
		require.True(t, p.last == nil || u.Epoch > p.last.Epoch)
	} else {
		require.Equal(t, p.last.Seq+1, u.Seq)
	}
	require.True(t, p.last == nil || u.PTS > p.last.PTS, "time goes on")
	p.last = u
}

// coded is what the redactor of a world has coded, and when.
type coded struct {
	process int
	index   int // in the order of coding
	unit    uint64
	fence   uint64
	key     bool
	live    bool
	blind   bool
	at      time.Time
}

// state returns the state of what was coded; without blind, of a picture or a slate.
func (c *coded) state() transport.State {
	switch {
	case c.blind:
		return transport.StateBlind
	case c.live:
		return transport.StateLive
	}
	return transport.StateObscured
}

// world is a camera, a redactor that reads and codes when it likes, and a bus that may
// stand, around a machine. It knows what may be shown, and asks no machine.
type world struct {
	*promises
	rt *rapid.T

	process int // that runs; 0: none
	greeted bool
	fence   uint64 // that it has read
	wantKey bool
	codings []coded // by index
	last    uint64  // unit that it has coded
	pipe    []int   // coded, and not delivered
	heard   time.Time
	stuck   time.Time // since when its encoder is at one picture; zero: it is not

	arrived     uint64
	provisional uint64          // the last unit, if that is not proven
	half        map[uint64]bool // units that were not whole
	heldBack    int             // nothing that was coded before may be shown
	shown       int             // index of what was published last; -1: a slate
	slateAt     time.Time       // the last slate
	sent        time.Time       // the camera's last unit, or its start
	lost        bool            // its last connection has failed since
	gone        time.Time       // since when there is no process
	standing    time.Time       // since when the bus does not stand
	stood       bool            // it has, since the last unit: a slate may be late
	snapshots   []chan *transport.Snapshot
}

func newWorld(rt *rapid.T, lazy bool) *world {
	r := newRig(rt, lazy)
	r.silent = true
	w := &world{promises: &promises{t: rt, r: r}, rt: rt, half: map[uint64]bool{}, shown: -1, gone: r.now, standing: r.now, sent: r.now}
	for _, kind := range ipc.SlateKinds {
		for part := range ipc.SlateParts {
			r.m.slates.keep(slate{ipc.PreparedSlate{Kind: kind, Part: part, Codec: "avc1.42c01f", Width: 64, Height: 48}, []byte("slate")}, true)
		}
		r.m.slates.keep(slate{ipc.PreparedSlate{Kind: kind, Snapshot: true, Codec: "jpeg", Width: 64, Height: 48}, []byte("slate")}, true)
	}
	r.do(runStarted{true})
	w.look()
	return w
}

// say has the machine take an event, and looks at what follows.
func (w *world) say(e event) {
	w.r.do(e)
	w.look()
}

// isOffline reports whether the camera's connection is lost, or it has sent nothing for
// too long.
func (w *world) isOffline() bool { return w.lost || w.r.now.Sub(w.sent) > silentTime }

// look checks all that was published and given, and the state.
func (w *world) look() {
	state := w.r.m.status.history.state
	require.Equal(w.t, w.isOffline(), state == transport.StateOffline, "state %s", state)
	for _, u := range w.r.out {
		w.unit(u)
		w.published(u)
	}
	w.r.out, w.r.events = nil, nil
	w.blind(state == transport.StateBlind)
	kept := w.snapshots[:0]
	for _, ch := range w.snapshots {
		select {
		case s := <-ch:
			w.given(string(s.JPEG))
		default:
			kept = append(kept, ch)
		}
	}
	w.snapshots = kept
	for _, id := range w.r.killed {
		if id == w.process {
			w.dies()
		}
	}
	w.r.killed = nil
}

// blind checks that the camera is blind exactly while viewers get what says so, and that
// nothing is then tried to mend it.
func (w *world) blind(state bool) {
	var shown coded // nothing
	if w.shown >= 0 {
		shown = w.codings[w.shown]
	}
	if state || !w.stood && !w.r.stands {
		require.Equal(w.t, shown.blind && !w.isOffline(), state)
	}
	if len(w.r.ended) > 0 {
		require.False(w.t, shown.live || shown.blind, "a connection is ended although there are pictures")
	}
	w.r.ended = nil
}

// which returns what was coded under this name; nil: a slate of the worker's.
func (w *world) which(data string) *coded {
	if data == "slate" {
		return nil
	}
	var i int
	_, err := fmt.Sscan(data, &i)
	require.NoError(w.t, err)
	return &w.codings[i]
}

func (w *world) published(u *transport.RedactedUnit) {
	c := w.which(string(u.Data))
	if c == nil {
		require.Equal(w.t, w.isOffline(), u.State == transport.StateOffline)
		require.NotEqual(w.t, transport.StateLive, u.State)
		if w.shown >= 0 && w.process != 0 && !w.stood { // whatever is under way now is not shown any more
			w.heldBack = len(w.codings)
		}
		w.shown, w.slateAt, w.stood = -1, w.r.now, w.r.stands
		return
	}
	w.mayBeSeen(c, "video")
	require.True(w.t, c.key || c.index == w.shown+1, "a picture goes on from one that was not shown")
	w.shown, w.stood = c.index, w.r.stands
}

// given checks a snapshot.
func (w *world) given(data string) {
	if c := w.which(data); c != nil {
		w.mayBeSeen(c, "snapshot")
	}
}

// mayBeSeen checks what is shown in either form.
func (w *world) mayBeSeen(c *coded, as string) {
	require.Equal(w.t, w.process, c.process, "%s of a redactor that is gone", as)
	require.GreaterOrEqual(w.t, c.index, w.heldBack, "%s that was coded before it hung", as)
	if c.live {
		require.False(w.t, c.unit == w.provisional, "%s of a provisional unit", as)
		require.False(w.t, w.half[c.unit], "%s of half a picture", as)
	}
}

// pass lets time pass, with ticks that are as late as those of a busy machine, and
// checks after each that viewers have a slate where they must.
func (w *world) pass(d time.Duration) {
	latest := rapid.SampledFrom([]time.Duration{tickInterval, tickInterval, lateTick}).Draw(w.rt, "ticks, at most")
	for end := w.r.now.Add(d); w.r.now.Before(end); {
		each := tickInterval
		if latest > each {
			each = time.Duration(rapid.Int64Range(int64(tickInterval), int64(latest)).Draw(w.rt, "tick"))
		}
		w.r.now = w.r.now.Add(each)
		w.say(tick{})
		w.inTime()
	}
}

// inTime checks that a fault that is older than the bound is covered for: the last that
// was published is a slate, and a young one.
func (w *world) inTime() {
	if w.standing.IsZero() || w.r.now.Sub(w.standing) < faultBound {
		return // nobody takes one
	}
	fault := w.gone
	if w.process != 0 && w.greeted {
		fault = w.heard
		if !w.stuck.IsZero() {
			fault = w.stuck
		}
	}
	if fault.IsZero() || w.r.now.Sub(fault) < faultBound {
		return
	}
	require.Negative(w.t, w.shown, "%v after a fault viewers still see a picture", w.r.now.Sub(fault))
	require.Less(w.t, w.r.now.Sub(w.slateAt), faultBound, "no slate")
	old := fault.Add(slateSilence)
	if again := w.r.now.Add(-fenceInterval - lateTick); again.After(old) {
		old = again
	}
	for w.heldBack < len(w.codings) && w.codings[w.heldBack].at.Before(old) {
		w.heldBack++
	}
}

// stalls has this program stand still.
func (w *world) stalls() {
	w.r.now = w.r.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(w.rt, "stands still, ms")) * time.Millisecond)
	if passed := w.r.now.Sub(w.r.m.lastTick); !w.r.m.lastTick.IsZero() && passed > standstill { // what was sent meanwhile is not read yet
		w.sent = w.sent.Add(min(passed-tickInterval, w.r.now.Sub(w.sent)))
	}
	if !w.standing.IsZero() {
		w.standing = w.r.now
	}
	w.say(tick{})
}

// computes has it use much processor time, and send nothing but heartbeats.
func (w *world) computes() {
	for range rapid.IntRange(1, 80).Draw(w.rt, "heartbeats") {
		w.r.used += time.Second
		w.beats()
		w.pass(ipc.HeartbeatInterval)
	}
}

// starts starts the process that is asked for.
func (w *world) starts() {
	if n := len(w.r.starts); n == 0 || w.process != 0 {
		return
	}
	w.process, w.r.starts = w.r.starts[len(w.r.starts)-1].id, nil
	w.greeted, w.fence, w.wantKey, w.pipe, w.heldBack = false, 0, true, nil, len(w.codings)
	w.r.sent = nil
	w.say(processStarted{w.process, 1})
}

func (w *world) greets() {
	if w.process == 0 || w.greeted {
		return
	}
	w.greeted, w.gone, w.heard, w.stuck = true, time.Time{}, w.r.now, time.Time{}
	w.say(messageReceived{w.process, &ipc.Hello{}, nil})
}

// dies: what it had coded is lost.
func (w *world) dies() {
	id := w.process
	w.process, w.greeted, w.pipe, w.gone = 0, false, nil, w.r.now
	w.say(processEnded{id, errors.New("redactor ended")})
	if !w.r.stands {
		require.Negative(w.t, w.shown, "a slate comes at once")
	}
}

// reads has the redactor read all that was sent to it.
func (w *world) reads() {
	for _, it := range w.r.sent {
		if k, ok := it.head.(ipc.Keyframe); ok {
			w.fence, w.wantKey = max(w.fence, k.Fence), true
		}
	}
	w.r.sent = nil
}

// codes has it code a picture of one of the last units, or a slate.
func (w *world) codes() {
	if !w.greeted {
		return
	}
	c := coded{process: w.process, at: w.r.now, index: len(w.codings), fence: w.fence, key: w.wantKey || rapid.Bool().Draw(w.rt, "key")}
	if back := max(rapid.Uint64Range(0, 9).Draw(w.rt, "unit, back"), 5) - 5; back > 0 && w.arrived >= w.last+back {
		c.live, c.unit = true, max(w.arrived-back+1, w.last+1)
		w.last = c.unit
	}
	c.blind = rapid.Bool().Draw(w.rt, "blind")
	w.wantKey = false
	w.codings = append(w.codings, c)
	w.pipe = append(w.pipe, c.index)
}

// delivers hands on what was coded first.
func (w *world) delivers() {
	if len(w.pipe) == 0 {
		return
	}
	c := w.codings[w.pipe[0]]
	w.pipe = w.pipe[1:]
	o := &ipc.Output{
		RedactedUnit: transport.RedactedUnit{
			Epoch: w.r.m.redactor.process.epoch, PTS: rapid.Int64().Draw(w.rt, "pts"), Key: c.key, Codec: "avc1.42c01f", Width: 64, Height: 48,
			State: c.state(),
		}, Fence: c.fence,
	}
	if c.blind {
		o.Reason, o.Fault, o.Unproved = "too dark", transport.FaultBlind, transport.BlindDark
	}
	if c.live {
		o.Record = &ipc.Record{Unit: c.unit}
	}
	w.heard, w.stuck = w.r.now, time.Time{}
	w.say(messageReceived{w.process, o, fmt.Append(nil, c.index)})
}

// snaps hands on a snapshot of something that was coded, be it old.
func (w *world) snaps() {
	if !w.greeted || len(w.codings) == 0 {
		return
	}
	if len(w.snapshots) == 0 {
		w.asks()
	}
	c := w.codings[rapid.IntRange(max(len(w.codings)-20, 0), len(w.codings)-1).Draw(w.rt, "coded")]
	if c.process != w.process || slices.Contains(w.pipe, c.index) {
		return
	}
	s := &ipc.Snapshot{Snapshot: transport.Snapshot{Width: 64, Height: 48, State: c.state()}, Fence: c.fence}
	if c.live {
		s.Unit = c.unit
	}
	w.heard = w.r.now
	w.say(messageReceived{w.process, s, fmt.Append(nil, c.index)})
}

// asks has a viewer ask for a snapshot.
func (w *world) asks() {
	ch := make(chan *transport.Snapshot, 1)
	w.snapshots = append(w.snapshots, ch)
	w.say(snapshotRequested{ch})
}

// works has all work for a while.
func (w *world) works(pictures int) {
	w.starts()
	w.greets()
	for range pictures {
		w.sends()
		w.reads()
		w.codes()
		w.delivers()
		w.pass(tickInterval)
	}
}

// fails has the connection to the camera end, perhaps since the machine wanted that.
func (w *world) fails(byWorker bool) {
	w.lost = w.lost || !byWorker
	w.say(sourceEnded{"x", "no answer", time.Second, byWorker})
}

// lives sends nothing but heartbeats.
func (w *world) lives() {
	for range rapid.IntRange(1, 20).Draw(w.rt, "heartbeats") {
		w.beats()
		w.pass(ipc.HeartbeatInterval)
	}
}

// beats sends a heartbeat; its encoder may be stuck, until it has coded something.
func (w *world) beats() {
	if !w.greeted {
		return
	}
	if w.stuck.IsZero() && rapid.IntRange(0, 9).Draw(w.rt, "stuck") == 0 {
		w.stuck = w.r.now.Add(-time.Duration(rapid.IntRange(1, 100).Draw(w.rt, "for")) * time.Millisecond)
	}
	encoding := time.Duration(0)
	if !w.stuck.IsZero() {
		encoding = w.r.now.Sub(w.stuck)
	}
	w.heard = w.r.now
	w.say(messageReceived{w.process, &ipc.Heartbeat{Encoding: int64(encoding)}, nil})
}

// sends has the camera send a unit.
func (w *world) sends() {
	before := w.r.m.status.s.Counters.UnitsIn
	gap := rapid.IntRange(0, 4).Draw(w.rt, "gap") == 0
	if w.provisional != 0 && gap {
		w.half[w.provisional] = true
	}
	w.arrived++
	u := transport.CameraUnit{Codec: transport.H264, Arrived: w.r.now, Provisional: rapid.Bool().Draw(w.rt, "provisional"), Data: []byte{1}}
	if gap {
		u.Gap = transport.Gap{Kind: transport.GapLoss, Text: "packet loss"}
	}
	w.provisional = 0 // what waited for this may be shown now
	w.sent, w.lost = w.r.now, false
	w.r.do(unitArrived{u})
	w.look()
	if w.provisional = 0; u.Provisional {
		w.provisional = w.arrived
	}
	require.Equal(w.t, before+1, w.r.m.status.s.Counters.UnitsIn, "the camera is read whatever the bus does")
}

// bus has the bus stand, or take all again.
func (w *world) bus() {
	if !w.r.stands {
		w.r.stands, w.standing, w.stood = true, time.Time{}, true
		return
	}
	w.r.stands, w.standing = false, w.r.now
	answers := w.r.unsent
	w.r.unsent = nil
	units := 0
	for _, e := range answers {
		if _, ok := e.(unitSent); ok {
			units++
		}
		w.say(e)
	}
	require.LessOrEqual(w.t, units, maxUnsentUnits, "what waits for the bus is bounded")
}

// The product's promises, over whatever happens in whatever order: the first unit of an
// epoch is a key frame and time goes on; nothing is shown, as video or as a snapshot, that
// was coded before a redactor hung or of a unit that is not known to be whole; a slate
// within half a second of any fault; the camera is offline, and never live, exactly while
// it cannot be reached or sends nothing; it is blind exactly while what viewers get says so,
// and is not connected to again for that; and neither camera nor viewers wait for the bus.
func TestPromisesHoldWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, rapid.Bool().Draw(rt, "lazy"))
		often := func(f func()) func(*rapid.T) { return func(*rapid.T) { f() } }
		rt.Repeat(map[string]func(*rapid.T){
			"camera sends": often(w.sends), "camera sends again": often(w.sends),
			"starts": often(w.starts), "greets": often(w.greets),
			"reads": often(w.reads), "codes": often(w.codes), "codes again": often(w.codes),
			"delivers": often(w.delivers), "delivers again": often(w.delivers),
			"heartbeat": often(w.beats), "lives": often(w.lives), "snapshot": often(w.snaps),
			"snapshot asked": often(w.asks),
			"works":          often(func() { w.works(rapid.IntRange(1, 40).Draw(rt, "pictures")) }),
			"bus stands for long": often(func() {
				if !w.r.stands {
					w.bus()
				}
				w.works(maxUnsentUnits + 5)
				w.bus()
			}),
			"dies": often(func() {
				if w.process != 0 {
					w.dies()
				}
			}),
			"time": often(func() {
				w.pass(time.Duration(rapid.IntRange(1, 60).Draw(rt, "ticks")) * tickInterval)
			}),
			"camera fails":  often(func() { w.fails(false) }),
			"reconnects":    often(func() { w.fails(true) }),
			"key frame":     often(func() { w.say(keyframeRequested{}) }),
			"bus":           often(w.bus),
			"computes":      often(w.computes),
			"stands still":  often(w.stalls),
			"starves":       often(func() { w.r.runnable = !w.r.runnable }),
			"out of turn":   often(func() { w.say(messageReceived{w.process + 1, &ipc.Output{}, nil}) }),
			"writer breaks": often(func() { w.say(processBroken{w.process, errors.New("pipe")}) }),
		})
	})
}
