package bus

import (
	"time"

	"scrim/transport"
)

// staleEpoch is how long a smaller epoch is refused after the last unit of a
// greater one. Two workers may send the same camera for a moment; the one that
// started last wins. After that time the smaller one is taken, so that a worker
// whose clock was set back is not refused for ever.
const staleEpoch = 10 * time.Second

// verdict says what becomes of a unit.
type verdict int

const (
	deliver verdict = iota
	// skip: something before it is missing and it is no key frame.
	skip
	// stale: it is older than what was seen, or was seen already.
	stale
)

// sequence follows the numbers of one rendition's units and decides which can
// be decoded. It begins waiting for a key frame.
type sequence struct {
	epoch, seq uint64
	last       time.Time
	synced     bool
}

// admit takes the next complete unit and returns what becomes of it and how
// many units are missing before it.
func (q *sequence) admit(epoch, seq uint64, key bool, now time.Time) (verdict, uint64) {
	if epoch < q.epoch && now.Sub(q.last) < staleEpoch || epoch == q.epoch && seq <= q.seq {
		return stale, 0
	}
	var lost uint64
	switch {
	case epoch != q.epoch:
		// What an epoch began with is missing when it does not begin at 1; for the
		// first epoch that a reader sees that is no loss.
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

// lose says that something is known to be missing: a key frame must come.
func (q *sequence) lose() { q.synced = false }

// assembler puts the parts of a unit together. Parts come in order, as NATS
// keeps the order of one sender; anything else is a loss.
type assembler struct {
	unit *part
	data []byte
	next int
}

// add takes a part and returns the unit when it is complete, and whether a unit
// that was begun had to be given up.
func (a *assembler) add(p *part) (done *part, lost bool) {
	if p.m == 1 {
		lost = a.unit != nil
		a.reset()
		return p, lost
	}
	if p.n == 1 {
		lost = a.unit != nil
		a.unit, a.next = p, 2
		// All parts but the last are of one size.
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
