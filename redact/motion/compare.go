package motion

import "time"

// wideGain is by how much the noise of the mean of 3×3 cells is smaller than that of a
// cell. It would be 3 if cells were independent; coding makes them similar.
const wideGain = 2

// model is a learned background.
type model struct {
	mean  means
	known []uint8 // 1 if it was learned
	count int     // of known cells
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
		mean: newMeans(n), known: make([]uint8, n), luma: f(), chroma: f(), limitLuma: f(), limitChroma: f(), wide: f(),
		left: make([]uint16, n), shown: newMeans(n), still: f(),
	}
}

// holdMillis is holdTime in milliseconds.
const holdMillis = uint16(holdTime / time.Millisecond)

// compare finds what differs from the background in the current picture, passed
// milliseconds after the one before. look is set if the light is looked for in any case.
func (b *Background) compare(at time.Time, passed uint16, look bool) {
	m, s, g := &b.model, &b.scratch, b.grid
	b.findLight(look)
	differ := compareCells(m, &b.now, &b.light, passed, s.diff, s.weak)
	compareWide(g, m, s.diff, s.sum)
	b.notice(at, differ)
	g.pack(b.weak, s.weak)
	clear(b.on)
	for y := range g.rows {
		row := g.row(b.on, y)
		for x, left := range m.left[y*g.cols : (y+1)*g.cols] {
			if left > 0 || m.known[y*g.cols+x] == 0 {
				row[x/wordBits] |= 1 << (x % wordBits)
			}
		}
	}
	copy(s.seeds, b.on)
	g.spread(b.on, b.weak, s.grown, s.tmp, spreading)
	for k, w := range b.on {
		s.seeds[k] = w &^ s.seeds[k]
	}
	g.eachMarked(s.seeds, func(i int) { m.left[i] = holdMillis })
	b.cover()
}

// findLight finds how the light differs from that of the background.
func (b *Background) findLight(look bool) {
	for k := range b.light {
		tolerance := max(leastLuma*weakShare*b.scale, 2*b.noise.sigma())
		if k > 0 {
			tolerance = max(leastChroma*weakShare*b.scale, 2*b.tint.sigma())
		}
		f := &b.fit
		f.take(&b.model, k, b.now[k])
		share := float32(f.agree(b.light[k], tolerance)) / float32(max(1, len(f.was)))
		if !look && share >= b.agreed[k]-lightDrop {
			continue
		}
		b.light[k] = f.solve(tolerance, b.light[k])
		b.agreed[k] = float32(f.agree(b.light[k], tolerance)) / float32(max(1, len(f.was)))
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
	// lightDrop is the share of the cells that no longer agree with the last light from
	// which on another one is looked for.
	lightDrop = 0.02
	// leastEdges is how many edges a quarter of the picture must have to say something.
	leastEdges = 16
)

// notice decides whether the background is lost, or is the right one again.
func (b *Background) notice(at time.Time, differ int) {
	b.share = float64(differ) / float64(max(b.model.count, 1))
	rise := b.share - min(b.shares[0], b.shares[1])
	lit, left := 0.0, 1.0
	if b.lost || b.share > lightShare || rise > movedShare {
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

// fitsOther reports whether the picture is that of the background before the last one, as
// when a lamp is switched off again. If so, it takes the place of the last.
func (b *Background) fitsOther() bool {
	if !b.hasOther {
		return false
	}
	lights, agreed := b.light, b.agreed
	b.model, b.other = b.other, b.model
	b.light = [planes]light{sameLight, sameLight, sameLight}
	b.setLimits()
	b.findLight(true)
	differ := compareCells(&b.model, &b.now, &b.light, 0, b.scratch.diff, b.scratch.weak)
	if _, left := b.edgesLeft(); float64(differ) < foundShare*float64(b.model.count) && left > movedEdges {
		clear(b.model.left)
		clear(b.model.still)
		b.lost = false
		return true
	}
	b.model, b.other = b.other, b.model
	b.light, b.agreed = lights, agreed
	return false
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
		if max(was, -was) < edgeStep*b.scale || m.known[k] == 0 {
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
			if i := y*cols + x; m.known[i] != 0 {
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
	// Above what differs a head may be that looks like what is behind it: a column of
	// cells grows upward by its height divided by headRoom, or by cutHeadRoom where it
	// reaches the lower edge of the picture, which hides legs. At most by the height of
	// the picture divided by mostHeadRoom.
	headRoom, cutHeadRoom, mostHeadRoom = 4, 2, 5
)

// cover sets b.covered from what differs.
func (b *Background) cover() {
	g, s := b.grid, &b.scratch
	g.addHeadRoom(s.seeds, b.on, s.column)
	g.grow(b.covered, s.seeds, s.tmp, growth+bridge)
	// Shrinking is growing of what is not covered.
	g.invert(s.grown, b.covered)
	g.grow(s.grown, s.grown, s.tmp, bridge)
	g.invert(b.covered, s.grown)
	b.parts.fill(g, b.covered, s.tmp, int(holeShare*float64(g.cells())))
}

// addHeadRoom sets dst to src with each column of cells grown upward. columns has room for
// the number of columns.
func (g grid) addHeadRoom(dst, src mask, columns []column) {
	clear(columns)
	most := max(g.rows/mostHeadRoom, 1)
	for y := g.rows - 1; y >= 0; y-- {
		in, out := g.row(src, y), g.row(dst, y)
		copy(out, in)
		for x := range columns {
			c := &columns[x]
			switch bit := uint64(1) << (x % wordBits); {
			case in[x/wordBits]&bit != 0:
				c.height++
				c.cut = c.cut || y == g.rows-1
				room := c.height / headRoom
				if c.cut {
					room = c.height / cutHeadRoom
				}
				c.room = max(c.room, min(room, most))
			case c.room > 0:
				out[x/wordBits] |= bit
				c.room--
				c.height, c.cut = 0, false
			default:
				c.height, c.cut = 0, false
			}
		}
	}
}

// column is what was seen of a column of cells from below.
type column struct {
	height int // of what differs without a gap
	room   int // cells that are covered above it
	cut    bool
}
