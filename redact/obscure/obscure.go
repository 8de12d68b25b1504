package obscure

import (
	"errors"
	"fmt"
	"image"

	"scrim/redact/geom"
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
	whole [1]geom.Region

	ring    ring
	scratch []float32
	// painted is a surface on its way into a shape.
	painted []byte
	cells   []byte
	means   []int
	grid    grid
	// line is a row of samples on its way into the picture.
	line []byte
	// strip is the same row of all cells of a row of cells.
	strip []byte

	outlines map[*geom.Shape]*outline
	spare    []*outline // for their memory
	passes   uint64     // of Apply
	rows     [][]geom.Span
	spans    []geom.Span
	// near are the areas that may reach into the band around another.
	near       []*area
	gaps, rest []geom.Span
	// best and found are the squared distance and place of the nearest sample of a
	// shape, by column.
	best   []int
	found  []image.Point
	newRow []bool // of a shape, whether a row differs from the one above
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
	return &Obscurer{o: o, tab: sharedTables(), outlines: map[*geom.Shape]*outline{}}, nil
}

// Apply obscures the regions of im in place. A region is cut at the edge of the
// picture; one that is empty then is skipped. It fails, with im untouched, when
// im is nil or inconsistent, or when there are more than MaxRegions regions.
// It keeps neither im nor regions.
func (o *Obscurer) Apply(im *yuv.Image, regions []geom.Region) error {
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
	o.feather(&ps)
	return nil
}

// Whole obscures the whole picture, and fails as Apply does. Veil has no
// surroundings to take from then, and paints a neutral grey.
func (o *Obscurer) Whole(im *yuv.Image) error {
	if o == nil || im == nil {
		return o.Apply(im, nil)
	}
	o.whole[0] = geom.Region{Rect: im.Bounds()}
	return o.Apply(im, o.whole[:])
}

// check keeps everything below from reaching beyond a slice.
func check(im *yuv.Image) error {
	if im == nil {
		return errors.New("no picture to obscure")
	}
	if err := yuv.CheckSize(im.Width, im.Height); err != nil {
		return fmt.Errorf("picture cannot be obscured: %w", err)
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

func clampRect(r image.Rectangle) image.Rectangle {
	in := func(v int) int { return min(max(v, -maxCoordinate), maxCoordinate) }
	return image.Rectangle{Min: image.Pt(in(r.Min.X), in(r.Min.Y)), Max: image.Pt(in(r.Max.X), in(r.Max.Y))}
}

// chromaRect returns the chroma samples that cover any pixel of r. Shifts round
// down, for negative numbers too.
func chromaRect(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X>>1, r.Min.Y>>1, (r.Max.X+1)>>1, (r.Max.Y+1)>>1)
}
