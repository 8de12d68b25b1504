package detect

import "image"

// passes are the passes over pictures of one size: the whole picture first,
// then it again but small, then its tiles.
type passes struct {
	w, h  int
	full  bool
	all   []pass
	small bool // the second is the small one
}

// fits reports whether the passes are for pictures like v.
func (ps *passes) fits(v view) bool {
	return len(ps.all) > 0 && ps.w == v.w && ps.h == v.h && ps.full == v.full
}

// fit creates the passes for pictures like v.
func (ps *passes) fit(v view, c Config) error {
	ps.close()
	g := layOut(v.w, v.h, c.Size)
	whole := image.Rect(0, 0, v.w, v.h)
	if err := ps.add(v.w, v.h, g, pass{area: whole}); err != nil {
		return err
	}
	if longer := max(g.width, g.height); longer > smallFrom {
		s := layOut(g.width, g.height, smallSize)
		if err := ps.add(g.width, g.height, s, pass{area: whole, whole: true, minBox: smallShare * smallSize}); err != nil {
			return err
		}
		ps.small = true
	}
	if g.width != v.w || g.height != v.h {
		for _, r := range tiles(v.w, v.h) {
			if !c.Tiles && !wanted(r, c.TileAreas, v.w, v.h) {
				continue
			}
			inner := sides{r.Min.X > 0, r.Min.Y > 0, r.Max.X < v.w, r.Max.Y < v.h}
			tile := pass{area: r, inner: inner, maxBox: tileShare * float32(min(r.Dx(), r.Dy()))}
			if err := ps.add(r.Dx(), r.Dy(), layOut(r.Dx(), r.Dy(), max(r.Dx(), r.Dy())), tile); err != nil {
				return err
			}
		}
	}
	for i := range ps.all {
		ps.all[i].copy = ps.kind(i)
		ps.all[i].stagger = 0.5 + 0.5*float64(i+1)/float64(len(ps.all))
	}
	if c.SkipUnchanged {
		ps.all[0].changes.tint = new(tint)
	}
	ps.w, ps.h, ps.full = v.w, v.h, v.full
	return nil
}

// tileShare is the maximum size of a face that a tile finds, as a share of the tile's
// shorter side. Larger ones are often cut, and large enough in the whole picture.
const tileShare = 0.5

// wanted reports whether a tile of a picture reaches into one of the areas.
func wanted(tile image.Rectangle, areas [][4]float64, w, h int) bool {
	for _, a := range areas {
		if a[0]*float64(w) < float64(tile.Max.X) && a[2]*float64(w) > float64(tile.Min.X) &&
			a[1]*float64(h) < float64(tile.Max.Y) && a[3]*float64(h) > float64(tile.Min.Y) {
			return true
		}
	}
	return false
}

// add completes p and adds it. It scales views of w0×h0 to the geometry g.
func (ps *passes) add(w0, h0 int, g geometry, p pass) (err error) {
	p.sx, p.sy = float32(p.area.Dx())/float32(g.width), float32(p.area.Dy())/float32(g.height)
	// The picture is centred in the padding, where its border is repeated. That costs
	// nothing: of 54 drawn faces cut by the upper border 49 are found instead of 33, of
	// all 216 cut ones 196 instead of 176. A margin of 32 on each side finds only 163.
	p.input = image.Rect(0, 0, g.paddedW, g.paddedH).Sub(image.Pt((g.paddedW-g.width)/2&^1, (g.paddedH-g.height)/2&^1))
	p.changes = newChangeMap(g.width, g.height, scaledLevel)
	if g.width == p.area.Dx() {
		p.changes.level = nativeLevel
	}
	if p.scale, err = newShrinker(w0, h0, g.width, g.height); err != nil {
		ps.close()
		return err
	}
	ps.all = append(ps.all, p)
	return nil
}

// source returns what the view of pass i is made from. That of the small pass is made
// from the first one, whose colours may not have been needed so far.
func (ps *passes) source(i int, picture view) view {
	switch {
	case i == 0:
		return picture
	case i == 1 && ps.small:
		return ps.all[0].view
	}
	return picture.part(ps.all[i].area)
}

// luma makes the view of pass i without its colours; the first pass also compares the
// colours of the whole picture. The passes must be processed in order.
func (ps *passes) luma(i int, picture view) (err error) {
	p := &ps.all[i]
	if p.changes.tint != nil {
		p.changes.tint.update(&picture)
	}
	p.view, err = p.scale.luma(ps.source(i, picture))
	return err
}

// chroma completes what luma made.
func (ps *passes) chroma(i int, picture view) error {
	if i == 1 && ps.small && ps.all[0].view.u == nil {
		if err := ps.chroma(0, picture); err != nil {
			return err
		}
	}
	p := &ps.all[i]
	return p.scale.chroma(&p.view, ps.source(i, picture))
}

// smallScale returns the scale of the small pass against the first one.
func (ps *passes) smallScale() float64 {
	if !ps.small {
		return 1
	}
	return float64(ps.all[1].changes.w) / float64(ps.all[0].changes.w)
}

// kind returns which of the copies pass i looks at.
func (ps *passes) kind(i int) copies {
	switch {
	case i == 0:
		return scaledCopy
	case i == 1 && ps.small:
		return smallCopy
	}
	return nativeCopy
}

// forget forgets what was inspected.
func (ps *passes) forget() {
	for i := range ps.all {
		ps.all[i].changes.valid = false
	}
}

// tolerate tells the passes how much changes by noise.
func (ps *passes) tolerate(m *mending) {
	scaled, native := m.noise()
	noise := [copyKinds]float64{scaled, scaled * ps.smallScale(), native}
	for i := range ps.all {
		g, kind := &ps.all[i].changes, ps.kind(i)
		g.tolerance.set(m.recipe(kind), noise[kind], g.level, ps.full)
		if g.tint != nil {
			g.tint.noise = 0
			if m.recipe(scaledCopy).Noise > 0 || m.recipe(nativeCopy).Noise > 0 {
				g.tint.noise = native
			}
		}
	}
}

func (ps *passes) close() { *ps = passes{} }
