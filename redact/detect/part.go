package detect

import (
	"fmt"
	"image"
	"runtime"

	"scrim/redact/cv"
	"scrim/redact/face"
	"scrim/redact/scale"
	"scrim/redact/yuv"
)

// leastPart is the least side of what a pass looks at of a part, in pixels of its view.
const leastPart = 4

// partView is what a pass sees of a part of the picture.
type partView struct {
	view
	// rect is where it lies in the view of the pass.
	rect image.Rectangle
}

// DetectPart implements redact.PartDetector. Each pass sees of the part what it sees of
// it in the whole picture: at the same scale, with the network's cells at the same
// places. What was remembered of earlier pictures of this size is left as it is.
func (d *yuNet) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	runtime.LockOSThread() // OpenCV keeps state for each thread
	defer runtime.UnlockOSThread()
	if d.closed {
		return nil, fmt.Errorf("detector: %w", cv.ErrClosed)
	}
	v, err := viewOf(part)
	if err != nil {
		return nil, err
	}
	src := image.Rect(0, 0, v.w, v.h).Add(at)
	if !src.In(image.Rect(0, 0, width, height)) || width > cv.MaxInput || height > cv.MaxInput || at.X&1 != 0 || at.Y&1 != 0 {
		return nil, fmt.Errorf("part %v of a picture of %d×%d: it must lie in it and begin at even coordinates", src, width, height)
	}
	if err := d.fit(view{w: width, h: height, full: v.full}); err != nil {
		return nil, err
	}
	all := d.partFound[:0]
	var first partView
	for i := range d.passes.all {
		p := &d.passes.all[i]
		pv, err := d.passes.partView(i, partView{v, src}, first)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = pv
		}
		if pv.rect.Dx() < leastPart || pv.rect.Dy() < leastPart {
			continue
		}
		found, err := d.inferPart(p, pv)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c = p.inPicture(c)
			c.x, c.y = c.x-float32(at.X), c.y-float32(at.Y)
			all = append(all, c)
		}
	}
	d.partFound = suppress(all)
	d.partFaces, err = facesOf(d.partFaces[:0], d.partFound)
	return d.partFaces, err
}

// inferPart runs the network on what a pass sees of a part. The candidates are in pixels
// of the pass's view, and valid until the next call.
func (d *yuNet) inferPart(p *pass, pv partView) ([]candidate, error) {
	var r image.Rectangle
	low, high := pv.rect.Min, pv.rect.Max
	b := p.bounds()
	// At the picture's border the network sees the padding, too.
	if low.X == 0 {
		low.X = p.input.Min.X
	}
	if low.Y == 0 {
		low.Y = p.input.Min.Y
	}
	if high.X == b.Max.X {
		high.X = p.input.Max.X
	}
	if high.Y == b.Max.Y {
		high.Y = p.input.Max.Y
	}
	few := d.engine.sides()
	r.Min.X, r.Max.X = fitCrop(low.X, high.X, p.input.Min.X, p.input.Max.X, few)
	r.Min.Y, r.Max.Y = fitCrop(low.Y, high.Y, p.input.Min.Y, p.input.Max.Y, few)
	cut := sides{
		left: p.inner.left || pv.rect.Min.X > b.Min.X, top: p.inner.top || pv.rect.Min.Y > b.Min.Y,
		right: p.inner.right || pv.rect.Max.X < b.Max.X, bottom: p.inner.bottom || pv.rect.Max.Y < b.Max.Y,
	}
	d.partLooks = d.partLooks[:0]
	err := d.look(p.copy, &pv.view, r.Sub(pv.rect.Min), func(outs [][]float32) (err error) {
		if d.found, err = decode(d.found[:0], outs, r.Dx(), r.Dy(), float32(d.c.Threshold)); err != nil {
			return err
		}
		for _, c := range d.found {
			if longer := max(c.w, c.h); longer < p.minBox || p.maxBox > 0 && longer > p.maxBox {
				continue
			}
			c.x, c.y = c.x+float32(r.Min.X), c.y+float32(r.Min.Y)
			c.cut = cut.cuts(&c, pv.rect)
			d.partLooks = append(d.partLooks, c)
		}
		return nil
	})
	return limitWeak(suppress(d.partLooks), maxPassWeak), err
}

// partView returns what pass i sees of a part of the picture. first is what the first pass sees of
// it.
func (ps *passes) partView(i int, part, first partView) (partView, error) {
	p := &ps.all[i]
	if i == 1 && ps.small {
		return p.scale.part(first, ps.all[0].bounds())
	}
	in := part.rect.Intersect(p.area)
	if in.Empty() {
		return partView{}, nil
	}
	of := partView{part.part(in.Sub(part.rect.Min)), in.Sub(p.area.Min)}
	return p.scale.part(of, image.Rect(0, 0, p.area.Dx(), p.area.Dy()))
}

// part returns, of the whole scaled, what the part shows, with memory of its own.
func (s *shrinker) part(part partView, whole image.Rectangle) (partView, error) {
	if s.y == nil || part.rect.Empty() {
		return part, nil
	}
	w0, h0, cw0, ch0 := whole.Dx(), whole.Dy(), (whole.Dx()+1)/2, (whole.Dy()+1)/2
	cw, ch := (s.w+1)/2, (s.h+1)/2
	chroma := halved(part.rect)
	luma, inChroma := scale.Inside(w0, h0, s.w, s.h, part.rect), scale.Inside(cw0, ch0, cw, ch, chroma)
	out := partView{rect: luma.Intersect(image.Rectangle{inChroma.Min.Mul(2), inChroma.Max.Mul(2)})}
	out.rect.Min = image.Pt((out.rect.Min.X+1)&^1, (out.rect.Min.Y+1)&^1)
	if out.rect.Empty() {
		return partView{}, nil
	}
	r, c := out.rect, halved(out.rect)
	out.view = view{ys: r.Dx(), cs: c.Dx(), w: r.Dx(), h: r.Dy(), full: part.full}
	for _, plane := range []struct {
		to           *[]byte
		from         []byte
		stride       int
		w0, h0, w, h int
		src, dst     image.Rectangle
	}{
		{&out.y, part.y, part.ys, w0, h0, s.w, s.h, part.rect, r},
		{&out.u, part.u, part.cs, cw0, ch0, cw, ch, chroma, c},
		{&out.v, part.v, part.cs, cw0, ch0, cw, ch, chroma, c},
	} {
		scaler, err := scale.NewPart(plane.w0, plane.h0, plane.w, plane.h, plane.src, plane.dst)
		if err != nil {
			return partView{}, fmt.Errorf("detector input: %w", err)
		}
		if *plane.to, err = scaler.Scale(plane.from, plane.stride); err != nil {
			return partView{}, fmt.Errorf("detector input: %w", err)
		}
	}
	return out, nil
}

// halved returns the samples of chroma that lie in r, which begins at even coordinates.
func halved(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X/2, r.Min.Y/2, (r.Max.X+1)/2, (r.Max.Y+1)/2)
}
