package camera

import (
	"slices"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// maxRefused bounds how many units are remembered of which nothing is shown. It is more
// than are under way at any time.
const maxRefused = 2 * maxQueuedUnits

// made is a unit of a redactor, and what it says of it.
type made struct {
	id   int
	head *ipc.Output
	unit *transport.RedactedUnit
}

// taken is a snapshot of a redactor's.
type taken struct {
	head *ipc.Snapshot
	what *transport.Snapshot
}

// proof keeps back what was made of a camera's unit until the next unit proves that
// it was whole. Units are told by their numbers.
type proof struct {
	provisional uint64 // the unit of which that is not known yet; 0: there is none
	// output is what was made of it, once that has come, and snapshot the snapshot of
	// that.
	output   *made
	snapshot *taken
	// refused are the last that turned out not to be whole.
	refused []uint64
}

// forget drops what was made, which no proof can let pass any more. It reports whether
// somebody waits for a snapshot in vain.
func (p *proof) forget() (snapshot bool) {
	snapshot = p.snapshot != nil
	p.output, p.snapshot = nil, nil
	return snapshot
}

// pending reports whether something waits for a proof.
func (p *proof) pending() bool { return p.output != nil || p.snapshot != nil }

// isRefused reports whether nothing of a unit may be shown.
func (p *proof) isRefused(unit uint64) bool { return slices.Contains(p.refused, unit) }

// waits reports whether what is made of a unit has to wait.
func (p *proof) waits(unit uint64) bool { return unit != 0 && unit == p.provisional }

// refuse notes that the provisional unit was not whole.
func (p *proof) refuse() {
	if p.refused = append(p.refused, p.provisional); len(p.refused) > maxRefused {
		p.refused = slices.Delete(p.refused, 0, 1)
	}
	p.provisional = 0
}

// accept notes that it was, and returns what may pass now.
func (p *proof) accept() (output *made, snapshot *taken) {
	output, snapshot = p.output, p.snapshot
	p.provisional, p.output, p.snapshot = 0, nil, nil
	return output, snapshot
}
