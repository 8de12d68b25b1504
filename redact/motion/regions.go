package motion

import (
	"hash/maphash"
	"slices"

	"scrim/redact"
	"scrim/redact/geom"
)

// maxParts bounds the parts of one picture that are told apart.
const maxParts = 256

// regions makes regions of what is covered, and keeps their numbers.
type regions struct {
	last        uint64 // number given last
	before, now []known
	runs        []run // of the picture before
	first       []int // of runs, by row
	seed        maphash.Seed
	shared      []int // cells of a part that belong to each part before
	parts       parts
	rows        [][]geom.Span
	spans       []geom.Span
}

// known is a part that has a number.
type known struct {
	track uint64
	sum   uint64 // of its cells
	shape *geom.Shape
	taken bool // by a part of the next picture
}

func newRegions() regions { return regions{seed: maphash.MakeSeed()} }

// forget forgets the parts.
func (r *regions) forget() { r.before, r.runs = r.before[:0], r.runs[:0] }

// of returns one region for each connected part of m.
func (r *regions) of(g grid, m mask) []geom.Region {
	p := &r.parts
	p.find(g, m, true)
	list := make([]geom.Region, 0, len(p.list))
	// Runs of one part after the other, by row.
	slices.SortStableFunc(p.runs, func(a, b run) int { return a.part - b.part })
	r.indexRuns(g)
	r.now = r.now[:0]
	for from := 0; from < len(p.runs); {
		to := from
		for to < len(p.runs) && p.runs[to].part == p.runs[from].part {
			to++
		}
		runs := p.runs[from:to]
		k := known{sum: r.sum(runs)}
		if was := r.predecessor(runs); was != nil {
			was.taken = true
			k.track = was.track
			if was.sum == k.sum {
				k.shape = was.shape
			}
		} else {
			r.last++
			k.track = redact.FirstMovingTrack + r.last
		}
		if k.shape == nil {
			k.shape = r.shape(g, runs)
		}
		r.now = append(r.now, k)
		bounds := k.shape.Bounds()
		list = append(list, geom.Region{Rect: bounds, Shape: k.shape, Source: geom.Moving, Track: k.track, Face: geom.BoxOf(bounds)})
		from = to
	}
	r.before, r.now = r.now, r.before
	r.runs = append(r.runs[:0], p.runs...)
	return list
}

// indexRuns orders the runs of the picture before by row.
func (r *regions) indexRuns(g grid) {
	slices.SortFunc(r.runs, func(a, b run) int {
		if a.y != b.y {
			return a.y - b.y
		}
		return a.from - b.from
	})
	r.first = r.first[:0]
	k := 0
	for y := range g.rows + 1 {
		for k < len(r.runs) && r.runs[k].y < y {
			k++
		}
		r.first = append(r.first, k)
	}
}

// sum returns a hash of the cells of a part.
func (r *regions) sum(runs []run) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, c := range runs {
		b := [...]byte{byte(c.y), byte(c.y >> 8), byte(c.from), byte(c.from >> 8), byte(c.to), byte(c.to >> 8)} //nolint:gosec // 16 bits hold a column
		_, _ = h.Write(b[:])
	}
	return h.Sum64()
}

// predecessor returns the part of the picture before that shares the most cells with the
// part of these runs, of those that no other part has taken; nil: none.
func (r *regions) predecessor(runs []run) *known {
	r.shared = append(r.shared[:0], make([]int, len(r.before))...)
	for _, c := range runs {
		for _, o := range r.runs[r.first[c.y]:r.first[c.y+1]] {
			if n := min(c.to, o.to) - max(c.from, o.from); n > 0 {
				r.shared[o.part] += n
			}
		}
	}
	best, most := (*known)(nil), 0
	for k, n := range r.shared {
		if n > most && !r.before[k].taken {
			best, most = &r.before[k], n
		}
	}
	return best
}

// shape returns the pixels of a part.
func (r *regions) shape(g grid, runs []run) *geom.Shape {
	r.rows, r.spans = r.rows[:0], r.spans[:0]
	for _, c := range runs { // first, so that they stay where they are
		r.spans = append(r.spans, geom.Span{From: c.from * g.side, To: min(c.to*g.side, g.width)})
	}
	top := runs[0].y * g.side
	for from := 0; from < len(runs); {
		to := from
		for to < len(runs) && runs[to].y == runs[from].y {
			to++
		}
		for y := runs[from].y * g.side; y < min((runs[from].y+1)*g.side, g.height); y++ {
			r.rows = append(r.rows, r.spans[from:to])
		}
		from = to
	}
	return geom.NewShape(top, r.rows)
}
