package motion

import (
	"image"
	"time"
)

// each calls f with the index of each cell that r touches.
func (g grid) each(r image.Rectangle, f func(i int)) {
	r = r.Intersect(image.Rect(0, 0, g.width, g.height))
	if r.Empty() {
		return
	}
	for y := r.Min.Y / g.side; y <= (r.Max.Y-1)/g.side; y++ {
		for x := r.Min.X / g.side; x <= (r.Max.X-1)/g.side; x++ {
			f(y*g.cols + x)
		}
	}
}

// learner learns a background from the beginning: each cell takes the value that it has
// most of the time.
type learner struct {
	mean    means
	votes   []float32 // seconds
	blocked mask      // what was covered before is not learned
	spent   time.Duration
	looks   int
}

func newLearner(n int) learner {
	return learner{mean: newMeans(n), votes: make([]float32, n), blocked: make(mask, n)}
}

// begin forgets what was learned. The cells of blocked are not learned; nil: none.
func (l *learner) begin(blocked mask) {
	clear(l.votes)
	clear(l.blocked)
	copy(l.blocked, blocked)
	l.spent, l.looks = 0, 0
}

// learn learns from the current picture, dt after the one that was learned from before.
func (b *Background) learn(at time.Time, dt time.Duration, learn bool) {
	millis := uint16(dt.Milliseconds()) //nolint:gosec // up to longestLook
	for i, left := range b.faces {
		b.faces[i] = left - min(left, millis)
	}
	b.measureNoise()
	if !b.hasLook {
		b.learner.begin(nil)
	}
	if learn && b.blinded == "" {
		if b.valid && !b.lost {
			b.adapt(float32(dt.Seconds()))
			b.absorbStill(float32(dt.Seconds()))
		}
		if !b.valid || b.lost && at.Sub(b.lostAt) >= relearnDelay {
			b.learnAnew(dt)
		}
	}
	if b.valid && !b.lost {
		b.setLimits()
		if at.Sub(b.snapAt) >= time.Second || at.Before(b.snapAt) {
			b.snapshot[0], b.snapshot[1] = b.snapshot[1], b.snapshot[0]
			copy(b.snapshot[1], b.covered)
			b.shares[0], b.shares[1] = b.shares[1], b.share
			b.snapAt = at
		}
	}
}

// measureNoise measures the noise of the cells that are not covered.
func (b *Background) measureNoise() {
	if !b.hasLook {
		return
	}
	m := &b.model
	sigma := b.noise.sigma()
	most := max(leastLuma*b.scale, sigmas*sigma)
	for i, v := range b.now[0] {
		if b.valid && b.covered[i] != 0 {
			continue
		}
		d := v - b.before[0][i]
		if d < 0 {
			d = -d
		}
		c := max(b.now[1][i]-b.before[1][i], b.before[1][i]-b.now[1][i], b.now[2][i]-b.before[2][i], b.before[2][i]-b.now[2][i])
		limit := most
		if b.valid {
			limit = m.limitLuma[i]
		}
		if d < limit {
			m.luma[i] += (d - m.luma[i]) * noiseWeight
		}
		if c < max(limit, leastChroma*b.scale) {
			m.chroma[i] += (c - m.chroma[i]) * noiseWeight
		}
	}
}

// setLimits sets the thresholds of all cells.
func (b *Background) setLimits() {
	m, sigma, tint := &b.model, b.noise.sigma(), b.tint.sigma()
	for i := range m.known {
		own := max(m.luma[i]*perMean, sigma)
		m.limitLuma[i] = min(max(leastLuma*b.scale, sigmas*own), mostLuma)
		m.limitChroma[i] = min(max(leastChroma*b.scale, sigmas*max(m.chroma[i]*perMean, tint)), mostLuma)
		m.wide[i] = min(max(leastWide*b.scale, sigmas*own/wideGain), mostLuma)
	}
}

// adapt lets the background follow slow changes, where nothing is covered.
func (b *Background) adapt(dt float32) {
	m := &b.model
	weight, most := min(dt/adaptTime, 1), float32(adaptRate)*dt
	for k := range m.mean {
		mean, now, light := m.mean[k], b.now[k], b.light[k]
		for i, v := range mean {
			expected := light.of(v)
			v += (expected - v) * weight
			if b.covered[i] == 0 && b.faces[i] == 0 {
				v += min(max((now[i]-expected)*weight, -most), most)
			}
			mean[i] = v
		}
	}
}

// absorbStill makes background of what is covered and has not moved for long enough.
func (b *Background) absorbStill(dt float32) {
	if b.absorb == 0 {
		return
	}
	m, s := &b.model, &b.scratch
	clear(s.near)
	for i := range m.known {
		if m.known[i] && m.left[i] == 0 {
			m.still[i] = 0
			continue
		}
		same := true
		for k := range m.shown {
			limit := max(m.limitLuma[i], sigmas*b.noise.sigma())
			if d := b.now[k][i] - m.shown[k][i]; d > limit || -d > limit {
				same = false
			}
		}
		switch {
		case same && b.faces[i] == 0:
			m.still[i] += dt
			for k := range m.shown {
				m.shown[k][i] += (b.now[k][i] - m.shown[k][i]) * min(1, dt/max(m.still[i], dt, 0.001)+dt/adaptTime)
			}
			continue
		case m.known[i]:
			m.still[i] = 0
			s.near[i] = 1
		default: // a place that was never seen empty: what it shows most of the time
			m.still[i] -= dt
		}
		if b.faces[i] != 0 || m.still[i] <= 0 {
			m.still[i] = 0
			for k := range m.shown {
				m.shown[k][i] = b.now[k][i]
			}
		}
	}
	// Who moves a hand is a person as a whole.
	b.grid.grow(s.near, s.near, s.tmp, max(b.grid.rows/8, 1))
	for i := range m.known {
		if m.known[i] && s.near[i] != 0 {
			m.still[i] = 0
		}
		if m.still[i] >= b.absorb {
			for k := range m.mean {
				m.mean[k][i] = m.shown[k][i]
			}
			m.known[i], m.left[i], m.still[i] = true, 0, 0
		}
	}
}

// learnAnew learns a new background.
func (b *Background) learnAnew(dt time.Duration) {
	l, seconds := &b.learner, float32(dt.Seconds())
	l.looks++
	l.spent += dt
	limit := max(leastLuma*b.scale, sigmas*b.noise.sigma())
	known := 0
	for i := range l.votes {
		if b.faces[i] != 0 || l.blocked[i] != 0 {
			l.votes[i] = 0
			continue
		}
		same := l.votes[i] > 0
		for k := range l.mean {
			if d := b.now[k][i] - l.mean[k][i]; d > limit || -d > limit {
				same = false
			}
		}
		if same {
			l.votes[i] += seconds
			weight := min(1, seconds/l.votes[i])
			for k := range l.mean {
				l.mean[k][i] += (b.now[k][i] - l.mean[k][i]) * weight
			}
		} else if l.votes[i] -= seconds; l.votes[i] <= 0 {
			l.votes[i] = 0.001
			for k := range l.mean {
				l.mean[k][i] = b.now[k][i]
			}
		}
		if l.votes[i] >= float32(stableTime.Seconds()) {
			known++
		}
	}
	if l.spent < learnTime || l.looks < leastLooks || float64(known) < leastKnown*float64(len(l.votes)) {
		return
	}
	m := &b.model
	m.mean.copyFrom(&l.mean)
	for i, v := range l.votes {
		m.known[i] = v >= float32(stableTime.Seconds())
		m.left[i], m.still[i] = 0, 0
	}
	b.valid, b.lost = true, false
	b.light = [planes]light{sameLight, sameLight, sameLight}
	b.shares = [2]float64{}
	clear(b.covered)
	b.setLimits()
	b.compare(b.lastAt, 0)
}
