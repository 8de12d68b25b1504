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

// fit makes the passes for pictures like v, unless they are there.
func (ps *passes) fit(v view, c Config) error {
	if len(ps.all) > 0 && ps.w == v.w && ps.h == v.h && ps.full == v.full {
		return nil
	}
	ps.close()
	g := layOut(v.w, v.h, c.Size)
	whole := image.Rect(0, 0, v.w, v.h)
	if err := ps.add(v.w, v.h, g, pass{area: whole}); err != nil {
		return err
	}
	if longer := max(g.width, g.height); longer > smallFrom {
		s := layOut(g.width, g.height, smallSize)
		if err := ps.add(g.width, g.height, s, pass{area: whole, whole: true, least: smallShare * smallSize}); err != nil {
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
			tile := pass{area: r, inner: inner, most: tileShare * float32(min(r.Dx(), r.Dy()))}
			if err := ps.add(r.Dx(), r.Dy(), layOut(r.Dx(), r.Dy(), max(r.Dx(), r.Dy())), tile); err != nil {
				return err
			}
		}
	}
	for i := range ps.all {
		ps.all[i].stagger = 0.5 + 0.5*float64(i+1)/float64(len(ps.all))
	}
	if c.SkipUnchanged {
		ps.all[0].changes.tint = new(tint)
	}
	ps.w, ps.h, ps.full = v.w, v.h, v.full
	return nil
}

// tileShare is the share of a tile's shorter side up to which a face is the
// tile's to find. Larger ones are cut off often, and the whole picture shows
// them well.
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

// add completes p and adds it. It sees views of w0×h0 as g says.
func (ps *passes) add(w0, h0 int, g geometry, p pass) (err error) {
	p.sx, p.sy = float32(p.area.Dx())/float32(g.width), float32(p.area.Dy())/float32(g.height)
	// The picture lies in the middle of what is to spare on each axis, where its
	// border is repeated: of 54 drawn faces cut by the upper border 49 are found
	// instead of 33, and of all 216 cut ones 196 instead of 176, for nothing. A
	// margin of 32 at each side finds only 163.
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

// source returns what the view of pass i is made of. The small one is made of
// the first one's view, of which nobody may have needed the colours so far.
func (ps *passes) source(i int, picture view) view {
	switch {
	case i == 0:
		return picture
	case i == 1 && ps.small:
		return ps.all[0].view
	}
	return picture.part(ps.all[i].area)
}

// luma makes the view of pass i of a picture, without its colours, at which the
// first pass has a look of its own. The passes
// are to be done in their order.
func (ps *passes) luma(i int, picture view) (err error) {
	p := &ps.all[i]
	if p.changes.tint != nil {
		p.changes.tint.look(&picture)
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

func (ps *passes) close() { *ps = passes{} }
