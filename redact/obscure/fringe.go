package obscure

import (
	"image"
	"math"
	"slices"

	"scrim/redact/geom"
)

// fringe is the band around a Shape in one plane.
type fringe struct {
	reach int // 0: not made
	top   int
	// first is where each row begins in list, from top down; one more than rows.
	first []int32
	list  []frayed
}

// frayed is a sample of the band: its column, where the nearest sample of the
// shape is, and how much of that is mixed in, in 256ths. All fit, as pictures
// are at most 4096 wide.
type frayed struct{ x, fromX, fromY, weight uint16 }

// featherShape fades an area that has an outline, within outer.
func (o *Obscurer) featherShape(p *plane, a *area, outer image.Rectangle) {
	f := &a.outline.fringe[p.kind]
	if f.reach != a.reach(p.kind) {
		o.fray(f, a, outer, p.kind)
	}
	for i := range len(f.first) - 1 {
		list, y := f.list[f.first[i]:f.first[i+1]], f.top+i
		row := p.pix[y*p.stride : y*p.stride+p.width]
		for _, g := range o.free(a, outer, p.kind, y) {
			for len(list) > 0 && int(list[0].x) < g.From {
				list = list[1:]
			}
			for len(list) > 0 && int(list[0].x) < g.To {
				e := &list[0]
				row[e.x] = mixed(row[e.x], int(p.pix[int(e.fromY)*p.stride+int(e.fromX)]), int(e.weight))
				list = list[1:]
			}
		}
	}
}

// fray sets f to the band around a, which lies within outer.
func (o *Obscurer) fray(f *fringe, a *area, outer image.Rectangle, kind int) {
	f.reach, f.top = a.reach(kind), outer.Min.Y
	f.first = append(f.first[:0], 0)
	f.list = slices.Grow(f.list[:0], 2*(outer.Dx()+outer.Dy())*f.reach) // of a shape that has about the length of its rectangle
	s := a.outline.shape[kind]
	o.best, o.found = grow(o.best, outer.Dx()), grow(o.found, outer.Dx())
	best, found := o.best, o.found
	o.markNewRows(s, outer.Min.Y-f.reach, outer.Max.Y+f.reach+1)
	for y := outer.Min.Y; y < outer.Max.Y; y++ {
		o.gaps = append(o.gaps[:0], geom.Span{From: outer.Min.X, To: outer.Max.X})
		o.subtract(a, kind, y)
		for _, g := range o.gaps {
			o.nearest(s, g, y, f.reach, outer.Min.X, outer.Min.Y-f.reach)
			for x := g.From; x < g.To; x++ {
				if i := x - outer.Min.X; best[i] <= f.reach*f.reach {
					dx, dy := max(x-found[i].X, found[i].X-x), max(y-found[i].Y, found[i].Y-y)
					f.list = append(f.list, frayed{
						x: uint16(x), fromX: uint16(found[i].X), fromY: uint16(found[i].Y), weight: o.tab.fade[f.reach][dy][dx],
					})
				}
			}
		}
		f.first = append(f.first, int32(len(f.list)))
	}
}

// markNewRows sets o.newRow to which rows from y0 up to y1, exclusive, of s differ from
// the one above. What is made of blocks repeats its rows.
func (o *Obscurer) markNewRows(s *geom.Shape, y0, y1 int) {
	o.newRow = grow(o.newRow, y1-y0)
	above := s.Row(y0 - 1)
	for y := y0; y < y1; y++ {
		row := s.Row(y)
		o.newRow[y-y0] = !slices.Equal(row, above)
		above = row
	}
}

// nearest sets best, from column left on, to the squared distance of the samples of row y
// in g to the nearest sample of s, and found to that; more than reach² where it is farther
// away than reach. Of rows that are the same only the nearest is looked at.
func (o *Obscurer) nearest(s *geom.Shape, g geom.Span, y, reach, left, top int) {
	best, found := o.best, o.found
	for x := g.From; x < g.To; x++ {
		best[x-left] = math.MaxInt
	}
	for k := y - reach; k <= y+reach; k++ {
		if k < y && !o.newRow[k+1-top] || k > y && !o.newRow[k-top] {
			continue
		}
		down := (k - y) * (k - y)
		for _, p := range s.Row(k) {
			for x := max(g.From, p.From-reach); x < min(g.To, p.From); x++ {
				if d := (p.From-x)*(p.From-x) + down; d < best[x-left] {
					best[x-left], found[x-left] = d, image.Pt(p.From, k)
				}
			}
			for x := max(g.From, p.From); x < min(g.To, p.To); x++ {
				if down < best[x-left] {
					best[x-left], found[x-left] = down, image.Pt(x, k)
				}
			}
			for x := max(g.From, p.To); x < min(g.To, p.To+reach); x++ {
				if d := (x-p.To+1)*(x-p.To+1) + down; d < best[x-left] {
					best[x-left], found[x-left] = d, image.Pt(p.To-1, k)
				}
			}
		}
	}
}
