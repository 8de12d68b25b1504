package obscure

import (
	"cmp"
	"image"
	"slices"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// area is a region as it is painted.
type area struct {
	given image.Rectangle // in pixels, not cut at the edge of the picture
	track uint64
	// rect is what is painted, in samples: luma, then chroma. With an outline,
	// it is what holds that.
	rect [2]image.Rectangle
	// outline is what is painted of rect; nil: all.
	outline *outline
	// cells is where its cells begin, by plane.
	cells [planes]int
	// band is how far it fades into its surroundings, in pixels.
	band int
	// covered says that it lies within another area.
	covered bool
}

// reach is the width of the band in samples of a plane of that kind.
func (a *area) reach(kind int) int {
	if kind == chromaKind {
		return (a.band + 1) / 2
	}
	return a.band
}

// compare orders areas by what they are, so that areas that differ are painted
// in an order that depends on nothing else.
func (a area) compare(b area) int {
	return cmp.Or(cmp.Compare(a.track, b.track),
		cmp.Compare(a.given.Min.X, b.given.Min.X), cmp.Compare(a.given.Min.Y, b.given.Min.Y),
		cmp.Compare(a.given.Max.X, b.given.Max.X), cmp.Compare(a.given.Max.Y, b.given.Max.Y),
		cmp.Compare(a.outline.hash(), b.outline.hash()))
}

// within reports whether a needs no painting in addition to b, which is another area;
// first says that of two that are the same, a stays.
func (a *area) within(b *area, first bool) bool {
	switch {
	case b.outline == nil && a.rect[lumaKind].In(b.rect[lumaKind]):
		return a.outline != nil || a.rect != b.rect || !first
	case b.outline != nil && a.outline == b.outline:
		return !first
	}
	return false
}

// collect sets o.areas to the regions to paint, in an order that
// depends on the regions alone.
func (o *Obscurer) collect(im *yuv.Image, regions []geom.Region) {
	o.passes++
	o.areas = o.areas[:0]
	for i := range regions {
		given := clampRect(regions[i].Rect)
		luma := given.Intersect(im.Bounds())
		if luma.Empty() {
			continue
		}
		a := area{given: given, track: regions[i].Track, rect: [2]image.Rectangle{luma, chromaRect(luma)}, band: o.o.band(regions[i].Source, given)}
		if s := regions[i].Outline(); s != nil {
			a.outline = o.outline(s, im)
			if a.outline.shape[lumaKind].Bounds().Empty() {
				continue // what of it lies in the picture is none of it
			}
		}
		o.areas = append(o.areas, a)
	}
	slices.SortFunc(o.areas, area.compare)
	o.areas = dropCovered(o.areas)
	o.forget()
}

// dropCovered removes areas that lie within another, such as a face that was
// found twice. They need no painting of their own.
func dropCovered(areas []area) []area {
	for i := range areas {
		for j := range areas {
			// Of two that are the same, the first stays.
			if j != i && areas[i].within(&areas[j], i < j) {
				areas[i].covered = true
				break
			}
		}
	}
	return slices.DeleteFunc(areas, func(a area) bool { return a.covered })
}
