package camera

import (
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

func (m *machine) requestSnapshot(to chan *transport.Snapshot) {
	if s := m.slateSnapshot(); s != nil {
		m.act(returnSnapshot{to, s})
		return
	}
	m.snapshotRequests = append(m.snapshotRequests, to)
	m.askRedactorForSnapshot()
}

func (m *machine) cancelSnapshot(gone chan *transport.Snapshot) {
	kept := m.snapshotRequests[:0]
	for _, ch := range m.snapshotRequests {
		if ch != gone {
			kept = append(kept, ch)
		}
	}
	clear(m.snapshotRequests[len(kept):])
	m.snapshotRequests = kept
}

// askSnapshot asks the redactor for one, also in the place of one that was dropped:
// whoever waited for that one waits still.
func (m *machine) askRedactorForSnapshot() {
	m.queue.pushCommand(ipc.TypeSnapshotRequest, ipc.SnapshotRequest{})
}

// snapshotMade takes a snapshot of what a redactor has coded. It is handed on if that
// is shown, and as late as it is: it waits for the same proof.
func (m *machine) handleSnapshot(w *ipc.Snapshot, data []byte) error {
	if err := checkSnapshot(w, data); err != nil {
		return err
	}
	x := &heldSnapshot{w, &transport.Snapshot{
		Camera: m.config.Camera, Captured: time.Unix(0, w.Captured), Width: w.Width, Height: w.Height,
		State: w.State, Reason: oneLine(w.Reason), JPEG: data,
	}}
	switch p := &m.provisional; {
	case p.isRejected(w.Unit):
		m.askRedactorForSnapshot()
	case p.holds(w.Unit):
		p.snapshot = x
	default:
		m.releaseSnapshot(x)
	}
	return nil
}

// passSnapshot hands a snapshot to those who wait for one, if viewers see what the
// redactor has coded. If not they get what fallBack gives them, or wait until they do.
func (m *machine) releaseSnapshot(x *heldSnapshot) {
	if m.view.fallback == nil && x.head.Fence >= m.view.minFence {
		m.answerSnapshots(x.snapshot)
	}
}

// giveSlate hands the slate that viewers get to those who wait.
func (m *machine) answerWithSlate() {
	if s := m.slateSnapshot(); s != nil {
		m.answerSnapshots(s)
	}
}

func (m *machine) answerSnapshots(s *transport.Snapshot) {
	for _, ch := range m.snapshotRequests {
		m.act(returnSnapshot{ch, s})
	}
	m.snapshotRequests = nil
}

// slateSnapshot is the slate that viewers get, as a snapshot; nil when they get none.
func (m *machine) slateSnapshot() *transport.Snapshot {
	f := m.view.fallback
	if f == nil {
		return nil
	}
	s, ok := m.slates.snapshot(f.kind)
	if !ok {
		return nil
	}
	return &transport.Snapshot{
		Camera: m.config.Camera, Captured: m.now, Width: s.Width, Height: s.Height,
		State: transport.StateObscured, Reason: f.reason, JPEG: s.data,
	}
}
