package motion

import "slices"

// mask marks cells with 1.
type mask []uint8

// grow sets dst to the cells within r cells of one of src, in both directions. tmp is
// overwritten; dst may be src.
func (g grid) grow(dst, src, tmp mask, r int) {
	for y := range g.rows {
		in, out := src[y*g.cols:(y+1)*g.cols], tmp[y*g.cols:(y+1)*g.cols]
		clear(out)
		until := 0 // marked up to here
		for x, v := range in {
			if v != 0 {
				for i := max(until, x-r); i < min(x+r+1, g.cols); i++ {
					out[i] = 1
				}
				until = min(x+r+1, g.cols)
			}
		}
	}
	for y := range g.rows {
		out := dst[y*g.cols : (y+1)*g.cols]
		clear(out)
		for k := max(0, y-r); k <= min(g.rows-1, y+r); k++ {
			in := tmp[k*g.cols : (k+1)*g.cols]
			for x, v := range in {
				out[x] |= v
			}
		}
	}
}

// spread marks the cells of weak that are connected with one of m.
func (g grid) spread(m, weak mask) {
	for y := range g.rows {
		for x := range g.cols {
			if i := y*g.cols + x; weak[i] != 0 && m[i] == 0 && (x > 0 && m[i-1] != 0 ||
				y > 0 && (m[i-g.cols] != 0 || x > 0 && m[i-g.cols-1] != 0 || x < g.cols-1 && m[i-g.cols+1] != 0)) {
				m[i] = 1
			}
		}
	}
	for y := g.rows - 1; y >= 0; y-- {
		for x := g.cols - 1; x >= 0; x-- {
			if i := y*g.cols + x; weak[i] != 0 && m[i] == 0 && (x < g.cols-1 && m[i+1] != 0 ||
				y < g.rows-1 && (m[i+g.cols] != 0 || x > 0 && m[i+g.cols-1] != 0 || x < g.cols-1 && m[i+g.cols+1] != 0)) {
				m[i] = 1
			}
		}
	}
}

// parts finds connected parts. It is reused for its memory.
type parts struct {
	label []int32 // of each cell; 0: none
	stack []int32
	list  []part
}

// part is one connected part: its cells lie in columns x0 to x1 and rows y0 to y1,
// exclusive.
type part struct {
	x0, y0, x1, y1 int
	count          int
}

// find labels the connected cells of m that have the given value, corners included if
// diagonal is set. list[0] is not used.
func (p *parts) find(g grid, m mask, value uint8, diagonal bool) {
	p.label = slices.Grow(p.label[:0], len(m))[:len(m)]
	clear(p.label)
	p.list = append(p.list[:0], part{})
	for start := range m {
		if m[start] != value || p.label[start] != 0 {
			continue
		}
		n := int32(len(p.list)) //nolint:gosec // as many as cells
		c := part{x0: g.cols, y0: g.rows}
		p.label[start] = n
		p.stack = append(p.stack[:0], int32(start)) //nolint:gosec // a cell
		push := func(i int) {
			if m[i] == value && p.label[i] == 0 {
				p.label[i] = n
				p.stack = append(p.stack, int32(i)) //nolint:gosec // a cell
			}
		}
		for len(p.stack) > 0 {
			i := int(p.stack[len(p.stack)-1])
			p.stack = p.stack[:len(p.stack)-1]
			x, y := i%g.cols, i/g.cols
			c.x0, c.y0, c.x1, c.y1 = min(c.x0, x), min(c.y0, y), max(c.x1, x+1), max(c.y1, y+1)
			c.count++
			left, right := x > 0, x < g.cols-1
			if left {
				push(i - 1)
			}
			if right {
				push(i + 1)
			}
			if y > 0 {
				push(i - g.cols)
				if diagonal && left {
					push(i - g.cols - 1)
				}
				if diagonal && right {
					push(i - g.cols + 1)
				}
			}
			if y < g.rows-1 {
				push(i + g.cols)
				if diagonal && left {
					push(i + g.cols - 1)
				}
				if diagonal && right {
					push(i + g.cols + 1)
				}
			}
		}
		p.list = append(p.list, c)
	}
}

// fill marks the holes of m that have at most the given number of cells: a hole is what
// is not marked and does not reach the edge of the picture.
func (p *parts) fill(g grid, m mask, most int) {
	p.find(g, m, 0, false)
	for n := 1; n < len(p.list); n++ {
		c := &p.list[n]
		if c.count > most || c.x0 == 0 || c.y0 == 0 || c.x1 == g.cols || c.y1 == g.rows {
			continue
		}
		for y := c.y0; y < c.y1; y++ {
			for i := y*g.cols + c.x0; i < y*g.cols+c.x1; i++ {
				if p.label[i] == int32(n) { //nolint:gosec // as many as cells
					m[i] = 1
				}
			}
		}
	}
}
