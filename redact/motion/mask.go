package motion

import "math/bits"

const wordBits = 64

// mask marks cells: each row of cells is grid.words words, the first cell in the lowest
// bit. Bits behind the last cell are 0.
type mask []uint64

func (g grid) newMask() mask { return make(mask, g.words*g.rows) }

func (g grid) row(m mask, y int) mask { return m[y*g.words : (y+1)*g.words] }

// tail is the bits of the last word of a row that are cells.
func (g grid) tail() uint64 {
	if n := g.cols % wordBits; n != 0 {
		return 1<<n - 1
	}
	return ^uint64(0)
}

func (g grid) marked(m mask, i int) bool {
	x := i % g.cols
	return m[i/g.cols*g.words+x/wordBits]>>(x%wordBits)&1 != 0
}

func (g grid) mark(m mask, i int) {
	x := i % g.cols
	m[i/g.cols*g.words+x/wordBits] |= 1 << (x % wordBits)
}

// pack sets m to the bytes that are 1; others are 0.
func (g grid) pack(m mask, bytes []uint8) {
	for y := range g.rows {
		in, out := bytes[y*g.cols:(y+1)*g.cols], g.row(m, y)
		clear(out)
		for x, v := range in {
			out[x/wordBits] |= uint64(v) << (x % wordBits)
		}
	}
}

// each calls f with each cell of m.
func (g grid) eachMarked(m mask, f func(i int)) {
	for y := range g.rows {
		for k, w := range g.row(m, y) {
			for ; w != 0; w &= w - 1 {
				f(y*g.cols + k*wordBits + bits.TrailingZeros64(w))
			}
		}
	}
}

// widen sets out to row and the cells on both sides of its own.
func widen(out, row mask, tail uint64) {
	last := len(row) - 1
	carry := uint64(0)
	for k, w := range row {
		next := uint64(0)
		if k < last {
			next = row[k+1] << (wordBits - 1)
		}
		out[k] = w | w<<1 | carry | w>>1 | next
		carry = w >> (wordBits - 1)
	}
	out[last] &= tail
}

// grow sets dst to the cells within r of one of src, in both directions. tmp is
// overwritten; dst may be src.
func (g grid) grow(dst, src, tmp mask, r int) {
	tail := g.tail()
	copy(dst, src)
	for range r {
		for y := range g.rows {
			widen(g.row(tmp, y), g.row(dst, y), tail)
		}
		// Up and down.
		for y := range g.rows {
			out := g.row(dst, y)
			copy(out, g.row(tmp, y))
			if y > 0 {
				or(out, g.row(tmp, y-1))
			}
			if y < g.rows-1 {
				or(out, g.row(tmp, y+1))
			}
		}
	}
}

func or(dst, src mask) {
	for k, w := range src {
		dst[k] |= w
	}
}

// invert sets dst to what src does not mark.
func (g grid) invert(dst, src mask) {
	tail := g.tail()
	for y := range g.rows {
		in, out := g.row(src, y), g.row(dst, y)
		for k, w := range in {
			out[k] = ^w
		}
		out[g.words-1] &= tail
	}
}

// spread adds to m the cells of weak that are connected with m over at most steps cells
// of weak.
func (g grid) spread(m, weak, grown, tmp mask, steps int) {
	for range steps {
		g.grow(grown, m, tmp, 1)
		changed := false
		for k, w := range grown {
			if more := w & weak[k] &^ m[k]; more != 0 {
				m[k] |= more
				changed = true
			}
		}
		if !changed {
			return
		}
	}
}
