package obscure

// weight says between which two cells a sample lies, and how near to the
// second: cell and cell+1, with 16 fractional bits.
type weight struct{ cell, share int32 }

// paintCells paints every area from the cells that measure found.
func (o *Obscurer) paintCells(ps *[planes]plane) {
	for i := range o.areas {
		a := &o.areas[i]
		for k := range ps {
			p := &ps[k]
			o.grid.lay(a, o.o.Cells, p)
			cells := o.cells[a.cells[k]:][:o.grid.x.count()*o.grid.y.count()]
			if o.o.Style == Mosaic {
				o.mosaic(p, a, cells)
			} else {
				o.blur(p, a, cells)
			}
		}
	}
}

// mosaic paints a with the cells as they are.
func (o *Obscurer) mosaic(p *plane, a *area, cells []byte) {
	g, r := &o.grid, a.rect[p.kind]
	n := g.x.count()
	o.strip = grow(o.strip, r.Dx())
	for iy := g.y.first; iy < g.y.last; iy++ {
		for ix := g.x.first; ix < g.x.last; ix++ {
			from, to := g.x.cut(ix, r.Min.X, r.Max.X)
			set(o.strip[from-r.Min.X:to-r.Min.X], cells[(iy-g.y.first)*n+ix-g.x.first])
		}
		top, bottom := g.y.cut(iy, r.Min.Y, r.Max.Y)
		for y := top; y < bottom; y++ {
			copy(o.row(p, a, y), o.strip)
			o.put(p, a, y)
		}
	}
}

// blur paints a by bilinear interpolation between the middles of the cells.
func (o *Obscurer) blur(p *plane, a *area, cells []byte) {
	g, r := &o.grid, a.rect[p.kind]
	g.along = g.x.weights(g.along, r.Min.X, r.Max.X)
	g.down = g.y.weights(g.down, r.Min.Y, r.Max.Y)
	nx, ny := g.x.count(), int32(g.y.count())
	for y, at := range g.down {
		upper := cells[int(at.cell)*nx:][:nx]
		lower := cells[int(min(at.cell+1, ny-1))*nx:][:nx]
		for i, v := range upper {
			g.row[i] = int(v)<<16 + (int(lower[i])-int(v))*int(at.share)
		}
		// The last cell has nothing behind it.
		g.row[nx] = g.row[nx-1]
		row := o.row(p, a, r.Min.Y+y)
		along := g.along[:len(row)]
		for x := range row {
			w := along[x]
			v, next := g.row[w.cell], g.row[w.cell+1]
			row[x] = byte((v<<16 + (next-v)*int(w.share) + 1<<31) >> 32)
		}
		o.put(p, a, r.Min.Y+y)
	}
}

// weights sets dst to the weights of the samples from lo to hi. Cells are
// counted from the first in the picture.
func (s *span) weights(dst []weight, lo, hi int) []weight {
	dst = grow(dst, hi-lo)
	// Middles are in half samples; the middle of a sample is at 2·x+1.
	middle := func(i int) int { return s.at[i] + s.at[i+1] }
	i := s.first
	for x := lo; x < hi; x++ {
		at := 2*x + 1
		for i+1 < s.last && middle(i+1) <= at {
			i++
		}
		w := weight{cell: int32(i - s.first)}
		if m := middle(i); at > m && i+1 < s.last {
			w.share = int32((at - m) << 16 / (middle(i+1) - m))
		}
		dst[x-lo] = w
	}
	return dst
}
