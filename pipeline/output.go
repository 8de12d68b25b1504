package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/rules"
	"scrim/transport"
)

const (
	// slateInterval is the time between slates.
	slateInterval = 250 * time.Millisecond
	// The slate replaces the last picture when the next one is stallGrace overdue by
	// the camera's own interval, but not before minStall and not after maxStall. A slow
	// camera is not silent, and its network may be uneven. A fault shows when the next
	// picture is due, so that the slate always comes within minStall of the fault.
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
	// epoch and seq number the output.
	epoch, seq uint64
	// inputEpoch is the epoch of the pictures that the encoder was made for; 0: it has
	// coded only slates.
	inputEpoch    uint64
	fence         uint64 // barrier number when coding of the last unit began
	width, height int
	lastSlate     time.Time
	lastSnapshot  time.Time
	// silentSince is when viewers last got a picture, or a slate because the gate was
	// shut. A stall counts from then.
	silentSince time.Time
	// generation is the gate's at the last picture or slate. Each generation begins
	// with a slate.
	generation uint64
	heap       heapMeter
}

// newOutput returns the state at the start, when nothing is late yet.
func newOutput(p *Pipeline) *output {
	return &output{p: p, epoch: p.o.Epoch, heap: newHeapMeter(), silentSince: p.now()}
}

// runEncode is the encode stage. It wakes up often enough to send slates in time.
func (p *Pipeline) runEncode(ctx context.Context) error {
	out := newOutput(p)
	defer out.close()
	tick := time.NewTicker(p.slateTick)
	defer tick.Stop()
	for {
		j, ok, end := p.frames.try()
		switch {
		case ok:
			if err := out.picture(j); err != nil {
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

// picture sends one redacted picture, unless the gate has been shut since or the
// picture is too old, as happens while the sink blocks.
func (o *output) picture(j *job) error {
	defer o.p.recycle(j)
	if !o.admits(j, o.p.now()) {
		return nil
	}
	im, inspection := j.frame.Image(), j.frame.Inspection()
	if o.enc == nil || o.inputEpoch != inspection.Epoch {
		if err := o.renew(im.Width, im.Height, im.FullRange); err != nil {
			return err
		}
		o.inputEpoch = inspection.Epoch
	}
	if err := o.interrupt(o.p.now()); err != nil {
		return err
	}
	begun := o.p.now()
	if !o.admits(j, begun) { // sending the slate may have taken long
		return nil
	}
	o.silentSince = begun
	o.p.overflow.pictureShown(begun)
	pts := o.clock.picture(j.unit.PTS, begun)
	unit, err := o.encode(j.frame, pts)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	done := o.p.now()
	record := &ipc.Record{
		Picture: inspection.Picture, Unit: j.unit.Number, Arrived: j.unit.Arrived.UnixNano(), Inspected: inspection.Inspected.UnixNano(),
		Regions: ipc.Regions(j.frame.Regions(), im.Bounds(), recordParts),
		Stages: ipc.Stages{
			Queue:  int64(j.decodeBegan.Sub(j.unit.Arrived)),
			Decode: int64(j.decodeTime),
			Wait:   int64(begun.Sub(j.decoded) - j.timing.Sight - j.timing.Detect - j.timing.Motion - j.timing.Track - j.timing.Obscure),
			Sight:  int64(j.timing.Sight), Detect: int64(j.timing.Detect), Motion: int64(j.timing.Motion),
			Track: int64(j.timing.Track), Obscure: int64(j.timing.Obscure),
			Encode: int64(done.Sub(begun)), CPU: cpuTime(), Allocated: o.heap.allocated(),
		},
	}
	head := ipc.Output{RedactedUnit: transport.RedactedUnit{PTS: pts, Captured: j.unit.Captured, State: transport.StateLive}, Record: record}
	sight := j.frame.Sight()
	if !sight.Proved {
		head.Unproved = transport.BlindReason(sight.Why)
	}
	if sight.Blind {
		head.State, head.Reason, head.Fault = transport.StateBlind, sight.Why, transport.FaultBlind
	}
	if err := o.send(unit, head); err != nil {
		return err
	}
	o.copySnapshot(j.frame, done, &head)
	return nil
}

// recordParts is by about how many rectangles the shapes of a picture are listed in its
// record.
const recordParts = 256

// admits reports whether a picture may be sent at the time now, and counts it if not.
func (o *output) admits(j *job, now time.Time) bool {
	if !rules.Admits || o.p.gate.Admits(j.frame, now) {
		return true
	}
	o.p.counts.picturesWithheld.Add(1)
	return false
}

// interrupt sends a slate before a picture if something happened since the previous
// one that viewers have not seen: the gate was shut and has opened again, or a queue
// overflowed.
func (o *output) interrupt(now time.Time) error {
	now = now.Add(-2 * time.Second / transport.ClockRate) // two pictures must not have the same time
	if generation, _, shut := o.p.gate.State(); generation != o.generation {
		if err := o.sendSlate(now, generation, shut, redact.Verdict{}); err != nil {
			return err
		}
		o.silentSince = o.p.now()
	}
	if rules.Overflow && o.p.overflow.reportDue() {
		return o.sendSlate(now, o.generation, causeOverflow, redact.Verdict{})
	}
	return nil
}

// encode codes one frame, as a key frame if one was requested.
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
	var sight redact.Verdict
	if open {
		hidden := o.p.hidden.Load()
		switch {
		case rules.Overflow && o.p.overflow.reportDue():
			return o.sendSlate(now, generation, causeOverflow, redact.Verdict{})
		case hidden != nil && now.Sub(hidden.at) < o.stall():
			why, sight = hidden.cause, hidden.sight
			o.silentSince = now // pictures come
		case !rules.Stall || now.Sub(o.silentSince) < o.stall():
			return nil
		default:
			why = causeStalled
		}
	}
	if now.Sub(o.lastSlate) < slateInterval {
		return nil
	}
	if err := o.sendSlate(now, generation, why, sight); err != nil {
		return err
	}
	if !open {
		// The gate opens before the picture that opens it arrives here. Until that
		// picture is late the camera is not silent, however long the gate was shut.
		o.silentSince = o.p.now()
	}
	return nil
}

// stall returns how long the last picture may stay on the viewers' screens.
func (o *output) stall() time.Duration {
	return stallLimit(time.Duration(o.p.interval.Load()))
}

// stallLimit returns that time for a camera with the given interval.
func stallLimit(interval time.Duration) time.Duration {
	return min(max(interval+stallGrace, minStall), maxStall)
}

// sendSlate sends a slate with the cause of the last Shut, or of silence or blindness
// while the gate is open. sight is that in the picture which a blind camera hides.
func (o *output) sendSlate(now time.Time, generation uint64, why redact.Cause, sight redact.Verdict) error {
	o.lastSlate, o.generation = now, generation
	if o.enc == nil {
		w, h := SlateWidth, SlateHeight
		if s := o.p.inputSize.Load(); s != 0 {
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
	shown := o.p.time.wall() // as on people's clocks, even after they were set
	frame := o.slate.Frame(why.Text, o.p.o.Camera, shown.UTC().Format("2006-01-02 15:04:05 UTC"))
	pts := o.clock.slate(now)
	unit, err := o.encode(frame, pts)
	if err != nil {
		return fmt.Errorf("encode slate: %w", err)
	}
	head := ipc.Output{
		RedactedUnit: transport.RedactedUnit{PTS: pts, Captured: shown, State: transport.StateObscured, Reason: why.Text},
		Fault:        transport.Fault(why.Fault),
	}
	if why.Fault == redact.FaultBlind {
		head.Unproved = transport.BlindReason(sight.Why)
		if sight.Blind {
			head.State, head.Reason = transport.StateBlind, strings.TrimPrefix(why.Text, "blind: ")
		}
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
	head.Sight = o.p.sight.Swap(nil)
	if err := o.p.o.Sink(head, unit.Data); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// renew opens a new encoder and begins a new epoch of the output.
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
