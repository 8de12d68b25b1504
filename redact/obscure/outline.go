package obscure

import (
	"image"
	"slices"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// keepOutlines is for how many passes an outline is kept that is not used. Those of what
// moves are new in each picture, and large; a second look makes some passes a picture.
const keepOutlines = 8

// outline is a Shape in the samples of one picture size. It is made once for a
// Shape, which never changes.
type outline struct {
	of            *geom.Shape
	width, height int
	// shape is cut at the edge of the picture: luma, then chroma.
	shape [2]*geom.Shape
	// fringe is the band around it, made when it is first painted.
	fringe [2]fringe
	used   uint64 // the last pass
}

func (l *outline) hash() uint64 {
	if l == nil {
		return 0
	}
	return l.of.Hash()
}

// outline returns s as it is painted into pictures of im's size.
func (o *Obscurer) outline(s *geom.Shape, im *yuv.Image) *outline {
	l := o.outlines[s]
	if l == nil || l.width != im.Width || l.height != im.Height {
		l = o.newOutline()
		l.of, l.width, l.height = s, im.Width, im.Height
		l.shape[lumaKind] = cutShape(s, im.Bounds())
		l.shape[chromaKind] = o.chromaShape(l.shape[lumaKind])
		o.outlines[s] = l
	}
	l.used = o.passes
	return l
}

// forget drops the outlines that are not used any more.
func (o *Obscurer) forget() {
	for s, l := range o.outlines {
		if o.passes-l.used > keepOutlines {
			delete(o.outlines, s)
			o.spare = append(o.spare, l)
		}
	}
}

// newOutline returns an outline without a shape, in the memory of one that was dropped
// if there is one.
func (o *Obscurer) newOutline() *outline {
	if len(o.spare) == 0 {
		return new(outline)
	}
	// The one with the most room, so that little ones do not take it.
	at := 0
	for i, l := range o.spare {
		if cap(l.fringe[lumaKind].list) > cap(o.spare[at].fringe[lumaKind].list) {
			at = i
		}
	}
	l := o.spare[at]
	o.spare = slices.Delete(o.spare, at, at+1)
	for i := range l.fringe {
		l.fringe[i].reach = 0
	}
	return l
}

// cutShape returns the part of s within r.
func cutShape(s *geom.Shape, r image.Rectangle) *geom.Shape {
	b := s.Bounds()
	if b.In(r) {
		return s
	}
	b = b.Intersect(r)
	rows := make([][]geom.Span, b.Dy())
	for i := range rows {
		for _, p := range s.Row(b.Min.Y + i) {
			rows[i] = append(rows[i], geom.Span{From: max(p.From, r.Min.X), To: min(p.To, r.Max.X)})
		}
	}
	return geom.NewShape(b.Min.Y, rows)
}

// chromaShape returns the chroma samples that cover any pixel of s, which lies
// within a picture.
func (o *Obscurer) chromaShape(s *geom.Shape) *geom.Shape {
	r := chromaRect(s.Bounds())
	o.rows, o.spans = o.rows[:0], o.spans[:0]
	halve := func(row []geom.Span) {
		for _, p := range row {
			o.spans = append(o.spans, geom.Span{From: p.From >> 1, To: (p.To + 1) >> 1})
		}
	}
	for i := range r.Dy() {
		y, from := 2*(r.Min.Y+i), len(o.spans)
		upper, lower := s.Row(y), s.Row(y+1)
		halve(upper)
		if !slices.Equal(upper, lower) {
			halve(lower)
		}
		o.rows = append(o.rows, o.spans[from:])
	}
	return geom.NewShape(r.Min.Y, o.rows)
}

// row returns where to paint row y of a in p; put ends it.
func (o *Obscurer) row(p *plane, a *area, y int) []byte {
	r := a.rect[p.kind]
	if a.outline == nil {
		return p.row(y, r)
	}
	o.line = grow(o.line, r.Dx())
	return o.line
}

// put takes a row that was painted where row said into the picture, as far as it
// belongs to a.
func (o *Obscurer) put(p *plane, a *area, y int) {
	if a.outline == nil {
		return // it was painted there
	}
	left := a.rect[p.kind].Min.X
	for _, s := range a.outline.shape[p.kind].Row(y) {
		copy(p.pix[y*p.stride+s.From:y*p.stride+s.To], o.line[s.From-left:])
	}
}

// fill paints Fill's colour.
func (o *Obscurer) fill(ps *[planes]plane) {
	for i := range ps {
		for j := range o.areas {
			flat(&ps[i], &o.areas[j], ps[i].fill)
		}
	}
}

// flat paints a in one value.
func flat(p *plane, a *area, v byte) {
	r := a.rect[p.kind]
	if a.outline != nil {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for _, s := range a.outline.shape[p.kind].Row(y) {
				set(p.pix[y*p.stride+s.From:y*p.stride+s.To], v)
			}
		}
		return
	}
	first := p.row(r.Min.Y, r)
	set(first, v)
	for y := r.Min.Y + 1; y < r.Max.Y; y++ {
		copy(p.row(y, r), first)
	}
}
