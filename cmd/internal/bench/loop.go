package bench

import (
	"math"
	"runtime/metrics"
	"time"

	"golang.org/x/sys/unix"
)

// WarmUp is how many pictures of a loop do not count: caches, pools and networks
// are made with the first ones.
const WarmUp = 10

// Usage is what a process has used so far.
type Usage struct {
	CPU   time.Duration
	Bytes uint64 // allocated by Go code
}

// LoopMeter measures a loop over a video's pictures.
type LoopMeter struct {
	what    string
	per     int // pictures a second of video
	frames  int
	begun   time.Time
	warm    time.Time
	at      Usage // after the warm-up
	last    Usage
	mark    Usage
	seconds []float64
}

// NewLoopMeter returns a meter for a video of fps pictures a second. The loop
// begins now.
func NewLoopMeter(what string, fps float64) *LoopMeter {
	return &LoopMeter{what: what, per: max(int(math.Round(fps)), 1), begun: time.Now()}
}

// Frame counts one picture; u is what has been used after it.
func (m *LoopMeter) Frame(u Usage) {
	m.frames++
	m.last = u
	switch n := m.frames - WarmUp; {
	case n == 0:
		m.warm, m.at, m.mark = time.Now(), u, u
	case n > 0 && n%m.per == 0:
		m.seconds = append(m.seconds, millis(int64(u.CPU-m.mark.CPU))/float64(m.per))
		m.mark = u
	}
}

// Loop returns what was measured. A loop of no more pictures than WarmUp has no
// time per picture.
func (m *LoopMeter) Loop() *Loop {
	l := &Loop{What: m.what, Frames: m.frames, Seconds: m.seconds}
	if n := m.frames - WarmUp; n > 0 {
		l.CPU = millis(int64(m.last.CPU-m.at.CPU)) / float64(n)
		l.Wall = millis(int64(time.Since(m.warm))) / float64(n)
		l.Bytes = float64(m.last.Bytes-m.at.Bytes) / float64(n)
	}
	return l
}

// OwnUsage returns what this process has used.
func OwnUsage() Usage {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return Usage{}
	}
	heap := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(heap)
	return Usage{CPU: time.Duration(u.Utime.Nano() + u.Stime.Nano()), Bytes: heap[0].Value.Uint64()}
}
