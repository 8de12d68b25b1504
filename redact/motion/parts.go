package motion

import "math/bits"

// run is cells from up to to, exclusive, of one row, that belong to a part.
type run struct {
	y, from, to int
	part        int
}

// part is a connected part: its cells lie in columns x0 to x1 and rows y0 to y1,
// exclusive.
type part struct {
	x0, y0, x1, y1 int
	count          int
}

// parts are the connected parts of a mask. It is reused for its memory.
type parts struct {
	runs   []run // by row, then from left to right
	list   []part
	parent []int
	number []int
}

// find finds the parts of m. Cells that touch at a corner are connected if diagonal is
// set.
func (p *parts) find(g grid, m mask, diagonal bool) {
	p.runs, p.parent, p.list, p.number = p.runs[:0], p.parent[:0], p.list[:0], p.number[:0]
	reach := 0
	if diagonal {
		reach = 1
	}
	above := 0
	for y := range g.rows {
		first := len(p.runs)
		p.scan(g.row(m, y), y)
		k := above
		for i := first; i < len(p.runs); i++ {
			r := &p.runs[i]
			for k < first && p.runs[k].to+reach <= r.from {
				k++
			}
			for j := k; j < first && p.runs[j].from < r.to+reach; j++ {
				p.join(i, j)
			}
		}
		above = first
	}
	p.count()
}

// scan adds the runs of a row.
func (p *parts) scan(row mask, y int) {
	add := func(from, to int) {
		if n := len(p.runs); n > 0 && p.runs[n-1].y == y && p.runs[n-1].to == from {
			p.runs[n-1].to = to
			return
		}
		p.parent = append(p.parent, len(p.runs))
		p.runs = append(p.runs, run{y: y, from: from, to: to})
	}
	for k, w := range row {
		for at := 0; w != 0; {
			skip := bits.TrailingZeros64(w)
			w >>= skip
			at += skip
			n := bits.TrailingZeros64(^w)
			add(k*wordBits+at, k*wordBits+at+n)
			if at += n; n == wordBits {
				break
			}
			w >>= n
		}
	}
}

func (p *parts) root(i int) int {
	for p.parent[i] != i {
		p.parent[i] = p.parent[p.parent[i]]
		i = p.parent[i]
	}
	return i
}

func (p *parts) join(i, j int) {
	a, b := p.root(i), p.root(j)
	p.parent[max(a, b)] = min(a, b)
}

// count numbers the parts in the order of their first runs.
func (p *parts) count() {
	for i := range p.runs {
		root := p.root(i)
		r := &p.runs[i]
		if root == i {
			p.number = append(p.number, len(p.list))
			p.list = append(p.list, part{x0: r.from, y0: r.y, x1: r.to, y1: r.y + 1})
		} else {
			p.number = append(p.number, p.number[root])
		}
		r.part = p.number[i]
		c := &p.list[r.part]
		c.x0, c.x1, c.y1 = min(c.x0, r.from), max(c.x1, r.to), r.y+1
		c.count += r.to - r.from
	}
}

// fill marks the holes of m that have at most the given number of cells: a hole is what
// is not marked and does not reach the edge of the picture. tmp is overwritten.
func (p *parts) fill(g grid, m, tmp mask, most int) {
	g.invert(tmp, m)
	p.find(g, tmp, false)
	for _, r := range p.runs {
		c := &p.list[r.part]
		if c.count > most || c.x0 == 0 || c.y0 == 0 || c.x1 == g.cols || c.y1 == g.rows {
			continue
		}
		row := g.row(m, r.y)
		for x := r.from; x < r.to; x++ {
			row[x/wordBits] |= 1 << (x % wordBits)
		}
	}
}
