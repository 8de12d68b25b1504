package motion

import (
	"hash/maphash"

	"scrim/redact"
	"scrim/redact/geom"
)

// maxParts bounds the parts of one picture that are told apart.
const maxParts = 256

// regions makes regions of what is covered, and keeps their numbers.
type regions struct {
	last   uint64 // number given last
	before []known
	now    []known
	owner  []int32 // of each cell in the picture before: index into before plus 1
	seed   maphash.Seed
	seeded bool
	votes  []int
}

// known is a part that has a number.
type known struct {
	track uint64
	count int
	sum   uint64 // of its cells
	shape *geom.Shape
	taken bool
}

// forget forgets the parts.
func (r *regions) forget() {
	r.before = r.before[:0]
	r.owner = r.owner[:0]
}

// of returns one region for each connected part of m.
func (r *regions) of(g grid, m mask, p *parts) []geom.Region {
	if !r.seeded {
		r.seed, r.seeded = maphash.MakeSeed(), true
	}
	p.find(g, m, 1, true)
	list := make([]geom.Region, 0, len(p.list)-1)
	r.now = r.now[:0]
	if len(r.owner) != len(m) {
		r.owner = make([]int32, len(m))
		r.before = r.before[:0]
	}
	for n := 1; n < len(p.list); n++ {
		c := &p.list[n]
		k := known{count: c.count, sum: r.sum(g, p, n)}
		best := r.successor(g, p, n)
		if best >= 0 {
			was := &r.before[best]
			was.taken = true
			k.track = was.track
			if was.count == k.count && was.sum == k.sum {
				k.shape = was.shape
			}
		} else {
			r.last++
			k.track = redact.FirstMovingTrack + r.last
		}
		if k.shape == nil {
			k.shape = r.shape(g, p, n)
		}
		r.now = append(r.now, k)
		list = append(list, geom.Region{Rect: k.shape.Bounds(), Shape: k.shape, Source: geom.Moving, Track: k.track, Face: geom.BoxOf(k.shape.Bounds())})
	}
	r.before, r.now = r.now, r.before
	copy(r.owner, p.label)
	return list
}

// sum returns a hash of the cells of a part.
func (r *regions) sum(g grid, p *parts, n int) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	c := &p.list[n]
	put := func(v int) { _, _ = h.Write([]byte{byte(v), byte(v >> 8), byte(v >> 16)}) }
	for y := c.y0; y < c.y1; y++ {
		g.runs(p, n, y, func(from, to int) {
			put(y)
			put(from)
			put(to)
		})
	}
	return h.Sum64()
}

// runs calls f with each run of cells of part n in row y.
func (g grid) runs(p *parts, n, y int, f func(from, to int)) {
	c := &p.list[n]
	row := p.label[y*g.cols : (y+1)*g.cols]
	for x := c.x0; x < c.x1; x++ {
		if int(row[x]) != n {
			continue
		}
		from := x
		for x < c.x1 && int(row[x]) == n {
			x++
		}
		f(from, x)
	}
}

// successor returns which part of the picture before shares the most cells with part n
// and has no successor yet; -1: none.
func (r *regions) successor(g grid, p *parts, n int) int {
	r.votes = append(r.votes[:0], make([]int, len(r.before)+1)...)
	c := &p.list[n]
	for y := c.y0; y < c.y1; y++ {
		for i := y*g.cols + c.x0; i < y*g.cols+c.x1; i++ {
			if int(p.label[i]) == n && int(r.owner[i]) < len(r.votes) {
				r.votes[r.owner[i]]++
			}
		}
	}
	best, most := -1, 0
	for k := range r.before {
		if v := r.votes[k+1]; v > most && !r.before[k].taken {
			best, most = k, v
		}
	}
	return best
}

// shape returns the pixels of part n.
func (r *regions) shape(g grid, p *parts, n int) *geom.Shape {
	c := &p.list[n]
	top := c.y0 * g.side
	rows := make([][]geom.Span, min(c.y1*g.side, g.height)-top)
	for y := c.y0; y < c.y1; y++ {
		var row []geom.Span
		g.runs(p, n, y, func(from, to int) {
			row = append(row, geom.Span{From: from * g.side, To: min(to*g.side, g.width)})
		})
		for k := y * g.side; k < min((y+1)*g.side, g.height); k++ {
			rows[k-top] = row
		}
	}
	return geom.NewShape(top, rows)
}
