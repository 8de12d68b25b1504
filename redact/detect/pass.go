package detect

import (
	"image"
	"math"
	"time"
)

// pass inspects a part of the picture at one scale.
type pass struct {
	// area is the part of the picture; sx and sy are how many of its pixels make one
	// of the view.
	area   image.Rectangle
	sx, sy float32
	// input is what the network sees, in pixels of the view: both sides are
	// multiples of stepSize, and it may reach outside the view.
	input image.Rectangle
	// inner are the sides at which the picture continues.
	inner sides
	// minBox and maxBox are the limits of the longer side of a box, in pixels of the
	// view; other passes find the others. A maxBox of 0 is no limit.
	minBox, maxBox float32
	// copy is which copy of the picture it looks at.
	copy copies
	// whole is set if crops do not pay.
	whole bool
	// stagger is the fraction of the interval after which the first full inspection is
	// repeated, so that those of the passes are spread.
	stagger float64
	changes changeMap
	view    view
	scale   *shrinker
	found   []candidate // in pixels of the view, valid while the map is
}

// sides are some sides of a rectangle.
type sides struct{ left, top, right, bottom bool }

// edge is the distance to the side of the inspected part within which a box counts as
// cut, in pixels.
const edge = 2

// cuts reports whether one of these sides of r cuts c.
func (s sides) cuts(c *candidate, r image.Rectangle) bool {
	return s.left && c.x <= float32(r.Min.X+edge) || s.top && c.y <= float32(r.Min.Y+edge) ||
		s.right && c.x+c.w >= float32(r.Max.X-edge) || s.bottom && c.y+c.h >= float32(r.Max.Y-edge)
}

// bounds returns the view's rectangle.
func (p *pass) bounds() image.Rectangle { return image.Rect(0, 0, p.changes.w, p.changes.h) }

// task is how much of a pass must be inspected.
type task int

const (
	nothing task = iota
	parts
	everything
)

// compare returns what must be inspected of the view. global is set if the whole
// picture has changed.
func (p *pass) compare(now time.Time) (t task, global bool) {
	changed := p.changes.compare(&p.view, now)
	all := p.changes.bw * p.changes.bh
	switch {
	case p.changes.tinted():
		return everything, true
	case changed < 0:
		return everything, false
	case changed == 0:
		return nothing, false
	case changed*100 > all*globalChange:
		return everything, true
	case p.whole:
		return everything, false
	}
	return parts, false
}

// crops returns the inputs of the network for the changed parts, in pixels of the
// view; none if a full inspection costs little more. few is explained at fitCrop.
func (p *pass) crops(into []image.Rectangle, few []int) []image.Rectangle {
	into = into[:0]
	area := 0
	for _, r := range p.changes.plan(p.found) {
		var c image.Rectangle
		c.Min.X, c.Max.X = fitCrop(r.Min.X, r.Max.X, p.input.Min.X, p.input.Max.X, few)
		c.Min.Y, c.Max.Y = fitCrop(r.Min.Y, r.Max.Y, p.input.Min.Y, p.input.Max.Y, few)
		area += c.Dx() * c.Dy()
		into = append(into, c)
	}
	if area*100 > p.input.Dx()*p.input.Dy()*cropLimit {
		return into[:0]
	}
	return into
}

// minCrop is the minimum side of a crop: the network's largest stride needs some
// context.
const minCrop = 64

// fewSides are the sides of crops for an engine that needs a network for each size of
// its input.
var fewSides = []int{128, 256, 448}

// fitCrop returns the range of a side of a crop that contains from…to, lies within
// low…high and is aligned to low as the network's cells are. Its length is the first
// of few that fits, or the shortest possible if few is empty.
func fitCrop(from, to, low, high int, few []int) (int, int) {
	from = low + (from-low)/stepSize*stepSize
	if len(few) == 0 {
		side := max((to-from+stepSize-1)/stepSize*stepSize, minCrop)
		if side >= high-low {
			return low, high
		}
		from = min(from, high-side)
		return from, from + side
	}
	for _, side := range few {
		if from+side >= to && side < high-low {
			from = min(from, high-side)
			return from, from + side
		}
	}
	return low, high
}

// accept adds what the network found in r, in pixels of the view. In a crop it ignores
// what is away from all changes, which was inspected with more context before.
func (p *pass) accept(r image.Rectangle, found []candidate) {
	b, crop := p.bounds(), r != p.input
	cut := sides{
		left: p.inner.left || r.Min.X > b.Min.X, top: p.inner.top || r.Min.Y > b.Min.Y,
		right: p.inner.right || r.Max.X < b.Max.X, bottom: p.inner.bottom || r.Max.Y < b.Max.Y,
	}
	r = r.Intersect(b)
	for i := range found {
		c := &found[i]
		if max(c.w, c.h) < p.minBox || p.maxBox > 0 && max(c.w, c.h) > p.maxBox || crop && !p.changes.touched(c, stepSize) {
			continue
		}
		c.cut = cut.cuts(c, r)
		p.found = append(p.found, *c)
	}
}

// forget drops the faces where something has changed.
func (p *pass) forget() {
	kept := p.found[:0]
	for i := range p.found {
		if !p.changes.touched(&p.found[i], blockSize) {
			kept = append(kept, p.found[i])
		}
	}
	p.found = kept
}

// withoutContext returns the part of r whose blocks count as inspected.
func (p *pass) withoutContext(r image.Rectangle) image.Rectangle {
	b := p.bounds()
	if r.Min.X > b.Min.X {
		r.Min.X += changeMargin
	}
	if r.Min.Y > b.Min.Y {
		r.Min.Y += changeMargin
	}
	if r.Max.X < b.Max.X {
		r.Max.X -= changeMargin
	}
	if r.Max.Y < b.Max.Y {
		r.Max.Y -= changeMargin
	}
	return r.Intersect(b)
}

// inPicture returns c in pixels of the picture.
func (p *pass) inPicture(c candidate) candidate {
	c.x, c.w = float32(p.area.Min.X)+c.x*p.sx, c.w*p.sx
	c.y, c.h = float32(p.area.Min.Y)+c.y*p.sy, c.h*p.sy
	return c
}

// smallSize is the longer side of the small pass, for faces that fill the picture. The
// pass exists if that of the whole picture has more than smallFrom. A box counts if its
// longer side is at least smallShare of the picture's.
const (
	smallSize  = 192
	smallFrom  = 320
	smallShare = 0.2
)

// tileWidth and tileHeight are the approximate size of tiles, in pixels. They overlap
// by at least tileOverlap: each face up to that size is whole in one of them.
const (
	tileWidth   = 640
	tileHeight  = 384
	tileOverlap = 64
)

// tiles divides a picture. Tiles begin at even coordinates; the last ones of an odd
// picture are a pixel smaller than the others.
func tiles(width, height int) []image.Rectangle {
	nx, w := split(width, tileWidth)
	ny, h := split(height, tileHeight)
	all := make([]image.Rectangle, 0, nx*ny)
	picture := image.Rect(0, 0, width, height)
	for j := range ny {
		for i := range nx {
			x, y := place(i, nx, width-w), place(j, ny, height-h)
			all = append(all, image.Rect(x, y, x+w, y+h).Intersect(picture))
		}
	}
	return all
}

// split returns the number of tiles along a side, and their length.
func split(length, want int) (n, side int) {
	n = max(1, int(math.Round(float64(length-tileOverlap)/float64(want-tileOverlap))))
	// Two more, because tiles begin at even coordinates.
	side = (length + (n-1)*(tileOverlap+2) + n - 1) / n
	side = (side + stepSize - 1) / stepSize * stepSize
	return n, min(side, length)
}

// place returns where tile i of n begins if the last one begins at last.
func place(i, n, last int) int {
	if n == 1 || i == 0 {
		return 0
	}
	at := last * i / (n - 1)
	if i == n-1 {
		return (last + 1) &^ 1
	}
	return at &^ 1
}
