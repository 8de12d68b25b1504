package pipeline

import (
	"context"
	"fmt"
	"time"

	"scrim/pipeline/encode"
	"scrim/pipeline/wire"
	"scrim/redact"
	"scrim/redact/guard"
	"scrim/transport"
)

const (
	// slateInterval is the time between slates.
	slateInterval = 250 * time.Millisecond
	// stallIntervals is how many picture intervals of the camera may pass
	// without a picture, within minStall and maxStall, before the slate comes.
	stallIntervals = 6
	minStall       = 500 * time.Millisecond
	maxStall       = 2 * time.Second
	// slateWidth and slateHeight are used until the camera's size is known.
	slateWidth, slateHeight = 1280, 720
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
	width, height int
	lastPicture   time.Time
	lastSlate     time.Time
	heap          heapMeter
}

// runEncode is the encode stage. It wakes often enough to send a slate in time.
func (p *Pipeline) runEncode(ctx context.Context) error {
	out := &output{p: p, epoch: p.o.Epoch, heap: newHeapMeter()}
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
	begun := o.p.now()
	if guard.Admits && !o.p.gate.Admits(r.frame, begun) {
		o.p.counts.picturesWithheld.Add(1)
		return nil
	}
	im, c := r.frame.Image(), r.frame.Certificate()
	if o.enc == nil || o.in != c.Epoch {
		if err := o.renew(im.Width, im.Height, im.FullRange); err != nil {
			return err
		}
		o.in = c.Epoch
	}
	o.lastPicture = begun
	pts := o.clock.picture(r.in.pts, begun)
	unit, err := o.encode(r.frame, pts)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	done := o.p.now()
	record := &wire.Record{
		Picture: c.Picture, Arrived: r.in.arrived.UnixNano(), Inspected: c.Inspected.UnixNano(),
		Regions: make([]wire.Region, 0, len(r.frame.Regions())),
		Stages: wire.Stages{
			Queue:  int64(r.in.begun.Sub(r.in.arrived)),
			Decode: int64(r.in.cost),
			Wait:   int64(begun.Sub(r.decoded) - r.timing.Detect - r.timing.Track - r.timing.Obscure),
			Detect: int64(r.timing.Detect), Track: int64(r.timing.Track), Obscure: int64(r.timing.Obscure),
			Encode: int64(done.Sub(begun)), CPU: cpuTime(), Allocated: o.heap.allocated(),
		},
	}
	for _, g := range r.frame.Regions() {
		rect := g.Rect.Intersect(im.Bounds())
		record.Regions = append(record.Regions, wire.Region{
			Rect:  [4]int{rect.Min.X, rect.Min.Y, rect.Dx(), rect.Dy()},
			Score: g.Score, Source: string(g.Source), Track: g.Track,
		})
	}
	return o.send(unit, wire.Output{
		PTS: pts, Captured: r.in.captured.UnixNano(), State: transport.StateLive, Record: record,
	})
}

// encode codes one frame, with a key frame where one was asked for.
func (o *output) encode(f redact.Frame, pts int64) (encode.Unit, error) {
	o.p.enter(encodeStage)
	defer o.p.leave(encodeStage)
	return o.enc.Encode(f, pts, o.p.keyframe.Swap(false))
}

// idle sends a slate when one is due.
func (o *output) idle(now time.Time) error {
	open, reason := o.p.gate.State()
	if open {
		if now.Sub(o.lastPicture) < o.stall() {
			return nil
		}
		reason = reasonStalled
	}
	if now.Sub(o.lastSlate) < slateInterval {
		return nil
	}
	o.lastSlate = now
	return o.sendSlate(now, reason)
}

// stall is how long the last picture may stay on the viewers' screens.
func (o *output) stall() time.Duration {
	return min(max(stallIntervals*time.Duration(o.p.interval.Load()), minStall), maxStall)
}

func (o *output) sendSlate(now time.Time, reason string) error {
	if o.enc == nil {
		w, h := slateWidth, slateHeight
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
	frame := o.slate.Frame(reason, o.p.o.Camera, shown.UTC().Format("2006-01-02 15:04:05 UTC"))
	pts := o.clock.slate(now)
	unit, err := o.encode(frame, pts)
	if err != nil {
		return fmt.Errorf("encode slate: %w", err)
	}
	return o.send(unit, wire.Output{PTS: pts, Captured: shown.UnixNano(), State: transport.StateObscured, Reason: reason})
}

// send hands a coded unit to the sink.
func (o *output) send(unit encode.Unit, head wire.Output) error {
	o.seq++
	head.Epoch, head.Seq, head.Key, head.Codec = o.epoch, o.seq, unit.Key, o.enc.Codec()
	head.Width, head.Height = o.width, o.height
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
	return nil
}

func (o *output) close() {
	if o.enc != nil {
		o.enc.Close()
		o.enc = nil
	}
}
