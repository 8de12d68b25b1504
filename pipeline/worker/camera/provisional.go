package camera

import (
	"slices"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// maxRefused bounds how many units are remembered of which nothing is shown. It is more
// than are under way at any time.
const maxRejected = 2 * maxQueuedUnits

// made is a unit of a redactor, and what it says of it.
type heldOutput struct {
	id   int
	head *ipc.Output
	unit *transport.RedactedUnit
}

// taken is a snapshot of a redactor's.
type heldSnapshot struct {
	head     *ipc.Snapshot
	snapshot *transport.Snapshot
}

// proof keeps back what was made of a camera's unit until the next unit proves that
// it was whole. Units are told by their numbers.
type provisionalUnit struct {
	number uint64 // the unit of which that is not known yet; 0: there is none
	// output is what was made of it, once that has come, and snapshot the snapshot of
	// that.
	output   *heldOutput
	snapshot *heldSnapshot
	// refused are the last that turned out not to be whole.
	rejected []uint64
}

// forget drops what was made, which no proof can let pass any more. It reports whether
// somebody waits for a snapshot in vain.
func (p *provisionalUnit) drop() (snapshot bool) {
	snapshot = p.snapshot != nil
	p.output, p.snapshot = nil, nil
	return snapshot
}

// pending reports whether something waits for a proof.
func (p *provisionalUnit) holdsAnything() bool { return p.output != nil || p.snapshot != nil }

// isRefused reports whether nothing of a unit may be shown.
func (p *provisionalUnit) isRejected(unit uint64) bool { return slices.Contains(p.rejected, unit) }

// waits reports whether what is made of a unit has to wait.
func (p *provisionalUnit) holds(unit uint64) bool { return unit != 0 && unit == p.number }

// refuse notes that the provisional unit was not whole.
func (p *provisionalUnit) reject() {
	if p.rejected = append(p.rejected, p.number); len(p.rejected) > maxRejected {
		p.rejected = slices.Delete(p.rejected, 0, 1)
	}
	p.number = 0
}

// accept notes that it was, and returns what may pass now.
func (p *provisionalUnit) confirm() (output *heldOutput, snapshot *heldSnapshot) {
	output, snapshot = p.output, p.snapshot
	p.number, p.output, p.snapshot = 0, nil, nil
	return output, snapshot
}
