package bench

import (
	"math"
	"runtime/metrics"
	"time"

	"golang.org/x/sys/unix"
)

// WarmUp is how many pictures at the start of a loop do not count: they fill caches
// and pools, and set up the network.
const WarmUp = 10

// Usage is the resources that a process has used so far.
type Usage struct {
	CPU   time.Duration
	Bytes uint64 // allocated by Go code
}

// LoopMeter measures a loop over a video's pictures.
type LoopMeter struct {
	what    string
	skip    int // pictures that do not count
	per     int // pictures a second of video
	frames  int
	begun   time.Time
	warm    time.Time
	at      Usage // after the warm-up
	last    Usage
	mark    Usage
	seconds []float64
}

// NewLoopMeter returns a meter for a video of fps pictures a second, and starts it. skip
// pictures at the start do not count, at least WarmUp.
func NewLoopMeter(what string, fps float64, skip int) *LoopMeter {
	return &LoopMeter{what: what, skip: max(skip, WarmUp), per: max(int(math.Round(fps)), 1), begun: time.Now()}
}

// Frame counts one picture; u is the usage after it.
func (m *LoopMeter) Frame(u Usage) {
	m.frames++
	m.last = u
	switch n := m.frames - m.skip; {
	case n == 0:
		m.warm, m.at, m.mark = time.Now(), u, u
	case n > 0 && n%m.per == 0:
		m.seconds = append(m.seconds, millis(int64(u.CPU-m.mark.CPU))/float64(m.per))
		m.mark = u
	}
}

// Loop returns the measurement. A loop in which no picture counts has no time per
// picture.
func (m *LoopMeter) Loop() *Loop {
	l := &Loop{What: m.what, Frames: m.frames, Seconds: m.seconds}
	if n := m.frames - m.skip; n > 0 {
		l.CPU = millis(int64(m.last.CPU-m.at.CPU)) / float64(n)
		l.Wall = millis(int64(time.Since(m.warm))) / float64(n)
		l.Bytes = float64(m.last.Bytes-m.at.Bytes) / float64(n)
	}
	return l
}

// OwnUsage returns the usage of this process.
func OwnUsage() Usage {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return Usage{}
	}
	heap := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(heap)
	return Usage{CPU: time.Duration(u.Utime.Nano() + u.Stime.Nano()), Bytes: heap[0].Value.Uint64()}
}
