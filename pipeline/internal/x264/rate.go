package x264

import (
	"math"

	"scrim/transport"
)

const (
	// maxQP is the coarsest quantiser of H.264.
	maxQP = 51
	// qpOctave is by how much the quantiser grows for half of the bits.
	qpOctave = 6.0
	// keyFiner is how much finer key frames are: what follows is made from them.
	keyFiner = 3
	// firstBits is what a pixel of a key frame is thought to take at the default
	// quality, before any was coded.
	firstBits = 1.0
	// keyShare is how much of what the buffer has room for a key frame may take.
	// Others may take burstShare of the room up to calmShare of the buffer, and what
	// the ceiling lets drain, less so much more of it as the buffer is fuller than that,
	// but leastShare of it.
	keyShare, calmShare, burstShare, drain, leastShare = 0.8, 0.5, 0.25, 1.5, 0.25
	// calmBits is what a pixel takes, at the quantiser 0, from which on a picture gets no
	// finer quantiser than Quality; calmer gets one finer by calmQP for each half of that,
	// and by mostFiner at most. What stands still is looked at for longer (x264's qcomp).
	calmBits, calmQP, mostFiner = 1.0, 2.4, 3.0
	// finer is by how much the quantiser goes down from one picture to the next.
	finer = 2
	// release is the weight of a picture that took less than was expected. One that
	// took more counts in full.
	release = 0.5
	// maxInterval bounds the time between two pictures that counts, in seconds.
	maxInterval = 1.0
	// maxTries bounds how often a picture is coded which came out too large.
	maxTries = 4
)

// rate chooses the quantiser of each picture by what those before it took. Their
// bits are thought to halve each time that the quantiser grows by 6, and go into a
// buffer that drains at the ceiling (a leaky bucket, as in Annex C of H.264).
type rate struct {
	quality  int     // the finest quantiser
	ceiling  float64 // bit/s
	buffer   float64 // bits
	level    float64 // bits in the buffer
	calm     float64 // what takes less, as a cost, is calm
	cost     [2]float64
	qp       [2]int
	last     int64
	started  bool
	interval float64 // seconds since the picture before
}

func newRate(o Options) *rate {
	r := &rate{quality: o.Quality, ceiling: float64(o.Bitrate), buffer: float64(o.buffer()), calm: calmBits * float64(o.Width*o.Height)}
	r.cost[0] = r.calm
	r.cost[1] = cost(firstBits*float64(o.Width*o.Height), defaultQuality)
	r.interval = 1.0 / nominalRate
	return r
}

// cost is what a picture of so many bits would have taken at the quantiser 0.
func cost(bits float64, qp int) float64 { return bits * math.Exp2(float64(qp)/qpOctave) }

// choose returns the quantiser of the next picture; pts is in 90 kHz ticks.
func (r *rate) choose(pts int64, key bool) int {
	if r.started {
		r.interval = min(max(float64(pts-r.last)/transport.ClockRate, 1e-3), maxInterval)
		r.level = max(0, r.level-r.ceiling*r.interval)
	}
	r.last = pts
	room, mean := calmShare*r.buffer-r.level, r.ceiling*r.interval
	budget := max(mean*max(leastShare, 1+drain*room/r.buffer), burstShare*room)
	finest, t := r.quality-int(min(max(0, -calmQP*math.Log2(r.cost[0]/r.calm)), mostFiner)), 0
	if key {
		budget, finest, t = max(keyShare*(r.buffer-r.level), mean), max(finest, r.qp[0])-keyFiner, 1
	}
	qp := int(math.Ceil(qpOctave * math.Log2(max(1, r.cost[t]/budget))))
	if r.started {
		qp = max(qp, r.qp[t]-finer)
	}
	return min(max(qp, finest, 1), maxQP)
}

// coarser returns the quantiser for encoding a picture again that took so many bits,
// and false if that is not needed or would not help.
func (r *rate) coarser(bits float64, qp int) (int, bool) {
	if bits <= r.buffer || qp >= maxQP {
		return 0, false
	}
	return min(qp+int(math.Ceil(qpOctave*math.Log2(bits/(keyShare*r.buffer)))), maxQP), true
}

// tried notes the bits of a picture with a quantiser, whether or not it is sent.
func (r *rate) tried(key bool, qp int, bits float64) {
	t := 0
	if key {
		t = 1
	}
	now := cost(bits, qp)
	if now < r.cost[t] && r.started {
		now = r.cost[t] + release*(now-r.cost[t])
	}
	r.cost[t], r.qp[t], r.started = now, qp, true
}

// sent notes the bits of a picture that is sent.
func (r *rate) sent(bits float64) { r.level += bits }
