package pipeline

import (
	"context"
	"time"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/transport"
)

// pendingSnapshot is a copy of a frame that becomes a JPEG.
type pendingSnapshot struct {
	picture *encode.Snapshot
	head    ipc.Snapshot
}

// Snapshot requests a JPEG of the next frame that is coded, redacted picture or
// slate. Requests within ipc.SnapshotInterval are merged.
func (p *Pipeline) Snapshot() { p.snapshotWanted.Store(true) }

// copySnapshot copies a frame that was sent with the given head, if a snapshot is
// wanted and due.
func (o *output) copySnapshot(f redact.Frame, now time.Time, sent *ipc.Output) {
	if o.p.o.Snapshots == nil || now.Sub(o.lastSnapshot) < ipc.SnapshotInterval || !o.p.snapshotWanted.Swap(false) {
		return
	}
	o.lastSnapshot = now
	picture, err := encode.NewSnapshot(f)
	if err != nil {
		o.p.o.Log.Warn("no snapshot", "error", err)
		return
	}
	s := pendingSnapshot{picture, ipc.Snapshot{
		Snapshot: transport.Snapshot{Captured: sent.Captured, Width: o.width, Height: o.height, State: sent.State, Reason: sent.Reason},
		Fence:    o.fence,
	}}
	if sent.Record != nil {
		s.head.Unit = sent.Record.Unit
	}
	select {
	case o.p.snapshots <- s:
	default: // the previous one is not coded yet, after a whole interval
	}
}

// runSnapshots codes snapshots. It is not a stage: pictures do not wait for it.
func (p *Pipeline) runSnapshots(ctx context.Context) {
	for {
		select {
		case s := <-p.snapshots:
			data, err := s.picture.JPEG(transport.MaxSnapshotBytes)
			if err == nil {
				err = p.o.Snapshots(s.head, data)
			}
			if err != nil && ctx.Err() == nil {
				p.o.Log.Warn("no snapshot", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
