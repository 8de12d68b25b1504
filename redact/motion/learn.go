package motion

import "time"

// learner learns a background from the beginning: each cell takes the value that it has
// most of the time.
type learner struct {
	mean      means
	votes     []float32 // seconds
	blocked   mask      // what was covered before is not learned
	isBlocked bool
	light     [planes]light // of the picture, compared with what was learned so far
	spent     time.Duration
	looks     int
}

func newLearner(g grid) learner {
	return learner{mean: newMeans(g.cells()), votes: make([]float32, g.cells()), blocked: g.newMask()}
}

// begin forgets what was learned. The cells of blocked are not learned; nil: none.
func (l *learner) begin(blocked mask) {
	clear(l.votes)
	clear(l.blocked)
	copy(l.blocked, blocked)
	l.isBlocked = blocked != nil
	l.spent, l.looks = 0, 0
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
		if left > 0 {
			kept[i] = 1
		}
	}
	if b.valid {
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
		if m.still[i] < b.absorb {
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
	for k := range l.mean {
		b.fit.takeAll(l.mean[k], b.now[k], l.votes)
		l.light[k] = b.fit.solve(limits[k]*weakShare, sameLight)
	}
	known := 0
	for i := range l.votes {
		if b.faces[i] != 0 || l.isBlocked && b.grid.marked(l.blocked, i) {
			l.votes[i] = 0
			continue
		}
		if l.vote(i, &b.now, &limits, float32(dt.Seconds())); l.votes[i] >= float32(stableTime.Seconds()) {
			known++
		}
	}
	need := nearlyAll
	if l.spent >= longestLearning {
		need = leastKnown
	}
	if l.spent >= learnTime && l.looks >= leastLooks && float64(known) >= need*float64(len(l.votes)) {
		b.install(known)
	}
}

// vote lets cell i choose between what it has had so far and what it has now.
func (l *learner) vote(i int, now *means, limits *[planes]float32, seconds float32) {
	same := l.votes[i] > 0
	for k := range l.mean {
		if d := now[k][i] - l.light[k].of(l.mean[k][i]); max(d, -d) > limits[k] {
			same = false
		}
	}
	weight := float32(1)
	if same {
		l.votes[i] += seconds
		weight = min(1, seconds/l.votes[i])
	} else if l.votes[i] -= seconds; l.votes[i] > 0 {
		return
	} else {
		l.votes[i] = firstVote
	}
	for k := range l.mean {
		l.mean[k][i] += (l.light[k].without(now[k][i]) - l.mean[k][i]) * weight
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
	m.mean.copyFrom(&b.learner.mean)
	m.count = known
	for i, v := range b.learner.votes {
		m.known[i], m.left[i], m.still[i] = 0, 0, 0
		if v >= float32(stableTime.Seconds()) {
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
	// A cell that was restless while the background was learned, with at least votesAmong
	// seconds for what it has most of the time, is known if knownAround of its neighbours
	// are.
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
			if m.known[i] != 0 || b.learner.votes[i] < votesAmong {
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
