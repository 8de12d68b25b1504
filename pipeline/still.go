package pipeline

import (
	"context"
	"time"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/transport"
)

// still is a copy of a frame that becomes a JPEG.
type still struct {
	picture *encode.Snapshot
	head    ipc.Snapshot
}

// Snapshot asks for a JPEG of the next frame that is coded, redacted picture or
// slate. Those that are asked for within ipc.SnapshotInterval are one.
func (p *Pipeline) Snapshot() { p.snapshot.Store(true) }

// snap copies a frame that has been sent with this head, if a snapshot is wanted and
// due.
func (o *output) snap(f redact.Frame, now time.Time, sent *ipc.Output) {
	if o.p.o.Still == nil || now.Sub(o.lastStill) < ipc.SnapshotInterval || !o.p.snapshot.Swap(false) {
		return
	}
	o.lastStill = now
	picture, err := encode.NewSnapshot(f)
	if err != nil {
		o.p.o.Log.Warn("no snapshot", "error", err)
		return
	}
	s := still{picture, ipc.Snapshot{
		Captured: sent.Captured, Width: o.width, Height: o.height, State: sent.State, Reason: sent.Reason, Fence: o.fence,
	}}
	if sent.Record != nil {
		s.head.Unit = sent.Record.Unit
	}
	select {
	case o.p.stills <- s:
	default: // the last one is not coded yet, a second later
	}
}

// runStills codes snapshots. It is not a stage: pictures do not wait for it.
func (p *Pipeline) runStills(ctx context.Context) {
	for {
		select {
		case s := <-p.stills:
			data, err := s.picture.JPEG(transport.MaxSnapshotBytes)
			if err == nil {
				err = p.o.Still(s.head, data)
			}
			if err != nil && ctx.Err() == nil {
				p.o.Log.Warn("no snapshot", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
