package supervise

import (
	"fmt"
	"time"
)

const (
	// spinCPU is how much processor time a redactor may use, and spinTime how long
	// it may take, without sending a picture or a slate, several of which a second
	// are due whatever the camera does. It may be alive in all other ways: who has
	// taken it over may let it say so. A limit of the kernel's would count all that
	// it has ever used, and it runs for months.
	spinCPU  = 30 * time.Second
	spinTime = 5 * time.Second
	// spinWatch is the time between looks.
	spinWatch = time.Second
)

var errSpun = fmt.Errorf("redactor used %v of processor time without sending anything and was killed", spinCPU)

// leash measures what a redactor uses between two units.
type leash struct {
	sent  uint64 // units, as of since
	since time.Time
	used  time.Duration // processor time of the process, as of since
}

// spins looks again and reports whether the redactor has been at work for too long.
func (l *leash) spins(now time.Time, sent uint64, used time.Duration) bool {
	if l.since.IsZero() || sent != l.sent {
		*l = leash{sent, now, used}
		return false
	}
	return used-l.used > spinCPU && now.Sub(l.since) > spinTime
}
