package pipeline

import (
	"context"
	"errors"
	"runtime"

	"scrim/pipeline/ipc"
	"scrim/redact"
)

// runRedact is the redact stage. Its thread is locked, because OpenCV keeps
// thread-local state.
func (p *Pipeline) runRedact(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer p.frames.close()
	held := make(map[*redact.Picture]*job)
	for {
		j, ok := p.pictures.get(ctx)
		if !ok {
			p.enter(redactStage)
			outcomes := p.redactor.Flush()
			p.leave(redactStage)
			// Nothing follows that these could delay, so none is dropped.
			p.passOn(held, outcomes, func(j *job) (*job, bool) { return j, !p.frames.offer(ctx, j) })
			return nil
		}
		held[&j.pic] = j
		p.enter(redactStage)
		outcomes := p.redactor.Redact(&j.pic)
		p.noteSelfTest()
		p.noteSight()
		p.leave(redactStage)
		p.passOn(held, outcomes, p.frames.put)
	}
}

// noteSelfTest adds the result of a new self-test to the next output.
func (p *Pipeline) noteSelfTest() {
	t := p.redactor.LastSelfTest()
	if last := p.selfTest.Load(); t.At.IsZero() || last != nil && last.At == t.At.UnixNano() {
		return
	}
	result := &ipc.SelfTest{At: t.At.UnixNano()}
	if t.Err != nil {
		result.Failure = t.Err.Error()
		p.o.Log.Error("self-test failed", "error", t.Err)
	}
	p.selfTest.Store(result)
}

// passOn sends what the redactor has released to the encode stage. put returns the job
// that it drops, if any.
func (p *Pipeline) passOn(held map[*redact.Picture]*job, outcomes []redact.Outcome, put func(*job) (*job, bool)) {
	for _, o := range outcomes {
		j := held[o.Picture]
		delete(held, o.Picture)
		if o.Err != nil {
			p.withhold(j, o)
			continue
		}
		p.hidden.Store(nil)
		j.frame, j.timing = o.Frame, o.Timing
		if old, full := put(j); full {
			p.recycle(old)
			p.counts.picturesDropped.Add(1)
			p.overflow.dropped(p.now(), old.unit.Arrived, frameQueue)
		}
	}
}

// withhold counts a picture that is not shown. Faults are logged. That the gate is
// shut, the input incomplete, or the camera blind is not: the slate shows it.
func (p *Pipeline) withhold(j *job, o redact.Outcome) {
	p.pool.Put(j.pic.Image)
	p.counts.picturesWithheld.Add(1)
	var w *redact.WithheldError
	if !errors.As(o.Err, &w) || w.Err != nil {
		p.o.Log.Warn("picture withheld", "picture", j.pic.Number, "error", o.Err)
		return
	}
	if w.Cause.Fault == redact.FaultBlind {
		p.hidden.Store(&hidden{cause: w.Cause, sight: o.Sight, at: p.now()})
	}
}

// recycle returns the picture of a frame to the pool.
func (p *Pipeline) recycle(j *job) { p.pool.Put(j.frame.Image()) }
