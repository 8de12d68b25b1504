package obscure

import (
	"image"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// Nothing of what is inside the regions may be in the output.
func TestVeilAndFillLeaveNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawImage(t)
		regions := drawRegions(t, a, 6)
		b := a.Clone()
		salt := rapid.Uint64().Draw(t, "other content")
		eachByte(b, func(_ int, p *plane, x, y int, v *byte, inPicture bool) {
			if inPicture && inside(p.kind, x, y, b, regions) {
				*v = byte(mix(salt + uint64(y*p.stride+x)))
			}
		})
		o := newObscurer(t, drawOptions(t, Veil, Fill))
		require.NoError(t, o.Apply(a, regions))
		require.NoError(t, o.Apply(b, regions))
		same(t, a, b, "two pictures that differ inside only")
	})
}

// Fill leaves nothing by definition; this is what a face looks like.
func TestFillPaintsOneColour(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im := drawImage(t)
		regions := drawRegions(t, im, 4)
		require.NoError(t, newObscurer(t, Options{Style: Fill}).Apply(im, regions))
		eachByte(im, func(_ int, p *plane, x, y int, v *byte, inPicture bool) {
			if inPicture && inside(p.kind, x, y, im, regions) {
				require.Equal(t, p.fill, *v)
			}
		})
	})
}

func TestBeyondTheBandsNothingChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im := drawImage(t)
		regions := drawRegions(t, im, 4)
		before := im.Clone()
		o := newObscurer(t, drawOptions(t, styles...))
		require.NoError(t, o.Apply(im, regions))
		old := split(before)
		eachByte(im, func(i int, p *plane, x, y int, v *byte, inPicture bool) {
			// What did not change needs no proof that it may not.
			if was := old[i].pix[y*p.stride+x]; was != *v {
				require.True(t, inPicture && !beyond(p.kind, x, y, im, regions, o.o), "plane %d at %d, %d: %d became %d", i, x, y, was, *v)
			}
		})
	})
}

// The band takes nothing away from what is obscured: inside, a picture is the
// same with and without.
func TestInsideIsTheSameWithoutBand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawImage(t)
		b := a.Clone()
		regions := drawRegions(t, a, 5)
		opts := drawOptions(t, styles...)
		require.NoError(t, newObscurer(t, opts).Apply(a, regions))
		opts.Feather = -1
		require.NoError(t, newObscurer(t, opts).Apply(b, regions))
		was := split(b)
		eachByte(a, func(i int, p *plane, x, y int, v *byte, inPicture bool) {
			if inPicture && inside(p.kind, x, y, a, regions) {
				require.Equal(t, was[i].pix[y*p.stride+x], *v, "plane %d at %d, %d", i, x, y)
			}
		})
	})
}

// A Shape that holds all of its rectangle is that rectangle.
func TestSolidShapeIsARectangle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawImage(t)
		b := a.Clone()
		regions := drawRegions(t, a, 5)
		solid := slices.Clone(regions)
		for i, r := range solid {
			if r.Shape == nil && !r.Rect.Empty() {
				rows := make([][]geom.Span, r.Rect.Dy())
				for y := range rows {
					rows[y] = []geom.Span{{From: r.Rect.Min.X, To: r.Rect.Max.X}}
				}
				solid[i].Shape = geom.NewShape(r.Rect.Min.Y, rows)
			}
		}
		o := newObscurer(t, drawOptions(t, styles...))
		require.NoError(t, o.Apply(a, regions))
		require.NoError(t, o.Apply(b, solid))
		same(t, a, b, "solid shapes")
	})
}

// The order in which a tracker lists its regions says nothing.
func TestOrderOfRegionsMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawImage(t)
		b := a.Clone()
		regions := drawRegions(t, a, 6)
		o := newObscurer(t, drawOptions(t, styles...))
		kept := slices.Clone(regions)
		require.NoError(t, o.Apply(a, regions))
		require.Equal(t, kept, regions, "the caller's regions")
		require.NoError(t, o.Apply(b, rapid.Permutation(regions).Draw(t, "order")))
		same(t, a, b, "another order")
	})
}

// cellOf says in which cell of r a sample lies, from the definition and
// without the code under test: the longer side has the given number of cells of
// at least 4 pixels, the other as many as make them about square.
func cellOf(r image.Rectangle, cells, kind, x, y int) [2]int {
	long := max(r.Dx(), r.Dy())
	n := max(1, min(cells, long/4))
	find := func(v, lo, hi int) int {
		side := hi - lo
		count := max(1, min((2*n*side+long)/(2*long), side/4))
		for i := count - 1; i > 0; i-- {
			edge := lo + i*side/count
			if kind == chromaKind {
				edge >>= 1
			}
			if v >= edge {
				return i
			}
		}
		return 0
	}
	return [2]int{find(x, r.Min.X, r.Max.X), find(y, r.Min.Y, r.Max.Y)}
}

// signature names the cells of all regions in which a sample lies.
func signature(im *yuv.Image, regions []geom.Region, cells, kind, x, y int) (s [3][2]int, hidden bool) {
	for i, r := range regions {
		s[i] = [2]int{-1, -1}
		if inside(kind, x, y, im, regions[i:i+1]) {
			s[i], hidden = cellOf(r.Rect, cells, kind, x, y), true
		}
	}
	return s, hidden
}

// Pictures whose cells have the same means come out the same: within the cells,
// overlaps included, samples are moved about.
func TestCellsAreAllThatIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawImage(t)
		regions := drawRegions(t, a, 3)
		opts := drawOptions(t, Blur, Mosaic)
		b := a.Clone()
		type key struct {
			plane int
			cells [3][2]int
		}
		atoms := map[key][]*byte{}
		eachByte(b, func(i int, p *plane, x, y int, v *byte, inPicture bool) {
			if s, hidden := signature(b, regions, opts.Cells, p.kind, x, y); inPicture && hidden {
				k := key{i, s}
				atoms[k] = append(atoms[k], v)
			}
		})
		for _, atom := range atoms {
			for i := range len(atom) / 2 {
				j := len(atom) - 1 - i
				*atom[i], *atom[j] = *atom[j], *atom[i]
			}
		}
		o := newObscurer(t, opts)
		require.NoError(t, o.Apply(a, regions))
		require.NoError(t, o.Apply(b, regions))
		same(t, a, b, "two pictures with the same cells")
	})
}

// A picture that has nothing but the quantised cells of another comes out the
// same as that one.
func TestQuantisedCellsAreAllThatIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawImage(t)
		regions := drawRegions(t, a, 1)
		opts := drawOptions(t, Blur, Mosaic)
		b := a.Clone()
		type key struct {
			plane int
			cells [3][2]int
		}
		sums, counts := map[key]int{}, map[key]int{}
		visit := func(f func(k key, v *byte)) {
			eachByte(b, func(i int, p *plane, x, y int, v *byte, inPicture bool) {
				if s, hidden := signature(b, regions, opts.Cells, p.kind, x, y); inPicture && hidden {
					f(key{i, s}, v)
				}
			})
		}
		visit(func(k key, v *byte) { sums[k] += int(*v); counts[k]++ })
		visit(func(k key, v *byte) {
			mean := (sums[k] + counts[k]/2) / counts[k]
			*v = byte(min((mean+4)/8, 31) * 8)
		})
		o := newObscurer(t, opts)
		require.NoError(t, o.Apply(a, regions))
		require.NoError(t, o.Apply(b, regions))
		same(t, a, b, "a picture and its quantised cells")
	})
}

// At most cells² colours are left of a region that nothing overlaps, each near
// the mean of its cell.
func TestMosaicIsNearTheMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im := drawImage(t)
		regions := drawRegions(t, im, 1)
		opts := drawOptions(t, Mosaic)
		before := im.Clone()
		require.NoError(t, newObscurer(t, opts).Apply(im, regions))
		sums, counts, painted := map[[2]int]int{}, map[[2]int]int{}, map[[2]int]byte{}
		for y := range im.Height {
			for x := range im.Width {
				if !inside(lumaKind, x, y, im, regions) {
					continue
				}
				c := cellOf(regions[0].Rect, opts.Cells, lumaKind, x, y)
				v := im.Y[y*im.YStride+x]
				if _, ok := painted[c]; ok {
					require.Equal(t, painted[c], v, "one cell, one colour")
				}
				painted[c] = v
				sums[c] += int(before.Y[y*im.YStride+x])
				counts[c]++
			}
		}
		require.LessOrEqual(t, len(painted), opts.Cells*opts.Cells)
		for c, v := range painted {
			// Half a quantum, the noise, the loss at the upper end, rounding.
			require.InDelta(t, float64(sums[c])/float64(counts[c]), float64(v), 4+8+4+1)
		}
	})
}

// Cells come from the picture as it was: what is painted over a neighbour first
// does not get into them.
func TestCellsAreMeasuredBeforePainting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		both := padded(testWidth, testHeight, 0)
		randomise(both, rapid.Uint64().Draw(t, "content"))
		at := func(label string) int { return rapid.IntRange(-10, 40).Draw(t, label) }
		regions := []geom.Region{
			{Track: 1, Rect: image.Rect(0, 0, 50, 40).Add(image.Pt(at("x"), at("y")))},
			{Track: 2, Rect: image.Rect(0, 0, 40, 50).Add(image.Pt(at("x"), at("y")))},
		}
		// One that lies within the other after the cut is not painted at all.
		if luma := regions[1].Rect.Intersect(both.Bounds()); luma.In(regions[0].Rect) {
			t.Skip("covered")
		}
		alone := both.Clone()
		o := newObscurer(t, drawOptions(t, Blur, Mosaic))
		require.NoError(t, o.Apply(both, regions))
		require.NoError(t, o.Apply(alone, regions[1:]))
		want := split(alone)
		eachByte(both, func(i int, p *plane, x, y int, v *byte, _ bool) {
			if inside(p.kind, x, y, both, regions[1:]) {
				require.Equal(t, want[i].pix[y*p.stride+x], *v, "plane %d at %d, %d", i, x, y)
			}
		})
	})
}
