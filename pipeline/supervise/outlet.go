package supervise

import (
	"maps"
	"slices"
	"sync"
	"time"

	"scrim/pipeline/wire"
	"scrim/transport"
)

const (
	// quiet is how long a redactor may send nothing, not even a beat, before
	// viewers get a slate of the worker's. With coverTick that is less than the half
	// second in which a fault must end in a slate, and it is several beats.
	quiet = 4 * wire.BeatInterval
	// encoding is how long its encoder may be at one picture. The beat that says so
	// may be a beat's interval old.
	encoding = quiet - wire.BeatInterval
	// coverTick is the time between looks at that.
	coverTick = wire.BeatInterval / 4
	// slateInterval is the time between slates, as in a redactor.
	slateInterval = 250 * time.Millisecond
	// maxAhead is by how much a redactor's clock may be ahead, in ticks.
	maxAhead = 24 * 60 * 60 * transport.ClockRate
	// fenceInterval is the time after which a key frame is asked for once more.
	fenceInterval = time.Second
)

// maxClasses bounds the classes of stills, of which there are a few.
const maxClasses = 8

// maxRefused bounds how many units are remembered of which nothing is shown. It is more
// than are under way at any time.
const maxRefused = 2 * maxQueuedUnits

// spare is a slate that a redactor has coded beforehand.
type spare struct {
	wire.Spare
	data []byte
}

// spareForm is what decoders are set up for: it is one throughout an epoch.
type spareForm struct {
	codec         string
	width, height int
}

// cover is why viewers get slates of the worker's, and which.
type cover struct {
	class  wire.SpareClass
	fault  transport.Fault
	reason string
}

// starting covers the time before the first output of the first redactor.
var starting = cover{class: wire.SpareStarting, reason: "starting"}

// outlet is the only way to the sink. Whoever made the units, one redactor, the
// next, or nobody, while spares are repeated, viewers get one stream: epochs
// grow, numbers have no gaps, time goes on, and every change from one to the
// other begins with a key frame. It is safe for concurrent use.
type outlet struct {
	c *Camera

	mu     sync.Mutex
	spares map[wire.SpareClass][]spare // all of one size
	stills map[wire.SpareClass]spare   // the same as JPEGs
	life   *process                    // whose units may pass; nil: there is none
	heard  time.Time                   // when it last said something; zero: before its greeting
	looked time.Time                   // when heard was last looked at
	coding time.Duration               // for how long its encoder is at one picture, as it said last

	cover  *cover // nil: what life sends is shown
	slated time.Time
	turn   int       // of the parts of a spare
	format spareForm // of the spare that was published last
	// standing is set while life is covered for although it lives. What it then
	// sends is not shown before it says at least floor, the last fence. fenced is
	// when it was last told.
	standing     bool
	fence, floor uint64
	fenced       time.Time

	// unproven is when the camera's unit arrived of which it is not known yet that
	// it is whole, in Unix nanoseconds; 0: there is none. held is what was made of
	// it, once that has come, and heldStill the snapshot of that. refused are the
	// last that turned out not to be whole.
	unproven  int64
	held      *made
	heldStill *taken
	refused   []int64

	// Of what was published last: who made it, its numbers, and when.
	maker      *process // nil: a spare
	makerEpoch uint64
	epoch, seq uint64
	pts, shift int64 // shift is added to the maker's
	at         time.Time
}

// made is a unit of a redactor, and its record.
type made struct {
	p *process
	w *wire.Output
	u *transport.RedactedUnit
}

func newOutlet(c *Camera) *outlet {
	return &outlet{c: c, spares: make(map[wire.SpareClass][]spare), stills: make(map[wire.SpareClass]spare), cover: &starting}
}

// follow goes on with the stream of another, which has ended.
func (o *outlet) follow(b *outlet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(o.spares, b.spares)
	maps.Copy(o.stills, b.stills)
	o.epoch, o.pts, o.at = b.epoch, b.pts, b.at
}

// begin lets a redactor that was started take the place of the last one. Until
// its first unit what covered the time before goes on.
func (o *outlet) begin(p *process) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.life, o.heard, o.coding, o.standing, o.floor, o.held, o.heldStill = p, time.Time{}, 0, false, 0, nil, nil
	if o.cover == nil {
		o.cover = &starting
	}
}

// greeted notes that the redactor has come up.
func (o *outlet) greeted(p *process) { o.beat(p, wire.Beat{}) }

// beat notes that the redactor lives.
func (o *outlet) beat(p *process, b wire.Beat) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.life == p {
		o.heard, o.coding = time.Now(), time.Duration(b.Encoding)
	}
}

// spare keeps a slate. The first of a redactor that has not come up, which does
// not know the camera's size yet, replace none that are there.
func (o *outlet) spare(s wire.Spare, data []byte, greeted bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s.Still {
		if _, have := o.stills[s.Class]; !have && len(o.stills) < maxClasses || have && greeted {
			o.stills[s.Class] = spare{s, data}
			o.giveSlate()
		}
		return
	}
	if have := o.spares[s.Class]; !greeted && len(have) >= wire.SpareParts {
		return
	}
	if s.Part == 0 {
		o.spares[s.Class] = nil
	}
	if len(o.spares[s.Class]) < wire.SpareParts {
		o.spares[s.Class] = append(o.spares[s.Class], spare{s, data})
	}
}

// haveSpares reports whether there are slates of every kind, in both forms.
func (o *outlet) haveSpares() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, class := range wire.SpareClasses {
		if len(o.spares[class]) < wire.SpareParts || o.stills[class].data == nil {
			return false
		}
	}
	return true
}

// ended covers for a redactor that has ended, or could not be started, from this
// moment on.
func (o *outlet) ended(c cover) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.life, o.standing, o.held, o.heldStill = nil, false, nil, nil
	o.hide(c, time.Now())
}

// tick covers for a redactor that hangs, and goes on covering.
func (o *outlet) tick(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if late := now.Sub(o.looked) - coverTick; !o.looked.IsZero() && late > 0 && !o.heard.IsZero() {
		o.heard = o.heard.Add(late) // that was this process, not the other
		if o.heard.After(now) {
			o.heard = now
		}
	}
	o.looked = now
	if o.life == nil || o.heard.IsZero() {
		o.show(now)
		return
	}
	switch {
	case o.standing && now.Sub(o.fenced) < fenceInterval:
	case o.standing:
		o.ask(now)
	case now.Sub(o.heard) > quiet:
		o.stand(cover{wire.SpareHang, transport.FaultHang, "redactor sends nothing"}, now)
	case o.coding > encoding:
		o.stand(cover{wire.SpareHang, transport.FaultHang, "redactor's encoder does not come back"}, now)
	}
	o.show(now)
}

// stand covers for a redactor that lives. What it had under way is not shown any
// more should it come back: it goes on with a key frame that it is asked for now.
func (o *outlet) stand(c cover, now time.Time) {
	o.fence++
	o.floor, o.standing, o.held = o.fence, true, nil
	o.ask(now)
	o.dropHeldStill()
	o.hide(c, now)
}

func (o *outlet) ask(now time.Time) {
	o.fenced = now
	o.c.queue.command(wire.TypeKeyframe, wire.Keyframe{Fence: o.fence})
}

// hide begins to cover. Whoever waits for a snapshot gets the slate: that for which the
// redactor was asked may never come.
func (o *outlet) hide(c cover, now time.Time) {
	o.cover, o.slated = &c, time.Time{}
	o.giveSlate()
	o.show(now)
}

// show publishes the next slate when one is due.
func (o *outlet) show(now time.Time) {
	if o.cover == nil || now.Sub(o.slated) < slateInterval {
		return
	}
	o.slated = now
	parts := o.spares[o.cover.class]
	if len(parts) == 0 {
		if o.cover != &starting {
			o.c.state.unshown(*o.cover)
		}
		return
	}
	s := parts[o.turn%len(parts)]
	o.turn++
	u := &transport.RedactedUnit{
		Captured: now, Key: true, Codec: s.Codec, Width: s.Width, Height: s.Height, State: transport.StateObscured,
		Reason: o.cover.reason, Data: s.data,
	}
	if form := (spareForm{s.Codec, s.Width, s.Height}); o.maker != nil || o.epoch == 0 || o.format != form {
		o.maker, o.makerEpoch, o.epoch, o.seq, o.format = nil, 0, o.c.nextEpoch(), 0, form
	}
	u.PTS = o.due(now)
	err := o.publish(u, now)
	o.c.state.covered(u, *o.cover, err)
	if o.c.o.Observe != nil {
		o.c.o.Observe(u, nil)
	}
}

// due is the PTS of what is made now, however the wall clock was set meanwhile.
func (o *outlet) due(now time.Time) int64 {
	if o.at.IsZero() {
		return max(now.UnixMilli()*(transport.ClockRate/1000), 1)
	}
	return o.pts + now.Sub(o.at).Microseconds()*transport.ClockRate/1_000_000
}

// unit publishes what a redactor has made.
func (o *outlet) unit(p *process, w *wire.Output, u *transport.RedactedUnit) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if o.life != p {
		return
	}
	o.heard = now
	another := o.maker != p || o.makerEpoch != u.Epoch
	if w.Fence < o.floor || another && !u.Key {
		return // from before it hung, or of no use without what was not shown
	}
	of := int64(0)
	if w.Record != nil {
		of = w.Record.Arrived
	}
	switch {
	case slices.Contains(o.refused, of):
		return
	case of != 0 && of == o.unproven:
		o.held = &made{p, w, u}
		return
	case o.held != nil: // the camera is silent, and this goes on from what is not shown
		o.refuse(now)
		return
	}
	o.pass(&made{p, w, u}, now)
}

// arrived takes note of a unit of the camera, before a redactor gets it. It proves
// whether the one before was whole.
func (o *outlet) arrived(c *transport.CameraUnit) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	switch held, still := o.held, o.heldStill; {
	case o.unproven == 0:
	case c.Discontinuity != "":
		o.refuse(now)
	default:
		o.unproven, o.held, o.heldStill = 0, nil, nil
		if held != nil {
			o.pass(held, now)
		}
		if still != nil {
			o.passStill(still)
		}
	}
	if c.Unproven {
		o.unproven = c.Arrived.UnixNano()
	}
}

// refuse drops what was made of a unit that is not known to be whole, also where
// that is still to come, and all that goes on from it.
func (o *outlet) refuse(now time.Time) {
	if o.refused = append(o.refused, o.unproven); len(o.refused) > maxRefused {
		o.refused = slices.Delete(o.refused, 0, 1)
	}
	o.unproven, o.held = 0, nil
	o.dropHeldStill()
	if o.life != nil && o.cover == nil {
		o.stand(cover{wire.SpareStarting, transport.FaultLoss, "picture without end"}, now)
	}
}

// pass publishes a unit.
func (o *outlet) pass(m *made, now time.Time) {
	p, w, u := m.p, m.w, m.u
	another := o.maker != p || o.makerEpoch != u.Epoch
	if another {
		o.maker, o.makerEpoch, o.epoch, o.seq, o.shift = p, u.Epoch, max(o.epoch+1, u.Epoch), 0, 0
		o.c.used(o.epoch)
		if u.PTS <= o.pts {
			o.shift = o.pts + 1 - u.PTS
		}
	}
	if o.cover != nil && o.c.stills.wanted() {
		o.askStill()
	}
	o.cover, o.coding, o.standing = nil, 0, false
	u.PTS += o.shift
	if u.PTS < 0 || u.PTS > o.due(now)+maxAhead { // else nothing could come after it
		o.shift += o.pts + 1 - u.PTS
		u.PTS = o.pts + 1
	}
	err := o.publish(u, now)
	o.c.state.output(u, w, err)
	if o.c.o.Observe != nil {
		o.c.o.Observe(u, w.Record)
	}
	o.heard = time.Now() // the sink's time is not the redactor's
}

// publish hands a unit to the sink.
func (o *outlet) publish(u *transport.RedactedUnit, now time.Time) error {
	o.seq++
	u.Camera, u.Rendition = o.c.o.Redactor.Camera, transport.MainRendition
	u.Epoch, u.Seq, u.PTS = o.epoch, o.seq, max(u.PTS, o.pts+1)
	o.pts, o.at = u.PTS, now
	return o.c.o.Sink.Publish(u)
}
