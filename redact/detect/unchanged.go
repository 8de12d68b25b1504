package detect

import (
	"encoding/binary"
	"image"
	"time"
)

const (
	// blockSize is the side of the blocks in which a picture changes or not, and
	// cellSize that of the cells, 4×4 in a block, in pixels as the
	// network sees them.
	blockSize = 16
	cellSize  = 4
	// scaledLevel and nativeLevel are by how much the mean luma of a cell must
	// have changed since the block was last inspected, where the picture was
	// scaled down and where it was not. Measured: a still camera with noise of 3
	// levels, coded by x264 at CRF 23 and compared over up to a second, exceeds 6
	// in 11 of a million blocks when it is scaled to half, and 8 in 27 of a
	// million in its own size, at most. The cell that changes most when a face of
	// 12 to 20 pixels appears in the drawn scene changes by 19 at least, by 80 in
	// the median.
	scaledLevel = 6
	nativeLevel = 8
	// changeMargin is the context that a crop has around what changed, in pixels.
	changeMargin = 64
	// faceMargin is the least context around a face that a crop touches.
	faceMargin = 32
	// globalChange is the share of changed blocks from which on everything is
	// inspected, in percent.
	globalChange = 40
	// cropLimit is the share of the input from which on crops do not pay, in
	// percent.
	cropLimit = 70
	// Everything is inspected at least this often.
	fullInterval = time.Second
	fullPictures = 30
)

// changeMap remembers what a pass saw when it last inspected each block. A block is
// compared with that and never with the picture before: what changes slowly
// changes, too.
type changeMap struct {
	w, h       int
	level      int
	tolerance  tolerance
	cols, rows int      // cells
	ref, now   []uint16 // sums of the cells
	changed    []bool   // by block
	bw, bh     int      // blocks
	valid      bool
	due        time.Time
	left       int // pictures until the next full inspection
	crops      []image.Rectangle
	tint       *tint // of the whole picture; nil: other passes look at it
}

// newChangeMap returns a map for views of w×h.
func newChangeMap(w, h, level int) changeMap {
	g := changeMap{w: w, h: h, level: level, cols: (w + cellSize - 1) / cellSize, rows: (h + cellSize - 1) / cellSize}
	g.bw, g.bh = (w+blockSize-1)/blockSize, (h+blockSize-1)/blockSize
	g.ref, g.now = make([]uint16, g.cols*g.rows), make([]uint16, g.cols*g.rows)
	g.changed = make([]bool, g.bw*g.bh)
	return g
}

// compare sums the cells of v and returns how many blocks have changed; -1 if a full
// inspection is due or there was none.
func (g *changeMap) compare(v *view, now time.Time) int {
	g.sum(v)
	if !g.valid || g.left <= 1 || !now.Before(g.due) {
		return -1
	}
	g.left--
	clear(g.changed)
	if g.tolerance.adapted {
		return g.compareAdapted()
	}
	count := 0
	for y := range g.rows {
		cur, ref := g.now[y*g.cols:(y+1)*g.cols], g.ref[y*g.cols:(y+1)*g.cols]
		blocks := g.changed[y/4*g.bw : (y/4+1)*g.bw]
		height := min(cellSize, g.h-y*cellSize)
		limit := int32(g.level * cellSize * height)
		for x, c := range cur {
			if d := int32(c) - int32(ref[x]); d > limit || -d > limit {
				if !blocks[x/4] {
					blocks[x/4] = true
					count++
				}
			}
		}
		if last := g.w % cellSize; last != 0 {
			x := g.cols - 1
			limit := int32(g.level * last * height)
			if d := int32(cur[x]) - int32(ref[x]); (d > limit || -d > limit) && !blocks[x/4] {
				blocks[x/4] = true
				count++
			}
		}
	}
	return count
}

// sum writes the sums of the cells of v into g.now.
func (g *changeMap) sum(v *view) {
	const low = 0x00ff00ff00ff00ff
	for cy := range g.rows {
		out := g.now[cy*g.cols : (cy+1)*g.cols]
		top := cy * cellSize
		if top+cellSize > g.h {
			g.sumSlowly(v, out, top, 0)
			continue
		}
		a, b := v.y[top*v.ys:top*v.ys+g.w], v.y[(top+1)*v.ys:(top+1)*v.ys+g.w]
		c, d := v.y[(top+2)*v.ys:(top+2)*v.ys+g.w], v.y[(top+3)*v.ys:(top+3)*v.ys+g.w]
		x := 0
		for ; x+8 <= g.w; x += 8 {
			p, q := binary.LittleEndian.Uint64(a[x:]), binary.LittleEndian.Uint64(b[x:])
			r, s := binary.LittleEndian.Uint64(c[x:]), binary.LittleEndian.Uint64(d[x:])
			t := p&low + p>>8&low + q&low + q>>8&low + r&low + r>>8&low + s&low + s>>8&low
			out[x/4] = uint16(t) + uint16(t>>16)       //nolint:gosec // below 4081
			out[x/4+1] = uint16(t>>32) + uint16(t>>48) //nolint:gosec // below 4081
		}
		g.sumSlowly(v, out, top, x/cellSize)
	}
}

// sumSlowly sums the cells of one row from a column on.
func (g *changeMap) sumSlowly(v *view, out []uint16, top, from int) {
	for i := from; i < g.cols; i++ {
		sum := uint16(0)
		for y := top; y < min(top+cellSize, g.h); y++ {
			for _, p := range v.y[y*v.ys+i*cellSize : y*v.ys+min((i+1)*cellSize, g.w)] {
				sum += uint16(p)
			}
		}
		out[i] = sum
	}
}

// inspected remembers that everything was inspected. The next full inspection is after
// wait, a fraction of the interval above 0 and at most 1.
func (g *changeMap) inspected(now time.Time, wait float64) {
	g.ref, g.now = g.now, g.ref
	if g.tint != nil {
		g.tint.ref = g.tint.now
	}
	g.valid = true
	g.due = now.Add(time.Duration(wait * float64(fullInterval)))
	g.left = max(1, int(wait*fullPictures))
}

// inspectedPart remembers that the changed blocks that lie whole in r were inspected.
// The results for the other blocks are not used, so these are still compared with their
// last inspection: next to something that always moves, a face that moves slowly would
// otherwise creep out of its box.
func (g *changeMap) inspectedPart(r image.Rectangle) {
	y0, y1 := (r.Min.Y+blockSize-1)/blockSize, r.Max.Y/blockSize
	x0, x1 := (r.Min.X+blockSize-1)/blockSize, r.Max.X/blockSize
	if r.Max.Y >= g.h {
		y1 = g.bh
	}
	if r.Max.X >= g.w {
		x1 = g.bw
	}
	if x1 <= x0 {
		return
	}
	const n = blockSize / cellSize
	for y := y0 * n; y < min(y1*n, g.rows); y++ {
		for bx := x0; bx < min(x1, g.bw); bx++ {
			if !g.changed[y/n*g.bw+bx] {
				continue
			}
			from, to := y*g.cols+bx*n, y*g.cols+min((bx+1)*n, g.cols)
			copy(g.ref[from:to], g.now[from:to])
		}
	}
}

// touched reports whether a changed block lies within margin of c.
func (g *changeMap) touched(c *candidate, margin float32) bool {
	x0, x1 := int((c.x-margin)/blockSize), int((c.x+c.w+margin)/blockSize)
	y0, y1 := int((c.y-margin)/blockSize), int((c.y+c.h+margin)/blockSize)
	for y := max(y0, 0); y <= min(y1, g.bh-1); y++ {
		for x := max(x0, 0); x <= min(x1, g.bw-1); x++ {
			if g.changed[y*g.bw+x] {
				return true
			}
		}
	}
	return false
}

// tinted reports whether the picture's colours differ from those of the last full
// inspection.
func (g *changeMap) tinted() bool { return g.valid && g.tint != nil && g.tint.changed() }

// plan returns the parts of the view to inspect: disjoint rectangles that contain the
// changes with their margin, and every face that these touch. They are valid until the
// next call.
func (g *changeMap) plan(found []candidate) []image.Rectangle {
	g.crops = g.crops[:0]
	whole := image.Rect(0, 0, g.w, g.h)
	for y := range g.bh {
		row := g.changed[y*g.bw : (y+1)*g.bw]
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x < len(row) && row[x] {
				x++
			}
			r := image.Rect(from*blockSize, y*blockSize, x*blockSize, (y+1)*blockSize)
			g.add(r.Inset(-changeMargin).Intersect(whole))
		}
	}
	for again := true; again; {
		again = false
		for i := range found {
			if found[i].weak {
				continue
			}
			f := found[i].rect(faceMargin).Intersect(whole)
			for _, r := range g.crops {
				if found[i].rect(0).Overlaps(r) && !f.In(r) {
					g.add(f)
					again = true
					break
				}
			}
		}
	}
	return g.crops
}

// add joins r with all crops that it overlaps.
func (g *changeMap) add(r image.Rectangle) {
	for i := 0; i < len(g.crops); {
		if k := g.crops[i]; k.Overlaps(r) {
			r = r.Union(k)
			last := len(g.crops) - 1
			g.crops[i] = g.crops[last]
			g.crops = g.crops[:last]
			i = 0
			continue
		}
		i++
	}
	g.crops = append(g.crops, r)
}
