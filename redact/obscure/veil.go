package obscure

import (
	"math"
	"slices"
	"sync"

	"scrim/redact/yuv"
)

// Resolution of the table of weights.
const (
	stepsPerOctave = 64
	// weightSteps covers ratios from 2^-16 to 2^16; those of the largest
	// picture are within 2^±11.
	weightSteps = 2048
)

// tables spare the inner loop its divisions and logarithms.
type tables struct {
	// log2 of a distance in samples, in 1/stepsPerOctave.
	log2 [yuv.MaxSide + 2]int32
	// weight of the vertical interpolation against the horizontal one, with 16
	// fractional bits, by the logarithm of the ratio between the two.
	weight [weightSteps]uint16
	// fade is how much of a region's look is left in a band of the width of the
	// first index, at the distance of the two others, down and across, in samples,
	// in 1/256.
	fade [maxBand + 1][maxBand + 1][distances]uint16
}

var sharedTables = sync.OnceValue(func() *tables {
	t := new(tables)
	for i := 1; i < len(t.log2); i++ {
		t.log2[i] = int32(math.Round(stepsPerOctave * math.Log2(float64(i))))
	}
	for i := range t.weight {
		octaves := float64(i-weightSteps/2) / stepsPerOctave
		t.weight[i] = uint16(min(65535, 65536/(1+math.Exp2(-octaves))))
	}
	for band := range t.fade {
		t.fade[band] = fading(band)
	}
	return t
})

// column is what the inner loop needs to know about one column of a region.
type column struct {
	// value is the vertical interpolation in the current row, and step its
	// change from row to row, with 16 fractional bits.
	value, step int32
	// near is the logarithm of how much the column's distance to the left and
	// right speaks for the vertical interpolation.
	near int32
}

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
	o.columns = grow(o.columns, a.rect[p.kind].Dx())
	o.interpolate(p, a)
}

// interpolate paints a from o.ring. Each sample is a mean of the four samples
// of the ring in its row and column, weighted by the inverse of their distance.
// That is continuous with the surroundings and never leaves their range.
func (o *Obscurer) interpolate(p *plane, a *area) {
	r := a.rect[p.kind]
	w, h := r.Dx(), r.Dy()
	v, log2 := o.ring.value, &o.tab.log2
	above, right := v[1:1+w], v[o.ring.rightAt():][:h]
	below, left := v[o.ring.belowAt()+1:][:w], v[o.ring.leftAt():][:h]
	cols := o.columns
	for x := range cols {
		top, bottom := above[x], below[w-1-x]
		cols[x] = column{value: top, step: (bottom - top) / int32(h+1), near: log2[x+1] + log2[w-x] - log2[w+1]}
	}
	weight := &o.tab.weight
	for y := range h {
		from, to := left[h-1-y], right[y]
		across, step := int64(from), int64((to-from)/int32(w+1))
		near := log2[y+1] + log2[h-y] - log2[h+1] - weightSteps/2
		row := o.row(p, a, r.Min.Y+y)
		cols = cols[:len(row)]
		for x := range row {
			c := &cols[x]
			c.value += c.step
			across += step
			share := int64(weight[uint32(c.near-near)%weightSteps])
			row[x] = byte((across<<16 + (int64(c.value)-across)*share + 1<<31) >> 32)
		}
		o.put(p, a, r.Min.Y+y)
	}
}

// grow returns a slice of n elements, whose values are undefined, in the memory
// of s where that suffices.
func grow[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
