package camera

import (
	"slices"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// maxRejected bounds how many rejected units are remembered. It is more than are under
// way at any time.
const maxRejected = 2 * maxQueuedUnits

// heldOutput is a redactor's output, and heldSnapshot its snapshot, with their heads.
type heldOutput struct {
	id   int
	head *ipc.Output
	unit *transport.RedactedUnit
}

type heldSnapshot struct {
	head     *ipc.Snapshot
	snapshot *transport.Snapshot
}

// provisionalUnit holds back what was made from a camera's unit until the next unit
// confirms that it was whole. Units are identified by their numbers.
type provisionalUnit struct {
	number   uint64 // 0: none
	output   *heldOutput
	snapshot *heldSnapshot
	rejected []uint64 // the last units that turned out to be partial
}

// drop drops what is held. It reports whether there was a snapshot, which somebody
// still waits for.
func (p *provisionalUnit) drop() (snapshot bool) {
	snapshot = p.snapshot != nil
	p.output, p.snapshot = nil, nil
	return snapshot
}

func (p *provisionalUnit) holdsAnything() bool { return p.output != nil || p.snapshot != nil }

// isRejected reports whether nothing made from a unit may be shown.
func (p *provisionalUnit) isRejected(unit uint64) bool { return slices.Contains(p.rejected, unit) }

// holds reports whether what is made from a unit must be held.
func (p *provisionalUnit) holds(unit uint64) bool { return unit != 0 && unit == p.number }

func (p *provisionalUnit) reject() {
	if p.rejected = append(p.rejected, p.number); len(p.rejected) > maxRejected {
		p.rejected = slices.Delete(p.rejected, 0, 1)
	}
	p.number = 0
}

// confirm releases what is held.
func (p *provisionalUnit) confirm() (output *heldOutput, snapshot *heldSnapshot) {
	output, snapshot = p.output, p.snapshot
	p.number = 0
	p.drop()
	return output, snapshot
}
