package camera

// The most that waits for the bus: about a second of video. A bus that stands has no
// say in when the camera is read.
const (
	maxUnsentUnits = 30
	maxUnsentBytes = 8 << 20
)

// backlog counts what the bus has not taken yet. Beyond the bound units are dropped up
// to a key frame, before they get a number.
type backlog struct {
	units, bytes int
	behind       bool
	asked        bool // for the key frame that ends that
}

// admits reports whether a unit may go to the bus, and counts it if so.
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

// drained reports whether there is room to go on.
func (b *backlog) drained() bool { return b.units <= maxUnsentUnits/2 && b.bytes <= maxUnsentBytes/2 }

// sent notes that the bus is done with a unit. It reports whether that is the moment
// to ask for a key frame: once there is room for one, which there may have been all the
// time where a large unit did not fit.
func (b *backlog) sent(bytes int) bool {
	b.units--
	b.bytes -= bytes
	if !b.behind || b.asked || !b.drained() {
		return false
	}
	b.asked = true
	return true
}
