package obscure

import (
	"encoding/binary"
	"image"
	"math"

	"scrim/redact/geom"
)

// Widths of the band in which a region fades into its surroundings, in pixels.
const (
	minBand = 4
	maxBand = 12
	// minFeathered is the longer side of the smallest region that has one.
	minFeathered = 8
	// distances is a power of two above maxBand: an index that is known to be
	// below costs no check.
	distances = 16
)

// band returns the width of the band around a region, in pixels. What moves has none: its
// outline is new in most pictures, lies outside of what moves by two cells, and may be
// longer than the picture's.
func (o Options) band(source geom.Source, r image.Rectangle) int {
	long := max(r.Dx(), r.Dy())
	if o.Feather < 0 || long < minFeathered || source == geom.Moving {
		return 0
	}
	return int(min(max(math.Round(o.Feather*float64(long)), minBand), maxBand))
}

// fading returns the weights for a band of that width, by distance down and
// across: from nearly all next to the region to nothing behind the band, without
// a bend at either end.
func fading(band int) (w [maxBand + 1][distances]uint16) {
	for dy := range w {
		for dx := range w[dy] {
			if d := math.Hypot(float64(dx), float64(dy)); d <= float64(band) {
				t := 1 - d/float64(band+1)
				w[dy][dx] = uint16(math.Round(256 * t * t * (3 - 2*t)))
			}
		}
	}
	return w
}

// feather fades every area into what is around it. Each sample of a band is
// mixed with the nearest sample of its area, which has been painted already; a
// sample that belongs to any area is neither changed nor, before it was
// painted, looked at.
func (o *Obscurer) feather(ps *[planes]plane) {
	for i := range o.areas {
		a := &o.areas[i]
		if a.band == 0 {
			continue
		}
		for kind := range 2 {
			outer := a.rect[kind].Inset(-a.reach(kind)).Intersect(ps[kind].bounds())
			o.neighbours(a, outer, kind)
			for k := range ps {
				switch p := &ps[k]; {
				case p.kind != kind:
				case a.outline != nil:
					o.featherShape(p, a, outer)
				default:
					o.featherRect(p, a, outer)
				}
			}
		}
	}
}

// neighbours sets o.near to the other areas that may reach into r.
func (o *Obscurer) neighbours(a *area, r image.Rectangle, kind int) {
	o.near = o.near[:0]
	for i := range o.areas {
		if b := &o.areas[i]; b != a && b.rect[kind].Overlaps(r) {
			o.near = append(o.near, b)
		}
	}
}

// free returns the samples in row y of r that belong to no area, neither a nor
// one of o.near. They are valid until the next call.
func (o *Obscurer) free(a *area, r image.Rectangle, kind, y int) []geom.Span {
	o.gaps = append(o.gaps[:0], geom.Span{From: r.Min.X, To: r.Max.X})
	o.subtract(a, kind, y)
	for _, b := range o.near {
		if y >= b.rect[kind].Min.Y && y < b.rect[kind].Max.Y {
			o.subtract(b, kind, y)
		}
	}
	return o.gaps
}

// subtract takes what belongs to a in row y out of o.gaps.
func (o *Obscurer) subtract(a *area, kind, y int) {
	r := a.rect[kind]
	if y < r.Min.Y || y >= r.Max.Y {
		return
	}
	if a.outline == nil {
		o.subtractSpan(geom.Span{From: r.Min.X, To: r.Max.X})
		return
	}
	for _, s := range a.outline.shape[kind].Row(y) {
		o.subtractSpan(s)
	}
}

func (o *Obscurer) subtractSpan(s geom.Span) {
	if len(o.gaps) == 1 && s.From > o.gaps[0].From && s.To < o.gaps[0].To { // an area within its band
		o.gaps = append(o.gaps, geom.Span{From: s.To, To: o.gaps[0].To})
		o.gaps[0].To = s.From
		return
	}
	o.rest = o.rest[:0]
	for _, g := range o.gaps {
		if left := (geom.Span{From: g.From, To: min(g.To, s.From)}); left.From < left.To {
			o.rest = append(o.rest, left)
		}
		if right := (geom.Span{From: max(g.From, s.To), To: g.To}); right.From < right.To {
			o.rest = append(o.rest, right)
		}
	}
	o.gaps, o.rest = o.rest, o.gaps
}

// featherRect fades an area that is a rectangle, within outer.
func (o *Obscurer) featherRect(p *plane, a *area, outer image.Rectangle) {
	r := a.rect[p.kind]
	fade := &o.tab.fade[a.reach(p.kind)]
	for y := outer.Min.Y; y < outer.Max.Y; y++ {
		near := min(max(y, r.Min.Y), r.Max.Y-1)
		weights := &fade[max(near-y, y-near)]
		row := p.pix[y*p.stride : y*p.stride+p.width]
		look := p.pix[near*p.stride : near*p.stride+p.width]
		for _, g := range o.free(a, outer, p.kind, y) {
			first, last := int(look[r.Min.X]), int(look[r.Max.X-1])
			if to := min(g.To, r.Min.X); g.From < to {
				part, far := row[g.From:to], r.Min.X-g.From
				for i, v := range part {
					part[i] = mixed(v, first, int(weights[uint(far-i)%distances]))
				}
			}
			if from, to := max(g.From, r.Min.X), min(g.To, r.Max.X); from < to {
				mixRow(row[from:to], look[from:to], uint64(weights[0]))
			}
			if from := max(g.From, r.Max.X); from < g.To {
				part, far := row[from:g.To], from-r.Max.X+1
				for i, v := range part {
					part[i] = mixed(v, last, int(weights[uint(far+i)%distances]))
				}
			}
		}
	}
}

// mixed returns v with so many 256ths of look.
func mixed(v byte, look, weight int) byte {
	return byte((int(v)<<8 + (look-int(v))*weight + 128) >> 8) //nolint:gosec // between v and look
}

// mixRow mixes the samples of look into those of dst, eight at a time in lanes
// of 16 bits. Both are as long; weight is in 256ths.
func mixRow(dst, look []byte, weight uint64) {
	const even, half = 0x00ff00ff00ff00ff, 0x0080008000800080
	for len(dst) >= 8 && len(look) >= 8 {
		v, l := binary.LittleEndian.Uint64(dst), binary.LittleEndian.Uint64(look)
		low := (v&even)*(256-weight) + (l&even)*weight + half
		high := (v>>8&even)*(256-weight) + (l>>8&even)*weight + half
		binary.LittleEndian.PutUint64(dst, low>>8&even|high&^even)
		dst, look = dst[8:], look[8:]
	}
	for i := range dst {
		dst[i] = mixed(dst[i], int(look[i]), int(weight))
	}
}
