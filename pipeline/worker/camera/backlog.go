package camera

// The most that waits for the bus: about a second of video. The camera is read even while
// the bus blocks.
const (
	maxUnsentUnits = 30
	maxUnsentBytes = 8 << 20
)

// backlog counts what the bus has not accepted yet. Beyond the bound, units are dropped
// until a key frame, before they get a sequence number.
type backlog struct {
	units, bytes int
	behind       bool
	asked        bool // for the key frame that ends it
}

// admit reports whether a unit may go to the bus, and counts it if so.
func (b *backlog) admit(key bool, bytes int) bool {
	if b.behind = b.behind && (!key || !b.drained()); b.behind {
		return false
	}
	if b.units >= maxUnsentUnits || b.units > 0 && b.bytes+bytes > maxUnsentBytes {
		b.behind, b.asked = true, false
		return false
	}
	b.units++
	b.bytes += bytes
	return true
}

// drained reports whether there is room to continue.
func (b *backlog) drained() bool { return b.units <= maxUnsentUnits/2 && b.bytes <= maxUnsentBytes/2 }

// sent notes that the bus has accepted or refused a unit. It reports whether to request a
// key frame now: once after units were dropped, as soon as there is room for one. If only
// a large unit did not fit, there is room already.
func (b *backlog) sent(bytes int) bool {
	b.units--
	b.bytes -= bytes
	if !b.behind || b.asked || !b.drained() {
		return false
	}
	b.asked = true
	return true
}
