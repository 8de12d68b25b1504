package camera

import (
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

func (m *machine) snapshotAsked(to chan *transport.Snapshot) {
	if s := m.slateSnapshot(); s != nil {
		m.do(giveSnapshot{to, s})
		return
	}
	m.waiting = append(m.waiting, to)
	m.askSnapshot()
}

func (m *machine) snapshotLeft(gone chan *transport.Snapshot) {
	kept := m.waiting[:0]
	for _, ch := range m.waiting {
		if ch != gone {
			kept = append(kept, ch)
		}
	}
	clear(m.waiting[len(kept):])
	m.waiting = kept
}

// askSnapshot asks the redactor for one, also in the place of one that was dropped:
// whoever waited for that one waits still.
func (m *machine) askSnapshot() { m.queue.command(ipc.TypeSnapshotRequest, ipc.SnapshotRequest{}) }

// snapshotMade takes a snapshot of what a redactor has coded. It is handed on if that
// is shown, and as late as it is: it waits for the same proof.
func (m *machine) snapshotMade(w *ipc.Snapshot, data []byte) error {
	if err := checkSnapshot(w, data); err != nil {
		return err
	}
	x := &taken{w, &transport.Snapshot{
		Camera: m.config.Camera, Captured: time.Unix(0, w.Captured), Width: w.Width, Height: w.Height,
		State: w.State, Reason: oneLine(w.Reason), JPEG: data,
	}}
	switch p := &m.proof; {
	case p.isRefused(w.Unit):
		m.askSnapshot()
	case p.waits(w.Unit):
		p.snapshot = x
	default:
		m.passSnapshot(x)
	}
	return nil
}

// passSnapshot hands a snapshot to those who wait for one, if viewers see what the
// redactor has coded. If not they get what fallBack gives them, or wait until they do.
func (m *machine) passSnapshot(x *taken) {
	if m.view.fallback == nil && x.head.Fence >= m.view.floor {
		m.give(x.what)
	}
}

// giveSlate hands the slate that viewers get to those who wait.
func (m *machine) giveSlate() {
	if s := m.slateSnapshot(); s != nil {
		m.give(s)
	}
}

func (m *machine) give(s *transport.Snapshot) {
	for _, ch := range m.waiting {
		m.do(giveSnapshot{ch, s})
	}
	m.waiting = nil
}

// slateSnapshot is the slate that viewers get, as a snapshot; nil when they get none.
func (m *machine) slateSnapshot() *transport.Snapshot {
	f := m.view.fallback
	if f == nil {
		return nil
	}
	s, ok := m.slates.still(f.kind)
	if !ok {
		return nil
	}
	return &transport.Snapshot{
		Camera: m.config.Camera, Captured: m.now, Width: s.Width, Height: s.Height,
		State: transport.StateObscured, Reason: f.reason, JPEG: s.data,
	}
}
