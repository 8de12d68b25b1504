package bus

import (
	"time"

	"scrim/transport"
)

// staleEpoch is how long a smaller epoch is refused after the last unit of a greater
// one. Two workers may send the same camera for a moment; the one that started last
// wins. Later, the smaller epoch is accepted: a worker whose clock was set back must
// not be refused forever.
const staleEpoch = 10 * time.Second

// verdict is the decision about a unit.
type verdict int

const (
	deliver verdict = iota
	// skip: an earlier unit is missing and this one is not a key frame.
	skip
	// stale: it is older than the last unit, or a repetition.
	stale
)

// sequence follows the numbers of a rendition's units and decides which can be decoded.
// It waits for a key frame first.
type sequence struct {
	epoch, seq uint64
	last       time.Time
	synced     bool
}

// admit decides about the next complete unit and returns how many units are missing
// before it.
func (q *sequence) admit(epoch, seq uint64, key bool, now time.Time) (verdict, uint64) {
	if epoch < q.epoch && now.Sub(q.last) < staleEpoch || epoch == q.epoch && seq <= q.seq {
		return stale, 0
	}
	var lost uint64
	switch {
	case epoch != q.epoch:
		// An epoch that does not start at 1 has lost its first units. In the first epoch
		// of a reader that is not a loss.
		if q.epoch != 0 {
			lost = seq - 1
		}
		q.synced = false
	case seq != q.seq+1:
		lost = seq - q.seq - 1
		q.synced = false
	}
	q.epoch, q.seq, q.last = epoch, seq, now
	if key {
		q.synced = true
	}
	if !q.synced {
		return skip, lost
	}
	return deliver, lost
}

// lose reports a known loss: the next unit must be a key frame.
func (q *sequence) lose() { q.synced = false }

// assembler joins the parts of a unit. NATS keeps the order of one sender, so any other
// order is a loss.
type assembler struct {
	unit *part
	data []byte
	next int
}

// add accepts a part. It returns the unit if it is complete, and whether an incomplete
// unit was dropped.
func (a *assembler) add(p *part) (done *part, lost bool) {
	if p.m == 1 {
		lost = a.unit != nil
		a.reset()
		return p, lost
	}
	if p.n == 1 {
		lost = a.unit != nil
		a.unit, a.next = p, 2
		// All parts except the last have the same size.
		a.data = append(make([]byte, 0, min(p.m*len(p.unit.Data), transport.MaxUnitBytes)), p.unit.Data...)
		return nil, lost
	}
	if a.unit == nil || len(a.data)+len(p.unit.Data) > transport.MaxUnitBytes ||
		p.n != a.next || p.m != a.unit.m || p.unit.Epoch != a.unit.unit.Epoch || p.unit.Seq != a.unit.unit.Seq {
		a.reset()
		return nil, true
	}
	a.data = append(a.data, p.unit.Data...)
	a.next++
	if p.n < p.m {
		return nil, false
	}
	done = a.unit
	done.unit.Data = a.data
	a.reset()
	return done, false
}

func (a *assembler) reset() { a.unit, a.data, a.next = nil, nil, 0 }
