package obscure

import (
	"slices"
	"sync"
)

// tables spare the inner loop its divisions.
type tables struct {
	// fade is how much of a region's look is left in a band of the width of the
	// first index, at the distance of the two others, down and across, in samples,
	// in 1/256.
	fade [maxBand + 1][maxBand + 1][distances]uint16
}

var sharedTables = sync.OnceValue(func() *tables {
	t := new(tables)
	for band := range t.fade {
		t.fade[band] = fading(band)
	}
	return t
})

// veil paints every area from the samples around it.
func (o *Obscurer) veil(ps *[planes]plane) {
	for i := range o.areas {
		a := &o.areas[i]
		for kind := range 2 {
			o.ring.reset(a.rect[kind])
			o.ring.excludeOutside(ps[kind].bounds())
			for j := range o.areas {
				if j != i {
					o.ring.excludeArea(&o.areas[j], kind)
				}
			}
			for k := range ps {
				if ps[k].kind == kind {
					o.veilPlane(&ps[k], a)
				}
			}
		}
	}
}

func (o *Obscurer) veilPlane(p *plane, a *area) {
	if !o.ring.sample(p) {
		flat(p, a, p.neutral)
		return
	}
	o.interpolate(p, a)
}

// Surface paints w × h samples, with rows of stride bytes, from the ring around
// them: clockwise from the upper left corner, the row above with both corners, the
// right column, the row below with both corners, the left column, with 16
// fractional bits. Each sample is a mean of the four samples of the ring in its
// row and column, weighted by the inverse of their distance. That is continuous
// with the surroundings and never leaves their range. scratch has room for 4·w
// numbers. Every Surface gives the same samples, bit for bit.
type Surface func(dst []byte, stride, w, h int, ring []int32, scratch []float32)

// paintSurface is the Surface in Go. Products are rounded before they are added,
// which the conversions see to.
func paintSurface(dst []byte, stride, w, h int, ring []int32, scratch []float32) {
	above, right := ring[1:1+w], ring[w+2:][:h]
	below, left := ring[w+h+3:][:w], ring[2*w+h+4:][:h]
	top, down, across, near := scratch[:w], scratch[w:2*w], scratch[2*w:3*w], scratch[3*w:4*w]
	for x := range top {
		top[x] = float32(above[x])
		down[x] = float32(below[w-1-x]) - top[x]
		across[x] = float32(x+1) / float32(w+1)
		near[x] = float32(x+1) * float32(w-x) / float32(w+1)
	}
	for y := range h {
		from := float32(left[h-1-y])
		to := float32(right[y]) - from
		at, far := float32(y+1)/float32(h+1), float32(y+1)*float32(h-y)/float32(h+1)
		row := dst[y*stride : y*stride+w]
		for x := range row {
			vertical, horizontal := top[x]+float32(down[x]*at), from+float32(to*across[x])
			share := near[x] / (near[x] + far)
			mixed := horizontal + float32((vertical-horizontal)*share)
			row[x] = byte(int32((mixed + 32768) * (1.0 / 65536)))
		}
	}
}

// interpolate paints a from o.ring.
func (o *Obscurer) interpolate(p *plane, a *area) {
	r := a.rect[p.kind]
	w, h := r.Dx(), r.Dy()
	o.scratch = grow(o.scratch, 4*w)
	if a.outline == nil {
		o.o.Surface(p.pix[r.Min.Y*p.stride+r.Min.X:], p.stride, w, h, o.ring.value, o.scratch)
		return
	}
	step := coarseness(w, h)
	// The surface has a sample for each step × step samples of the area.
	cw, ch := (w+step-1)/step, (h+step-1)/step
	o.painted = grow(o.painted, cw*ch)
	o.o.Surface(o.painted, cw, cw, ch, o.ring.thinned(step), o.scratch)
	for y := range h {
		row := o.painted[y/step*cw:][:cw]
		if step > 1 {
			if y%step == 0 {
				o.widen(row, step)
			}
			row = o.line
		}
		at := (r.Min.Y + y) * p.stride
		for _, s := range a.outline.shape[p.kind].Row(r.Min.Y + y) {
			copy(p.pix[at+s.From:at+s.To], row[s.From-r.Min.X:])
		}
	}
}

const (
	// An area with an outline is painted in blocks of up to coarsest samples a side, of
	// which there are leastBlocks along its shorter side. The surface is smooth.
	coarsest    = 4
	leastBlocks = 48
)

// coarseness returns the side of the blocks in which w × h samples are painted.
func coarseness(w, h int) int {
	return min(max(min(w, h)/leastBlocks, 1), coarsest)
}

// widen sets o.line to row with each sample step times.
func (o *Obscurer) widen(row []byte, step int) {
	o.line = grow(o.line, len(row)*step)
	for x, v := range row {
		set(o.line[x*step:][:step], v)
	}
}

// grow returns a slice of n elements, whose values are undefined, in the memory
// of s where that suffices.
func grow[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
