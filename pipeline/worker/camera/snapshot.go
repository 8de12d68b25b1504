package camera

import (
	"slices"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

func (m *machine) requestSnapshot(to chan *transport.Snapshot) {
	m.snapshotRequests = append(m.snapshotRequests, to)
	if m.answerWithSlate(); len(m.snapshotRequests) > 0 {
		m.askRedactorForSnapshot()
	}
}

func (m *machine) cancelSnapshot(to chan *transport.Snapshot) {
	m.snapshotRequests = slices.DeleteFunc(m.snapshotRequests, func(ch chan *transport.Snapshot) bool { return ch == to })
}

func (m *machine) askRedactorForSnapshot() {
	m.queue.pushCommand(ipc.TypeSnapshotRequest, ipc.SnapshotRequest{})
}

// handleSnapshot passes on a redactor's snapshot if the picture is shown, and holds it
// back for as long as the picture.
func (m *machine) handleSnapshot(s *ipc.Snapshot, data []byte) error {
	if err := checkSnapshot(s, data); err != nil {
		return err
	}
	shown := s.Snapshot
	shown.Camera, shown.Captured, shown.Reason, shown.JPEG = m.config.Camera, wallClock(s.Captured), oneLine(s.Reason), data
	x := &heldSnapshot{s, &shown}
	switch p := &m.provisional; {
	case p.isRejected(s.Unit):
		m.askRedactorForSnapshot()
	case p.holds(s.Unit):
		p.snapshot = x
	default:
		m.releaseSnapshot(x)
	}
	return nil
}

// releaseSnapshot answers requests with a redactor's snapshot, if viewers see its output.
// If not, they get a slate, or wait for the next picture.
func (m *machine) releaseSnapshot(x *heldSnapshot) {
	if m.view.fallback != nil || x.head.Fence < m.view.minFence {
		return
	}
	if offline := m.input.offline(m.now); offline != "" && x.head.Unit == 0 {
		x.snapshot.State, x.snapshot.Reason = transport.StateOffline, offline
	}
	m.answerSnapshots(x.snapshot)
}

// answerWithSlate answers requests with the slate that viewers get, if they get one.
func (m *machine) answerWithSlate() {
	if len(m.snapshotRequests) > 0 {
		if s := m.slateSnapshot(); s != nil {
			m.answerSnapshots(s)
		}
	}
}

func (m *machine) answerSnapshots(s *transport.Snapshot) {
	for _, ch := range m.snapshotRequests {
		m.act(returnSnapshot{ch, s})
	}
	m.snapshotRequests = nil
}

// slateSnapshot returns the slate that viewers get; nil: they get none.
func (m *machine) slateSnapshot() *transport.Snapshot {
	f := m.fallback()
	if f == nil {
		return nil
	}
	list := m.slates.list(f.kind, true)
	if len(list) == 0 {
		return nil
	}
	return &transport.Snapshot{
		Camera: m.config.Camera, Captured: m.now, Width: list[0].Width, Height: list[0].Height,
		State: f.unitState(), Reason: f.reason, JPEG: list[0].data,
	}
}
