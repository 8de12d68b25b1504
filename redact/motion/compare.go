package motion

import "time"

// wideGain is by how much the noise of the mean of 3×3 cells is smaller than that of a
// cell. It would be 3 if cells were independent; coding makes them similar.
const wideGain = 2

// model is a learned background.
type model struct {
	mean  means
	known []bool
	// luma and chroma are the noise of each cell: the mean change between two looks.
	luma, chroma []float32
	// limit are the thresholds, and wide that of the luma of 3×3 cells.
	limitLuma, limitChroma, wide []float32
	// left is for how many milliseconds each cell stays covered.
	left []uint16
	// What a covered cell shows, and for how many seconds.
	shown means
	still []float32
}

func newModel(n int) model {
	f := func() []float32 { return make([]float32, n) }
	return model{
		mean: newMeans(n), known: make([]bool, n), luma: f(), chroma: f(), limitLuma: f(), limitChroma: f(), wide: f(),
		left: make([]uint16, n), shown: newMeans(n), still: f(),
	}
}

// compare finds what differs from the background in the current picture, passed
// milliseconds after the one before.
func (b *Background) compare(at time.Time, passed uint16) {
	b.findLight()
	m, s := &b.model, &b.scratch
	differ, known := b.differences(passed)
	b.notice(at, differ, known)
	// Cells next to those that differ.
	for i, left := range m.left {
		s.on[i] = 0
		if left > 0 || !m.known[i] {
			s.on[i] = 1
		}
	}
	b.grid.grow(s.near, s.on, s.tmp, spreading)
	for i, v := range s.near {
		s.weak[i] &= v
	}
	b.grid.spread(s.on, s.weak)
	for i, v := range s.on {
		if v != 0 && m.left[i] == 0 && m.known[i] {
			m.left[i] = holdMillis
		}
	}
	b.cover()
}

const holdMillis = uint16(holdTime / time.Millisecond)

// findLight finds how the light differs from that of the background.
func (b *Background) findLight() {
	for k := range b.light {
		for i := 0; i < len(b.now[k]); i += fitStep {
			if b.model.known[i] && b.model.left[i] == 0 {
				b.fit.add(b.model.mean[k][i], b.now[k][i])
			}
		}
		tolerance := max(leastLuma*weakShare*b.scale, 2*b.noise.sigma())
		if k > 0 {
			tolerance = leastChroma * weakShare * b.scale
		}
		b.light[k] = b.fit.solve(tolerance, sameLight, b.light[k])
	}
}

// differences updates how long each cell stays covered, and returns how many of the known
// cells differ.
func (b *Background) differences(passed uint16) (differ, known int) {
	m, s := &b.model, &b.scratch
	for i := range m.known {
		s.weak[i], s.diff[i] = 0, 0
		if !m.known[i] {
			continue
		}
		known++
		dl := b.now[0][i] - b.light[0].of(m.mean[0][i])
		du := b.now[1][i] - b.light[1].of(m.mean[1][i])
		dv := b.now[2][i] - b.light[2].of(m.mean[2][i])
		s.diff[i] = dl
		excess := max(max(dl, -dl)/m.limitLuma[i], max(du, -du, dv, -dv)/m.limitChroma[i])
		if excess > weakShare {
			s.weak[i] = 1
		}
		switch left := m.left[i]; {
		case excess > 1:
			differ++
			m.left[i] = holdMillis
		case left == 0:
		case excess > weakShare:
			m.left[i] = holdMillis
		default:
			m.left[i] = left - min(left, passed)
		}
	}
	b.wideDifferences()
	return differ, known
}

// wideDifferences covers cells whose neighbourhood differs.
func (b *Background) wideDifferences() {
	m, s, cols := &b.model, &b.scratch, b.grid.cols
	for y := range b.grid.rows {
		row, out := s.diff[y*cols:(y+1)*cols], s.sum[y*cols:(y+1)*cols]
		for x := 1; x < cols-1; x++ {
			out[x] = row[x-1] + row[x] + row[x+1]
		}
	}
	for y := 1; y < b.grid.rows-1; y++ {
		for i := y*cols + 1; i < (y+1)*cols-1; i++ {
			d := s.sum[i-cols] + s.sum[i] + s.sum[i+cols]
			if limit := 9 * m.wide[i]; (d > limit || -d > limit) && m.known[i] {
				m.left[i] = holdMillis
			}
		}
	}
}

const (
	// The light has changed where this share of the cells differs, and of the edges among
	// them this share is still there: people who come near hide edges. Or where so much
	// more differs than a second or two ago.
	lightShare, lightEdges, lightRise = 0.5, 0.7, 0.6
	// The camera has moved where this share of the cells differs more than a second or
	// two ago, and this share of the edges at most is still there in all quarters.
	movedShare, movedEdges = 0.15, 0.35
	// A lost background is the right one again from this share down.
	foundShare = 0.35
	// Everything is different: no matter what happened, it is lost.
	allShare = 0.95
	// edgeStep is by how many levels of luma neighbouring cells differ at an edge.
	edgeStep = 10
	// leastEdges is how many edges a quarter of the picture must have to say something.
	leastEdges = 16
)

// notice decides whether the background is lost, or is the right one again.
func (b *Background) notice(at time.Time, differ, known int) {
	b.share = float64(differ) / float64(max(known, 1))
	rise := b.share - min(b.shares[0], b.shares[1])
	lit, left := 0.0, 1.0
	if b.lost || b.share > movedShare {
		lit, left = b.edgesLeft()
	}
	switch {
	case b.lost:
		b.lost = b.share >= foundShare || left <= movedEdges
		return
	case b.share > lightShare && (lit >= lightEdges || rise > lightRise), b.share > allShare:
		b.lostWhy = WhyLight
	case rise > movedShare && left <= movedEdges:
		b.lostWhy = WhyMoved
	default:
		return
	}
	b.lost, b.lostAt = true, at
	b.learner.begin(b.snapshot[0])
}

// edgesLeft compares the edges of the background, between neighbouring cells, with the
// picture. lit is the share of them that are left among cells that differ; 0: there are
// few. left is the share in the quarter of the picture where most are left. Quarters with
// few edges do not count; with less than three that do, it is 1.
func (b *Background) edgesLeft() (lit, left float64) {
	var edges, same [4]int
	var litEdges, litSame int
	m, s, cols := &b.model, &b.scratch, b.grid.cols
	differs := func(i int) bool { return max(s.diff[i], -s.diff[i]) > m.limitLuma[i] }
	count := func(q, i, k int) {
		was := b.light[0].gain * (m.mean[0][k] - m.mean[0][i])
		if max(was, -was) < edgeStep*b.scale || !m.known[k] {
			return
		}
		is := b.now[0][k] - b.now[0][i]
		still := 0
		if is*was > 0 && max(is, -is) > max(was, -was)/3 {
			still = 1
		}
		edges[q]++
		same[q] += still
		if differs(i) && differs(k) {
			litEdges++
			litSame += still
		}
	}
	for y := range b.grid.rows - 1 {
		for x := range cols - 1 {
			if i := y*cols + x; m.known[i] {
				q := 2*y/b.grid.rows*2 + 2*x/cols
				count(q, i, i+1)
				count(q, i, i+cols)
			}
		}
	}
	if litEdges >= leastEdges {
		lit = float64(litSame) / float64(litEdges)
	}
	quarters := 0
	for q := range edges {
		if edges[q] >= leastEdges {
			quarters++
			left = max(left, float64(same[q])/float64(edges[q]))
		}
	}
	if quarters < 3 {
		left = 1
	}
	return lit, left
}

const (
	// growth is by how many cells what differs grows outward, and bridge the half of the
	// gap, in cells, that is closed.
	growth = 2
	bridge = 2
	// holeShare is the share of the picture up to which a hole is closed.
	holeShare = 0.1
)

// cover sets b.covered from what differs.
func (b *Background) cover() {
	g, s := b.grid, &b.scratch
	g.grow(b.covered, s.on, s.tmp, growth+bridge)
	// Shrinking is growing of what is not covered.
	for i, v := range b.covered {
		s.near[i] = 1 - v
	}
	g.grow(s.near, s.near, s.tmp, bridge)
	for i, v := range s.near {
		b.covered[i] = 1 - v
	}
	b.parts.fill(g, b.covered, int(holeShare*float64(g.cells())))
}
