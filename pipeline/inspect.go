package pipeline

import (
	"context"
	"errors"
	"runtime"
	"time"

	"scrim/redact"
)

// redacted is a frame on its way from the redactor to the encoder.
type redacted struct {
	frame  redact.Frame
	in     *unit
	timing redact.Timing
	// wait is the time in the queue before; done is when redaction ended.
	wait time.Duration
	done time.Time
}

// runRedact is the redact stage. Its thread is locked, since OpenCV keeps
// thread-local state.
func (p *Pipeline) runRedact(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer p.frames.close()
	for {
		d, ok := p.pictures.get(ctx)
		if !ok {
			return nil
		}
		begun := time.Now()
		p.enter(redactStage)
		frame, timing, err := p.redactor.Redact(&d.pic)
		p.leave(redactStage)
		if err != nil {
			p.withhold(d, err)
			continue
		}
		r := &redacted{frame: frame, in: d.in, timing: timing, wait: begun.Sub(d.done), done: time.Now()}
		if old, full := p.frames.put(r); full {
			p.recycle(old)
			p.counts.picturesDropped.Add(1)
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
