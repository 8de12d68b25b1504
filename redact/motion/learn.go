package motion

import (
	"time"

	"scrim/redact/rules"
)

// values is how many values of a cell are told apart while the background is learned.
const values = 3

// learner learns a background from the beginning: each cell takes the value that it has
// had for the longest time, if that is clear.
type learner struct {
	// mean are the values of each cell, and votes for how many seconds it had them, the
	// longest first.
	mean  [values]means
	votes [values][]float32
	// blocked cells are not learned: they were covered before.
	blocked   mask
	isBlocked bool
	spent     time.Duration
	looks     int
	light     [planes]light // of the picture, compared with the first values
}

func newLearner(g grid) (l learner) {
	for v := range l.mean {
		l.mean[v], l.votes[v] = newMeans(g.cells()), make([]float32, g.cells())
	}
	l.blocked = g.newMask()
	return l
}

// begin forgets what was learned. The cells of blocked are not learned; nil: none.
func (l *learner) begin(blocked mask) {
	for v := range l.votes {
		clear(l.votes[v])
	}
	clear(l.blocked)
	copy(l.blocked, blocked)
	l.isBlocked = blocked != nil
	l.spent, l.looks = 0, 0
}

// vote counts what cell i has now for the value that is the same to within limits, or for
// a new one instead of the shortest.
func (l *learner) vote(i int, now *means, limits *[planes]float32, seconds float32) {
	v := 0
	for v < values && !l.same(v, i, now, limits) {
		v++
	}
	weight := float32(1)
	if v < values {
		l.votes[v][i] += seconds
		weight = min(1, seconds/l.votes[v][i])
	} else {
		v = values - 1
		l.votes[v][i] = firstVote
	}
	for k := range now {
		mean := &l.mean[v][k][i]
		*mean += (l.light[k].without(now[k][i]) - *mean) * weight
	}
	for ; v > 0 && l.votes[v][i] > l.votes[v-1][i]; v-- {
		l.votes[v][i], l.votes[v-1][i] = l.votes[v-1][i], l.votes[v][i]
		for k := range now {
			l.mean[v][k][i], l.mean[v-1][k][i] = l.mean[v-1][k][i], l.mean[v][k][i]
		}
	}
}

// same reports whether cell i has its value v now.
func (l *learner) same(v, i int, now *means, limits *[planes]float32) bool {
	if l.votes[v][i] == 0 {
		return false
	}
	for k := range now {
		if d := now[k][i] - l.light[k].of(l.mean[v][k][i]); max(d, -d) > limits[k] {
			return false
		}
	}
	return true
}

// clear reports whether one value of cell i stands out.
func (l *learner) clear(i int) bool {
	return l.votes[0][i] >= float32(stableTime.Seconds()) && l.votes[0][i] >= clearRatio*l.votes[1][i]
}

// learn learns from the current picture, dt after the one that was learned from before.
func (b *Background) learn(at time.Time, dt time.Duration, learn bool) {
	millis := uint16(dt.Milliseconds()) //nolint:gosec // up to longestLook
	for i, left := range b.faces {
		b.faces[i] = left - min(left, millis)
	}
	b.keep()
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
	if !b.valid { // only what is not much more than the noise of the whole picture
		for i := range b.model.limitLuma {
			b.model.limitLuma[i], b.model.limitChroma[i] = b.limit(), b.tintLimit()
		}
	}
	measureCells(&b.model, &b.now, &b.before, b.scratch.kept)
}

// keep marks the cells that are not learned from: those that are covered, and those with
// faces.
func (b *Background) keep() {
	kept := b.scratch.kept
	for i, left := range b.faces {
		kept[i] = 0
		if left > 0 && rules.Uncovered {
			kept[i] = 1
		}
	}
	if b.valid && rules.Uncovered {
		b.grid.eachMarked(b.covered, func(i int) { kept[i] = 1 })
	}
}

// setLimits sets the thresholds of all cells.
func (b *Background) setLimits() {
	limitCells(&b.model, b.scale, b.noise.sigma(), b.tint.sigma())
}

// adapt lets the background follow slow changes, where nothing is covered.
func (b *Background) adapt(dt float32) {
	for k, mean := range b.model.mean {
		adaptCells(mean, b.now[k], b.scratch.kept, b.light[k], min(dt/adaptTime, 1), adaptRate*dt)
	}
}

// absorbStill makes background of what is covered and has not moved for long enough.
func (b *Background) absorbStill(dt float32) {
	if b.absorb == 0 {
		return
	}
	m, s, g := &b.model, &b.scratch, b.grid
	for k, w := range b.stood {
		s.seeds[k] = w &^ b.on[k]
	}
	g.eachMarked(s.seeds, func(i int) { m.still[i] = 0 })
	copy(b.stood, b.on)
	clear(s.seeds)
	g.eachMarked(b.on, func(i int) {
		if b.stands(i, dt) {
			return
		}
		g.mark(s.seeds, i)
	})
	// Who moves a hand is a person as a whole.
	g.grow(s.seeds, s.seeds, s.tmp, max(g.rows/handReach, 1))
	g.eachMarked(b.on, func(i int) {
		if m.known[i] != 0 && g.marked(s.seeds, i) {
			m.still[i] = firstVote
		}
		if rules.Absorb && m.still[i] < b.absorb {
			return
		}
		for k := range m.mean {
			m.mean[k][i] = m.shown[k][i]
		}
		m.count += 1 - int(m.known[i])
		m.known[i], m.left[i], m.still[i] = 1, 0, 0
	})
}

// handReach is the share of the picture's height, as a divisor, around a movement in which
// nothing is absorbed.
const handReach = 8

// stands updates for how long cell i has shown the same, and reports whether nothing moves
// there.
func (b *Background) stands(i int, dt float32) bool {
	m := &b.model
	limits := [planes]float32{m.limitLuma[i], m.limitChroma[i], m.limitChroma[i]}
	if m.known[i] == 0 {
		limits = [planes]float32{b.limit(), b.tintLimit(), b.tintLimit()}
	}
	same := m.still[i] > 0
	for k := range m.shown {
		if d := b.now[k][i] - m.shown[k][i]; max(d, -d) > limits[k] {
			same = false
		}
	}
	if same && b.faces[i] == 0 {
		m.still[i] += dt
		weight := max(dt/m.still[i], dt/adaptTime)
		for k := range m.shown {
			m.shown[k][i] += (b.now[k][i] - m.shown[k][i]) * weight
		}
		return true
	}
	// A place that was never seen empty takes what it shows most of the time.
	if m.still[i] -= dt; m.known[i] != 0 || b.faces[i] != 0 || m.still[i] <= 0 {
		m.still[i] = firstVote
		for k := range m.shown {
			m.shown[k][i] = b.now[k][i]
		}
	}
	return m.known[i] == 0
}

// firstVote is the time in seconds for which one look alone speaks.
const firstVote = 0.001

func (b *Background) limit() float32     { return max(leastLuma*b.scale, sigmas*b.noise.sigma()) }
func (b *Background) tintLimit() float32 { return max(leastChroma*b.scale, sigmas*b.tint.sigma()) }

// learnAnew learns a new background.
func (b *Background) learnAnew(dt time.Duration) {
	l := &b.learner
	l.looks++
	l.spent += dt
	limits := [planes]float32{b.limit(), b.tintLimit(), b.tintLimit()}
	for k := range l.light {
		b.fit.takeAll(l.mean[0][k], b.now[k], l.votes[0])
		l.light[k] = b.fit.solve(limits[k]*weakShare, sameLight)
	}
	known := 0
	for i := range l.votes[0] {
		if l.isBlocked && b.grid.marked(l.blocked, i) {
			continue
		}
		if b.faces[i] == 0 || !rules.Uncovered {
			l.vote(i, &b.now, &limits, float32(dt.Seconds()))
		}
		if l.clear(i) {
			known++
		}
	}
	need := nearlyAll
	if l.spent >= longestLearning {
		need = leastKnown
	}
	if l.spent >= learnTime && l.looks >= leastLooks && float64(known) >= need*float64(b.grid.cells()) {
		b.install(known)
	}
}

// install makes the background of what was learned.
func (b *Background) install(known int) {
	if b.valid {
		b.model, b.other, b.hasOther = b.other, b.model, true
		copy(b.model.luma, b.other.luma)
		copy(b.model.chroma, b.other.chroma)
	}
	m := &b.model
	m.mean.copyFrom(&b.learner.mean[0])
	m.count = known
	for i := range m.known {
		m.known[i], m.left[i], m.still[i] = 0, 0, 0
		if b.learner.clear(i) {
			m.known[i] = 1
		}
	}
	b.fillIn()
	b.valid, b.lost = true, false
	b.light = [planes]light{sameLight, sameLight, sameLight}
	b.shares = [2]float64{}
	b.setLimits()
	b.compare(b.lastAt, 0, true)
}

const (
	// A cell that was restless while the background was learned, but had one value for
	// votesAmong seconds, is known if knownAround of its neighbours are.
	votesAmong  = 0.5
	knownAround = 7
)

// fillIn makes single cells known among others that are.
func (b *Background) fillIn() {
	g, m, s := b.grid, &b.model, &b.scratch
	clear(s.seeds)
	for y := 1; y < g.rows-1; y++ {
		for x := 1; x < g.cols-1; x++ {
			i := y*g.cols + x
			if m.known[i] != 0 || b.learner.votes[0][i] < votesAmong {
				continue
			}
			n := 0
			for _, row := range [][]uint8{m.known[i-g.cols-1 : i-g.cols+2], m.known[i-1 : i+2], m.known[i+g.cols-1 : i+g.cols+2]} {
				n += int(row[0]) + int(row[1]) + int(row[2])
			}
			if n >= knownAround {
				g.mark(s.seeds, i)
			}
		}
	}
	g.eachMarked(s.seeds, func(i int) {
		m.known[i] = 1
		m.count++
	})
}
