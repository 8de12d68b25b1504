package obscure

import (
	"image"
	"slices"
)

// Width of the box filter along the ring: a fraction of the region's shorter
// side, so that noise around a small face is not drawn into streaks.
const (
	radiusFraction = 8
	minRadius      = 2  // samples
	maxRadius      = 16 // samples
)

// ring is the closed line of samples around a rectangle at a distance of one
// sample, clockwise: the row above with both corners, the column on the right
// downwards, the row below with both corners from right to left, the column on
// the left upwards.
type ring struct {
	rect image.Rectangle
	// usable marks with 1 the samples that lie in the picture and in no region;
	// all is as long, and all 1.
	usable, all []uint8
	// value and spare are samples with 16 fractional bits.
	value, spare []int32
}

// reset lays the ring around r, with nothing excluded.
func (g *ring) reset(r image.Rectangle) {
	g.rect = r
	n := 2*(r.Dx()+r.Dy()) + 4
	g.usable, g.all = grow(g.usable, n), grow(g.all, n)
	g.value, g.spare = grow(g.value, n), grow(g.spare, n)
	set(g.usable, 1)
	set(g.all, 1)
}

// The first sample of the sides on the right and below; the upper and the lower
// one include the corners.
func (g *ring) rightAt() int { return g.rect.Dx() + 2 }
func (g *ring) belowAt() int { return g.rightAt() + g.rect.Dy() }

// exclude marks the samples within r as not usable.
func (g *ring) exclude(r image.Rectangle) {
	o := g.rect.Inset(-1)
	r = r.Intersect(o)
	if r.Empty() {
		return
	}
	n := len(g.usable)
	if r.Min.Y == o.Min.Y {
		set(g.usable[r.Min.X-o.Min.X:r.Max.X-o.Min.X], 0)
	}
	if r.Max.Y == o.Max.Y {
		set(g.usable[g.belowAt()+o.Max.X-r.Max.X:g.belowAt()+o.Max.X-r.Min.X], 0)
	}
	top, bottom := max(r.Min.Y, g.rect.Min.Y), min(r.Max.Y, g.rect.Max.Y)
	if top >= bottom {
		return
	}
	if r.Max.X == o.Max.X {
		set(g.usable[g.rightAt()+top-g.rect.Min.Y:g.rightAt()+bottom-g.rect.Min.Y], 0)
	}
	if r.Min.X == o.Min.X {
		set(g.usable[n-(bottom-g.rect.Min.Y):n-(top-g.rect.Min.Y)], 0)
	}
}

// excludeArea marks the samples of a as not usable.
func (g *ring) excludeArea(a *area, kind int) {
	if a.outline == nil {
		g.exclude(a.rect[kind])
		return
	}
	s := a.outline.shape[kind]
	r := s.Bounds().Intersect(g.rect.Inset(-1))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, p := range s.Row(y) {
			g.exclude(image.Rect(p.From, y, p.To, y+1))
		}
	}
}

// excludeOutside marks the samples outside the picture as not usable.
func (g *ring) excludeOutside(picture image.Rectangle) {
	o := g.rect.Inset(-1)
	above, below, left, right := o, o, o, o
	above.Max.Y, below.Min.Y = picture.Min.Y, picture.Max.Y
	left.Max.X, right.Min.X = picture.Min.X, picture.Max.X
	g.exclude(above)
	g.exclude(below)
	g.exclude(left)
	g.exclude(right)
}

// sample sets every value of the ring from the usable samples of p: smoothed,
// and drawn straight across what is not usable. It returns false when none is.
func (g *ring) sample(p *plane) bool {
	if !slices.Contains(g.usable, 1) {
		return false
	}
	g.read(p)
	radius := min(max(min(g.rect.Dx(), g.rect.Dy())/radiusFraction, minRadius), maxRadius)
	smooth(g.spare, g.value, g.usable, radius)
	bridge(g.spare, g.usable)
	smooth(g.value, g.spare, g.all, radius)
	return true
}

// thinned returns the values around the same rectangle for a surface with one sample for
// each step × step: those in the middle of each. They are valid until the next call.
func (g *ring) thinned(step int) []int32 {
	if step == 1 {
		return g.value
	}
	w, h := g.rect.Dx(), g.rect.Dy()
	above, right := g.value[1:1+w], g.value[g.rightAt():][:h]
	below, left := g.value[g.belowAt()+1:][:w], g.value[g.belowAt()+w+2:][:h]
	middle := func(block, length int) int { return min(block*step+step/2, length-1) }
	cols, rows := (w+step-1)/step, (h+step-1)/step
	out := g.spare[:0]
	out = append(out, g.value[0])
	for x := range cols {
		out = append(out, above[middle(x, w)])
	}
	out = append(out, g.value[w+1])
	for y := range rows {
		out = append(out, right[middle(y, h)])
	}
	out = append(out, g.value[g.belowAt()])
	for x := range cols {
		out = append(out, below[w-1-middle(cols-1-x, w)])
	}
	out = append(out, g.value[g.belowAt()+w+1])
	for y := range rows {
		out = append(out, left[h-1-middle(rows-1-y, h)])
	}
	return out
}

// read copies the usable samples of p; the others become 0.
func (g *ring) read(p *plane) {
	o := g.rect.Inset(-1)
	i := 0
	take := func(x, y int) {
		g.value[i] = 0
		if g.usable[i] != 0 {
			g.value[i] = int32(p.pix[y*p.stride+x]) << 16
		}
		i++
	}
	for x := o.Min.X; x < o.Max.X; x++ {
		take(x, o.Min.Y)
	}
	for y := g.rect.Min.Y; y < g.rect.Max.Y; y++ {
		take(o.Max.X-1, y)
	}
	for x := o.Max.X - 1; x >= o.Min.X; x-- {
		take(x, o.Max.Y-1)
	}
	for y := g.rect.Max.Y - 1; y >= g.rect.Min.Y; y-- {
		take(o.Min.X, y)
	}
}

// smooth sets each used element of dst to the mean of the used ones among the
// 2·radius+1 around it in src, which is closed to a circle. What is not used is
// 0 in src.
func smooth(dst, src []int32, used []uint8, radius int) {
	n := len(src)
	radius = min(radius, (n-1)/2)
	full := int64(2*radius + 1)
	reciprocal := (1<<32)/uint64(full) + 1
	var sum, count int64
	for i := n - radius; i <= n+radius; i++ {
		sum += int64(src[i%n])
		count += int64(used[i%n])
	}
	out, in := n-radius, (radius+1)%n
	for i := range n {
		switch {
		case used[i] == 0:
		case count == full:
			// Nearly always. It may be one of the 16 fractional bits more than the quotient.
			dst[i] = int32(uint64(sum) * reciprocal >> 32)
		default:
			dst[i] = int32(sum / count)
		}
		sum += int64(src[in]) - int64(src[out])
		count += int64(used[in]) - int64(used[out])
		if in++; in == n {
			in = 0
		}
		if out++; out == n {
			out = 0
		}
	}
}

// bridge sets the elements of the circle v that are not used by linear
// interpolation between the used ones on both sides. At least one is used.
func bridge(v []int32, used []uint8) {
	n := len(v)
	start := slices.Index(used, 1)
	last, at := start, start // the last used one, counted on past the end, and where i is
	for i := start + 1; i <= start+n; i++ {
		if at++; at == n {
			at = 0
		}
		if used[at] == 0 {
			continue
		}
		if span := int64(i - last); span > 1 {
			to := last % n
			from := int64(v[to])
			rise := int64(v[at]) - from
			for k := int64(1); k < span; k++ {
				if to++; to == n {
					to = 0
				}
				v[to] = int32(from + rise*k/span)
			}
		}
		last = i
	}
}

func set(b []uint8, v uint8) {
	for i := range b {
		b[i] = v
	}
}
