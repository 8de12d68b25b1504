package obscure

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// Sizes of the pictures of property tests, in pixels: small, so that regions
// often touch each other and the edges.
const (
	testWidth  = 96
	testHeight = 80
)

var styles = []Style{Veil, Blur, Mosaic, Fill}

func newObscurer(t require.TestingT, o Options) *Obscurer {
	ob, err := New(o)
	require.NoError(t, err)
	return ob
}

// padded returns a picture whose rows are longer than its width by pad, and
// whose planes are cut right behind the last sample.
func padded(width, height, pad int) *yuv.Image {
	im := &yuv.Image{Width: width, Height: height}
	im.YStride, im.CStride = width+pad, im.ChromaWidth()+pad
	im.Y = make([]byte, im.YStride*(height-1)+width)
	n := im.CStride*(im.ChromaHeight()-1) + im.ChromaWidth()
	im.U, im.V = make([]byte, n), make([]byte, n)
	return im
}

// random fills b with what depends on seed alone.
func random(b []byte, seed uint64) {
	for i := range b {
		b[i] = byte(mix(seed + uint64(i)))
	}
}

func randomise(im *yuv.Image, seed uint64) {
	random(im.Y, seed)
	random(im.U, seed+1<<32)
	random(im.V, seed+2<<32)
}

func drawImage(t *rapid.T) *yuv.Image {
	im := padded(rapid.IntRange(1, testWidth).Draw(t, "width"), rapid.IntRange(1, testHeight).Draw(t, "height"),
		rapid.IntRange(0, 9).Draw(t, "pad"))
	im.FullRange = rapid.Bool().Draw(t, "full range")
	randomise(im, rapid.Uint64().Draw(t, "content"))
	return im
}

func drawRegions(t *rapid.T, im *yuv.Image, most int) []geom.Region {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) geom.Region {
		x, y := rapid.IntRange(-20, im.Width+5).Draw(t, "x"), rapid.IntRange(-20, im.Height+5).Draw(t, "y")
		w, h := rapid.IntRange(0, im.Width+40).Draw(t, "w"), rapid.IntRange(0, im.Height+40).Draw(t, "h")
		if rapid.Bool().Draw(t, "small") {
			w, h = w/4, h/4
		}
		r := geom.Region{Rect: image.Rect(x, y, x+w, y+h), Track: rapid.Uint64Range(0, 5).Draw(t, "track")}
		if rapid.Bool().Draw(t, "shaped") {
			r = shaped(r, rapid.Uint64().Draw(t, "shape"))
		}
		return r
	}), 0, most).Draw(t, "regions")
}

// shaped gives r a Shape within its Rect, which it cuts to that: rows with holes
// and rows with nothing, slanted, and never the same for two seeds.
func shaped(r geom.Region, seed uint64) geom.Region {
	rows := make([][]geom.Span, max(0, r.Rect.Dy()))
	slant := int(mix(seed)%3) - 1
	for i := range rows {
		n := mix(seed + uint64(i/4) + 1)
		if n%8 == 0 {
			continue
		}
		from := r.Rect.Min.X + int(n>>8%16) + slant*i
		middle := from + int(n>>16%32)
		for _, s := range []geom.Span{{From: from, To: middle}, {From: middle + int(n>>24%9), To: r.Rect.Max.X - int(n>>32%12)}} {
			s.From, s.To = max(s.From, r.Rect.Min.X), min(s.To, r.Rect.Max.X)
			rows[i] = append(rows[i], s)
		}
	}
	r.Shape = geom.NewShape(r.Rect.Min.Y, rows)
	r.Rect = r.Shape.Bounds()
	return r
}

// triangle is the lower left half of r.
func triangle(r image.Rectangle) geom.Region {
	rows := make([][]geom.Span, r.Dy())
	for i := range rows {
		rows[i] = []geom.Span{{From: r.Min.X, To: r.Min.X + (i+1)*r.Dx()/r.Dy()}}
	}
	s := geom.NewShape(r.Min.Y, rows)
	return geom.Region{Rect: s.Bounds(), Shape: s, Source: geom.Zone, Track: 1 << 48}
}

func drawOptions(t *rapid.T, styles ...Style) Options {
	return Options{
		Style: rapid.SampledFrom(styles).Draw(t, "style"), Cosmetic: true,
		Cells:   rapid.SampledFrom([]int{1, 2, 3, 4, 5, 5, 5, 9, 64}).Draw(t, "cells"),
		Seed:    rapid.Uint64().Draw(t, "seed"),
		Feather: rapid.SampledFrom([]float64{0, -1, 0.01, 0.2, MaxFeather}).Draw(t, "feather"),
	}
}

// inside says, sample by sample, whether a region covers it, from the
// definition: a chroma sample covers the pixels 2x and 2x+1 in both directions.
func inside(kind, x, y int, im *yuv.Image, regions []geom.Region) bool {
	cover := image.Rect(x, y, x+1, y+1)
	if kind == chromaKind {
		cover = image.Rect(2*x, 2*y, 2*x+2, 2*y+2)
	}
	cover = cover.Intersect(im.Bounds())
	for _, r := range regions {
		if c := r.Rect.Intersect(cover); r.Shape == nil && !c.Empty() || r.Shape != nil && touches(r.Shape, c) {
			return true
		}
	}
	return false
}

func touches(s *geom.Shape, r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, p := range s.Row(y) {
			if p.From < r.Max.X && r.Min.X < p.To {
				return true
			}
		}
	}
	return false
}

// beyond says, from the definition, whether a sample is beyond the bands of all
// regions: farther from every sample of one than its band is wide.
func beyond(kind, x, y int, im *yuv.Image, regions []geom.Region, o Options) bool {
	for _, r := range regions {
		reach := o.band(r.Source, clampRect(r.Rect))
		if kind == chromaKind {
			reach = (reach + 1) / 2
		}
		for dy := -reach; dy <= reach; dy++ {
			for dx := -reach; dx <= reach; dx++ {
				if dx*dx+dy*dy <= reach*reach && inPlane(kind, x+dx, y+dy, im) && inside(kind, x+dx, y+dy, im, []geom.Region{r}) {
					return false
				}
			}
		}
	}
	return true
}

func inPlane(kind, x, y int, im *yuv.Image) bool {
	if kind == chromaKind {
		return x >= 0 && y >= 0 && x < im.ChromaWidth() && y < im.ChromaHeight()
	}
	return image.Pt(x, y).In(im.Bounds())
}

// eachByte calls f for every byte of im, plane by plane; inPicture is false
// between rows.
func eachByte(im *yuv.Image, f func(i int, p *plane, x, y int, b *byte, inPicture bool)) {
	ps := split(im)
	for i := range ps {
		p := &ps[i]
		for at := range p.pix {
			x, y := at%p.stride, at/p.stride
			f(i, p, x, y, &p.pix[at], x < p.width)
		}
	}
}

// same fails unless want and got have the same bytes.
func same(t require.TestingT, want, got *yuv.Image, msg string) {
	was := split(want)
	eachByte(got, func(i int, p *plane, x, y int, b *byte, _ bool) {
		if w := was[i].pix[y*p.stride+x]; w != *b {
			require.Equal(t, w, *b, "%s: plane %d at %d, %d of %d×%d", msg, i, x, y, p.width, p.height)
		}
	})
}

func flatImage(t testing.TB, width, height int, y, u, v byte) *yuv.Image {
	im, err := yuv.New(width, height)
	require.NoError(t, err)
	im.Fill(y, u, v)
	return im
}
