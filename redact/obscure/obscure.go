package obscure

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"slices"

	"scrim/redact/face"
	"scrim/redact/yuv"
)

// Fill's colour, and the one that Veil takes where nothing around a region may
// be used.
const (
	fillLuma        = 56
	neutralLuma     = 126 // halfway between 16 and 235
	neutralLumaFull = 128
	neutralChroma   = 128
)

// maxCoordinate, in pixels, keeps the arithmetic on regions from overflowing.
const maxCoordinate = 1 << 24

// Planes, and the two kinds of them.
const (
	planes     = 3
	lumaKind   = 0
	chromaKind = 1
)

// Obscurer makes regions unrecognisable, in one style. It is not safe for
// concurrent use: it keeps its scratch memory, so that it allocates none in
// steady state.
type Obscurer struct {
	o     Options
	tab   *tables
	areas []area
	whole [1]face.Region

	ring    ring
	columns []column
	cells   []byte
	grid    grid
}

// area is a region as it is painted.
type area struct {
	given image.Rectangle // in pixels, not cut at the edge of the picture
	track uint64
	// rect is what is painted, in samples: luma, then chroma.
	rect [2]image.Rectangle
	// cells is where its cells begin, by plane.
	cells [planes]int
	// covered says that it lies within another area.
	covered bool
}

// plane is one plane of a picture, in samples.
type plane struct {
	pix           []byte
	stride        int
	width, height int
	neutral, fill byte
	kind          int
}

func (p *plane) bounds() image.Rectangle { return image.Rect(0, 0, p.width, p.height) }

// row returns the samples of r in row y.
func (p *plane) row(y int, r image.Rectangle) []byte {
	return p.pix[y*p.stride+r.Min.X : y*p.stride+r.Max.X]
}

// New returns an Obscurer. It refuses unknown styles, cells outside 1 to
// MaxCosmeticCells, and, with an error that wraps ErrWeak, settings that can be
// undone unless o.Cosmetic admits them.
func New(o Options) (*Obscurer, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	return &Obscurer{o: o, tab: sharedTables()}, nil
}

// Apply obscures the regions of im in place. A region is cut at the edge of the
// picture; one that is empty then is skipped. It fails, with im untouched, when
// im is nil or inconsistent, or when there are more than MaxRegions regions.
// It keeps neither im nor regions.
func (o *Obscurer) Apply(im *yuv.Image, regions []face.Region) error {
	if o == nil || o.tab == nil {
		return errors.New("obscurer was not made: use New")
	}
	if err := check(im); err != nil {
		return err
	}
	if len(regions) > MaxRegions {
		return fmt.Errorf("%d regions in one picture: at most %d can be obscured", len(regions), MaxRegions)
	}
	o.collect(im, regions)
	ps := split(im)
	switch o.o.Style {
	case Veil:
		o.veil(&ps)
	case Mosaic, Blur:
		o.measure(&ps)
		o.paintCells(&ps)
	default:
		o.fill(&ps)
	}
	return nil
}

// Whole obscures the whole picture, and fails as Apply does. Veil has no
// surroundings to take from then, and paints a neutral grey.
func (o *Obscurer) Whole(im *yuv.Image) error {
	if o == nil || im == nil {
		return o.Apply(im, nil)
	}
	o.whole[0] = face.Region{Rect: im.Bounds()}
	return o.Apply(im, o.whole[:])
}

// check keeps everything below from reaching beyond a slice.
func check(im *yuv.Image) error {
	if im == nil {
		return errors.New("no picture to obscure")
	}
	if im.Width < 1 || im.Height < 1 || im.Width > yuv.MaxWidth || im.Height > yuv.MaxHeight {
		return fmt.Errorf("picture of %d×%d cannot be obscured: at most %d×%d", im.Width, im.Height, yuv.MaxWidth, yuv.MaxHeight)
	}
	for _, p := range split(im) {
		// The stride is compared first, so that the product cannot overflow.
		if p.stride < p.width || p.height > 1 && p.stride > len(p.pix) || len(p.pix) < p.stride*(p.height-1)+p.width {
			return fmt.Errorf("picture is inconsistent: %d bytes with stride %d do not hold a plane of %d×%d",
				len(p.pix), p.stride, p.width, p.height)
		}
	}
	return nil
}

func split(im *yuv.Image) [planes]plane {
	grey := byte(neutralLuma)
	if im.FullRange {
		grey = neutralLumaFull
	}
	chroma := func(pix []byte) plane {
		return plane{pix: pix, stride: im.CStride, width: im.ChromaWidth(), height: im.ChromaHeight(),
			neutral: neutralChroma, fill: neutralChroma, kind: chromaKind}
	}
	return [planes]plane{
		{pix: im.Y, stride: im.YStride, width: im.Width, height: im.Height, neutral: grey, fill: fillLuma, kind: lumaKind},
		chroma(im.U),
		chroma(im.V),
	}
}

// collect sets o.areas to the regions that are to be painted, in an order that
// depends on the regions alone.
func (o *Obscurer) collect(im *yuv.Image, regions []face.Region) {
	o.areas = o.areas[:0]
	for i := range regions {
		given := clampRect(regions[i].Rect)
		luma := given.Intersect(im.Bounds())
		if luma.Empty() {
			continue
		}
		o.areas = append(o.areas, area{given: given, track: regions[i].Track, rect: [2]image.Rectangle{luma, chromaRect(luma)}})
	}
	slices.SortFunc(o.areas, func(a, b area) int {
		return cmp.Or(cmp.Compare(a.track, b.track),
			cmp.Compare(a.given.Min.X, b.given.Min.X), cmp.Compare(a.given.Min.Y, b.given.Min.Y),
			cmp.Compare(a.given.Max.X, b.given.Max.X), cmp.Compare(a.given.Max.Y, b.given.Max.Y))
	})
	o.areas = dropCovered(o.areas)
}

// dropCovered removes areas that lie within another, such as a face that was
// found twice. They need no painting of their own.
func dropCovered(areas []area) []area {
	for i := range areas {
		for j := range areas {
			// Of two that are the same, the first stays.
			if a, b := areas[i].rect[lumaKind], areas[j].rect[lumaKind]; j != i && a.In(b) && (a != b || j < i) {
				areas[i].covered = true
				break
			}
		}
	}
	return slices.DeleteFunc(areas, func(a area) bool { return a.covered })
}

func clampRect(r image.Rectangle) image.Rectangle {
	in := func(v int) int { return min(max(v, -maxCoordinate), maxCoordinate) }
	return image.Rectangle{Min: image.Pt(in(r.Min.X), in(r.Min.Y)), Max: image.Pt(in(r.Max.X), in(r.Max.Y))}
}

// chromaRect returns the chroma samples that cover any pixel of r. Shifts round
// down, for negative numbers too.
func chromaRect(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X>>1, r.Min.Y>>1, (r.Max.X+1)>>1, (r.Max.Y+1)>>1)
}

// fill paints Fill's colour.
func (o *Obscurer) fill(ps *[planes]plane) {
	for i := range ps {
		for j := range o.areas {
			flat(&ps[i], o.areas[j].rect[ps[i].kind], ps[i].fill)
		}
	}
}

// flat paints r in one value.
func flat(p *plane, r image.Rectangle, v byte) {
	first := p.row(r.Min.Y, r)
	for x := range first {
		first[x] = v
	}
	for y := r.Min.Y + 1; y < r.Max.Y; y++ {
		copy(p.row(y, r), first)
	}
}
