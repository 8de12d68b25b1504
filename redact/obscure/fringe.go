package obscure

import (
	"image"
	"math"

	"scrim/redact/geom"
)

// fringe is the band around a Shape in one plane.
type fringe struct {
	reach int
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
	f := a.outline.fringe[p.kind]
	if f == nil || f.reach != a.reach(p.kind) {
		f = o.fray(a, outer, p.kind)
		a.outline.fringe[p.kind] = f
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

// fray returns the band around a, which lies within outer.
func (o *Obscurer) fray(a *area, outer image.Rectangle, kind int) *fringe {
	f := &fringe{reach: a.reach(kind), top: outer.Min.Y, first: []int32{0}}
	s := a.outline.shape[kind]
	best := make([]int, outer.Dx())
	found := make([]image.Point, outer.Dx())
	for y := outer.Min.Y; y < outer.Max.Y; y++ {
		o.gaps = append(o.gaps[:0], geom.Span{From: outer.Min.X, To: outer.Max.X})
		o.subtract(a, kind, y)
		for _, g := range o.gaps {
			nearest(s, g, y, f.reach, outer.Min.X, best, found)
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
	return f
}

// nearest sets best, from column left on, to the squared distance of the
// samples of row y in g to the nearest sample of s, and found to that; more
// than reach² where it is farther away than reach.
func nearest(s *geom.Shape, g geom.Span, y, reach, left int, best []int, found []image.Point) {
	for x := g.From; x < g.To; x++ {
		best[x-left] = math.MaxInt
	}
	for dy := -reach; dy <= reach; dy++ {
		for _, p := range s.Row(y + dy) {
			for x := max(g.From, p.From-reach); x < min(g.To, p.To+reach); x++ {
				at := min(max(x, p.From), p.To-1)
				if d := (x-at)*(x-at) + dy*dy; d < best[x-left] {
					best[x-left], found[x-left] = d, image.Pt(at, y+dy)
				}
			}
		}
	}
}
