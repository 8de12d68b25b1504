package pipeline

import (
	"context"
	"fmt"
	"time"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
	"scrim/redact/rules"
	"scrim/transport"
)

const (
	// slateInterval is the time between slates.
	slateInterval = 250 * time.Millisecond
	// stallGrace is how long after it was due, by the camera's own interval, the
	// next picture may come, within minStall and maxStall after the last one,
	// before the slate does. A camera that is slow by itself is not silent, and its
	// network may be uneven; a fault of it is seen when the next picture is due, so
	// that the slate comes within minStall of that in any case.
	stallGrace = 300 * time.Millisecond
	minStall   = 500 * time.Millisecond
	maxStall   = 2 * time.Second
)

// output is the state of the encode stage.
type output struct {
	p     *Pipeline
	enc   encoder
	clock clock
	slate *redact.Slate
	// epoch and seq are those of the output; in is the epoch of the input that
	// the encoder was made for, 0 while it has coded slates only.
	epoch, seq    uint64
	in            uint64
	fence         uint64 // when the coding of the last unit began
	width, height int
	lastSlate     time.Time
	lastSnapshot  time.Time
	// silentFrom is from when on silence counts as a stall: when viewers last got a
	// picture, or a slate of a gate that was shut.
	silentFrom time.Time
	// generation is that of the newest picture or slate: every other begins with a slate.
	generation uint64
	heap       heapMeter
}

// newOutput returns the state at the start. Nothing is late yet.
func newOutput(p *Pipeline) *output {
	return &output{p: p, epoch: p.o.Epoch, heap: newHeapMeter(), silentFrom: p.now()}
}

// runEncode is the encode stage. It wakes often enough to send a slate in time.
func (p *Pipeline) runEncode(ctx context.Context) error {
	out := newOutput(p)
	defer out.close()
	tick := time.NewTicker(p.slateTick)
	defer tick.Stop()
	for {
		r, ok, end := p.frames.try()
		switch {
		case ok:
			if err := out.picture(r); err != nil {
				return err
			}
			continue
		case end:
			return nil
		}
		select {
		case <-p.frames.ready:
		case <-tick.C:
			if err := out.idle(p.now()); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// picture sends one redacted picture, unless the gate has been shut since or
// the picture has grown old, as it does while the sink blocks.
func (o *output) picture(r *redacted) error {
	defer o.p.recycle(r)
	if !o.admits(r, o.p.now()) {
		return nil
	}
	im, c := r.frame.Image(), r.frame.Inspection()
	if o.enc == nil || o.in != c.Epoch {
		if err := o.renew(im.Width, im.Height, im.FullRange); err != nil {
			return err
		}
		o.in = c.Epoch
	}
	if err := o.interrupt(o.p.now()); err != nil {
		return err
	}
	begun := o.p.now()
	if !o.admits(r, begun) { // the slate may have blocked in the sink for long
		return nil
	}
	o.silentFrom = begun
	o.p.overflow.pictureShown(begun)
	pts := o.clock.picture(r.in.PTS, begun)
	unit, err := o.encode(r.frame, pts)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	done := o.p.now()
	record := &ipc.Record{
		Picture: c.Picture, Unit: r.in.Number, Arrived: r.in.Arrived.UnixNano(), Inspected: c.Inspected.UnixNano(),
		Regions: make([]geom.Region, 0, len(r.frame.Regions())),
		Stages: ipc.Stages{
			Queue:  int64(r.in.begun.Sub(r.in.Arrived)),
			Decode: int64(r.in.cost),
			Wait:   int64(begun.Sub(r.decoded) - r.timing.Detect - r.timing.Track - r.timing.Obscure),
			Detect: int64(r.timing.Detect), Track: int64(r.timing.Track), Obscure: int64(r.timing.Obscure),
			Encode: int64(done.Sub(begun)), CPU: cpuTime(), Allocated: o.heap.allocated(),
		},
	}
	for _, g := range r.frame.Regions() {
		record.Regions = append(record.Regions, g.Cut(im.Bounds()))
	}
	head := ipc.Output{PTS: pts, Captured: r.in.Captured.UnixNano(), State: transport.StateLive, Record: record}
	if err := o.send(unit, head); err != nil {
		return err
	}
	o.copySnapshot(r.frame, done, &head)
	return nil
}

// admits reports whether a picture may be sent at the time now, and counts it when
// it may not.
func (o *output) admits(r *redacted, now time.Time) bool {
	if !rules.Admits || o.p.gate.Admits(r.frame, now) {
		return true
	}
	o.p.counts.picturesWithheld.Add(1)
	return false
}

// interrupt sends a slate before a picture when something came between it and
// the one before that viewers were not told: the gate was shut and has opened
// again since the last slate, or pictures overflowed.
func (o *output) interrupt(now time.Time) error {
	now = now.Add(-2 * time.Second / transport.ClockRate) // two pictures have no one time
	if generation, _, shut := o.p.gate.State(); generation != o.generation {
		if err := o.sendSlate(now, generation, shut); err != nil {
			return err
		}
		o.silentFrom = o.p.now()
	}
	if rules.Overflow && o.p.overflow.reportDue() {
		return o.sendSlate(now, o.generation, causeOverflow)
	}
	return nil
}

// encode codes one frame, with a key frame where one was asked for.
func (o *output) encode(f redact.Frame, pts int64) (encode.Unit, error) {
	o.p.enter(encodeStage)
	defer o.p.leave(encodeStage)
	key := o.p.keyframe.Swap(false)
	o.fence = o.p.fence.Load()
	return o.enc.Encode(f, pts, key)
}

// idle sends a slate when one is due.
func (o *output) idle(now time.Time) error {
	generation, open, why := o.p.gate.State()
	if open {
		switch {
		case rules.Overflow && o.p.overflow.reportDue():
			return o.sendSlate(now, generation, causeOverflow)
		case !rules.Stall || now.Sub(o.silentFrom) < o.stall():
			return nil
		}
		why = causeStalled
	}
	if now.Sub(o.lastSlate) < slateInterval {
		return nil
	}
	if err := o.sendSlate(now, generation, why); err != nil {
		return err
	}
	if !open {
		// The gate opens before the picture that opens it gets here. Until that is
		// late the camera is not silent, however long the gate was shut.
		o.silentFrom = o.p.now()
	}
	return nil
}

// stall is how long the last picture may stay on the viewers' screens.
func (o *output) stall() time.Duration {
	return stallLimit(time.Duration(o.p.interval.Load()))
}

// stallLimit is stall for a camera's interval.
func stallLimit(interval time.Duration) time.Duration {
	return min(max(interval+stallGrace, minStall), maxStall)
}

// sendSlate sends a slate that shows why the generation began, or why nothing comes
// although the gate is open.
func (o *output) sendSlate(now time.Time, generation uint64, why redact.Cause) error {
	o.lastSlate, o.generation = now, generation
	if o.enc == nil {
		w, h := SlateWidth, SlateHeight
		if s := o.p.size.Load(); s != 0 {
			w, h = int(s>>32), int(s&0xffffffff) //nolint:gosec // two sizes in one word
		}
		if err := o.renew(w, h, false); err != nil {
			return err
		}
	}
	if o.slate == nil {
		s, err := redact.NewSlate(o.width, o.height)
		if err != nil {
			return fmt.Errorf("slate: %w", err)
		}
		o.slate = s
	}
	shown := o.p.time.wall() // what people's clocks say, also after they were set
	frame := o.slate.Frame(why.Text, o.p.o.Camera, shown.UTC().Format("2006-01-02 15:04:05 UTC"))
	pts := o.clock.slate(now)
	unit, err := o.encode(frame, pts)
	if err != nil {
		return fmt.Errorf("encode slate: %w", err)
	}
	head := ipc.Output{
		PTS: pts, Captured: shown.UnixNano(), State: transport.StateObscured, Reason: why.Text, Fault: transport.Fault(why.Fault),
	}
	if err := o.send(unit, head); err != nil {
		return err
	}
	o.copySnapshot(frame, now, &head)
	return nil
}

// send hands a coded unit to the sink.
func (o *output) send(unit encode.Unit, head ipc.Output) error {
	o.seq++
	head.Epoch, head.Seq, head.Key, head.Codec = o.epoch, o.seq, unit.Key, o.enc.Codec()
	head.Width, head.Height = o.width, o.height
	head.Fence = o.fence
	head.Counts = o.p.counts.snapshot()
	head.SelfTest = o.p.selfTest.Load()
	if err := o.p.o.Sink(head, unit.Data); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// renew makes a new encoder and begins a new epoch of the output.
func (o *output) renew(width, height int, fullRange bool) error {
	o.p.enter(encodeStage)
	defer o.p.leave(encodeStage)
	o.close()
	enc, err := o.p.newEncoder(width, height, encode.Options{
		Bitrate: o.p.o.Encode.Bitrate, Preset: o.p.o.Encode.Preset, KeyframeInterval: o.p.o.Encode.KeyframeInterval,
		FullRange: fullRange,
	})
	if err != nil {
		return fmt.Errorf("encoder for %d×%d: %w", width, height, err)
	}
	if o.seq > 0 {
		o.epoch++
	}
	o.enc, o.seq, o.slate = enc, 0, nil
	o.width, o.height = width, height
	o.p.resize(slateSize{width, height, fullRange})
	return nil
}

func (o *output) close() {
	if o.enc != nil {
		o.enc.Close()
		o.enc = nil
	}
}
