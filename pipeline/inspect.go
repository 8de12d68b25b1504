package pipeline

import (
	"context"
	"errors"
	"runtime"
	"time"

	"scrim/pipeline/ipc"
	"scrim/redact"
)

// redacted is a frame on its way from the redactor to the encoder.
type redacted struct {
	frame  redact.Frame
	in     *unit
	timing redact.Timing
	// decoded is when decoding ended.
	decoded time.Time
}

// runRedact is the redact stage. Its thread is locked, since OpenCV keeps
// thread-local state.
func (p *Pipeline) runRedact(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer p.frames.close()
	held := make(map[*redact.Picture]*decoded)
	for {
		d, ok := p.pictures.get(ctx)
		if !ok {
			p.enter(redactStage)
			outcomes := p.redactor.Flush()
			p.leave(redactStage)
			// Nothing comes behind these that they could make late.
			p.hand(held, outcomes, func(r *redacted) (*redacted, bool) { return r, !p.frames.offer(ctx, r) })
			return nil
		}
		held[&d.pic] = d
		p.enter(redactStage)
		outcomes := p.redactor.Redact(&d.pic)
		p.noteSelfTest()
		p.leave(redactStage)
		p.hand(held, outcomes, p.frames.put)
	}
}

// noteSelfTest lets the next output say how the last self-test went.
func (p *Pipeline) noteSelfTest() {
	t := p.redactor.LastSelfTest()
	if last := p.selfTest.Load(); t.At.IsZero() || last != nil && last.At == t.At.UnixNano() {
		return
	}
	said := &ipc.SelfTest{At: t.At.UnixNano()}
	if t.Err != nil {
		said.Failure = t.Err.Error()
		p.o.Log.Error("self-test failed", "error", t.Err)
	}
	p.selfTest.Store(said)
}

// hand passes on what the redactor has released. put returns the frame that it
// drops, if it drops one.
func (p *Pipeline) hand(held map[*redact.Picture]*decoded, outcomes []redact.Outcome, put func(*redacted) (*redacted, bool)) {
	for _, o := range outcomes {
		d := held[o.Picture]
		delete(held, o.Picture)
		if o.Err != nil {
			p.withhold(d, o.Err)
			continue
		}
		r := &redacted{frame: o.Frame, in: d.in, timing: o.Timing, decoded: d.done}
		if old, full := put(r); full {
			p.recycle(old)
			p.counts.picturesDropped.Add(1)
			p.overflow.dropped(p.now(), old.in.Arrived, frameQueue)
		}
	}
}

// withhold counts a picture that is not shown. A fault is logged; that the
// gate is shut, or the input not complete, is said by the slate.
func (p *Pipeline) withhold(d *decoded, err error) {
	p.pool.Put(d.pic.Image)
	p.counts.picturesWithheld.Add(1)
	var w *redact.WithheldError
	if !errors.As(err, &w) || w.Err != nil {
		p.o.Log.Warn("picture withheld", "picture", d.pic.Number, "error", err)
	}
}

// recycle gives a frame's picture back to the pool.
func (p *Pipeline) recycle(r *redacted) { p.pool.Put(r.frame.Image()) }
