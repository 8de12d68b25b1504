package detect

import (
	"fmt"
	"image"
	"slices"

	"scrim/redact/cv"
	"scrim/redact/scale"
	"scrim/redact/yuv"
)

// view is a picture, a scaled copy of one, or a part of one: planes of YUV
// 4:2:0 that belong to somebody else.
type view struct {
	y, u, v []byte
	ys, cs  int // bytes in a row
	w, h    int
	full    bool // samples go from 0 to 255
}

// viewOf returns the whole of im, or an error where its planes are too small.
func viewOf(im *yuv.Image) (view, error) {
	v := view{y: im.Y, u: im.U, v: im.V, ys: im.YStride, cs: im.CStride, w: im.Width, h: im.Height, full: im.FullRange}
	cw, ch := v.chroma()
	switch {
	case v.w < 1 || v.h < 1 || v.w > cv.MaxInput || v.h > cv.MaxInput || v.ys < v.w || v.cs < cw:
		return view{}, fmt.Errorf("picture of %d×%d with rows of %d and %d bytes is out of bounds", v.w, v.h, v.ys, v.cs)
	case len(v.y) < v.ys*v.h || len(v.u) < v.cs*ch || len(v.v) < v.cs*ch:
		return view{}, fmt.Errorf("picture of %d×%d has planes of only %d, %d and %d bytes", v.w, v.h, len(v.y), len(v.u), len(v.v))
	}
	return v, nil
}

// chroma returns the size of the chroma planes.
func (v *view) chroma() (width, height int) { return (v.w + 1) / 2, (v.h + 1) / 2 }

// part returns what lies in r, which is within v and begins at even
// coordinates.
func (v *view) part(r image.Rectangle) view {
	p := *v
	p.y = v.y[r.Min.Y*v.ys+r.Min.X:]
	p.u = v.u[r.Min.Y/2*v.cs+r.Min.X/2:]
	p.v = v.v[r.Min.Y/2*v.cs+r.Min.X/2:]
	p.w, p.h = r.Dx(), r.Dy()
	return p
}

// write writes what lies in r into blob, which has three planes of r's size:
// blue, green, red, 0 to 255. r begins at even coordinates; where it reaches
// outside v, the samples at v's border are repeated.
func (v *view) write(blob []float32, r image.Rectangle) error {
	in := r.Intersect(image.Rect(0, 0, v.w, v.h))
	w, plane := r.Dx(), r.Dx()*r.Dy()
	if len(blob) != 3*plane || r.Min.X&1 != 0 || r.Min.Y&1 != 0 || in.Empty() {
		return fmt.Errorf("detector input of %d samples does not fit %v of a picture of %d×%d", len(blob), r, v.w, v.h)
	}
	t := &limited
	if v.full {
		t = &full
	}
	left, chroma := in.Min.X-r.Min.X, (in.Dx()+1)/2
	for y := in.Min.Y; y < in.Max.Y; y++ {
		from := y*v.ys + in.Min.X
		luma := v.y[from : from+in.Dx()]
		c := y/2*v.cs + in.Min.X/2
		at := (y-r.Min.Y)*w + left
		t.convert(blob[at:at+len(luma)], blob[plane+at:plane+at+len(luma)], blob[2*plane+at:2*plane+at+len(luma)],
			luma, v.u[c:c+chroma], v.v[c:c+chroma])
	}
	if in != r {
		for p := range slices.Chunk(blob, plane) {
			extend(p, w, in.Sub(r.Min))
		}
	}
	return nil
}

// extend repeats the border of what lies in r over the rest of a plane with
// rows of w samples.
func extend(plane []float32, w int, r image.Rectangle) {
	fill := func(part []float32, value float32) {
		for i := range part {
			part[i] = value
		}
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := plane[y*w : (y+1)*w]
		fill(row[:r.Min.X], row[r.Min.X])
		fill(row[r.Max.X:], row[r.Max.X-1])
	}
	for y := range len(plane) / w {
		if from := min(max(y, r.Min.Y), r.Max.Y-1); from != y {
			copy(plane[y*w:(y+1)*w], plane[from*w:(from+1)*w])
		}
	}
}

// shrinker scales views to one size; where they have it already they are
// passed on. Luma and chroma are apart because most pictures need only luma.
type shrinker struct {
	w, h    int
	y, u, v *scale.Scaler // nil if there is nothing to do
}

// newShrinker returns a shrinker of views of w0×h0 to w×h.
func newShrinker(w0, h0, w, h int) (*shrinker, error) {
	s := &shrinker{w: w, h: h}
	if w0 == w && h0 == h {
		return s, nil
	}
	cw0, ch0, cw, ch := (w0+1)/2, (h0+1)/2, (w+1)/2, (h+1)/2
	for _, c := range []struct {
		to           **scale.Scaler
		w0, h0, w, h int
	}{{&s.y, w0, h0, w, h}, {&s.u, cw0, ch0, cw, ch}, {&s.v, cw0, ch0, cw, ch}} {
		var err error
		if *c.to, err = scale.New(c.w0, c.h0, c.w, c.h); err != nil {
			return nil, fmt.Errorf("detector input: %w", err)
		}
	}
	return s, nil
}

// luma returns src scaled, without its chroma.
func (s *shrinker) luma(src view) (view, error) {
	if s.y == nil {
		return src, nil
	}
	pix, err := s.y.Scale(src.y, src.ys)
	if err != nil {
		return view{}, err
	}
	return view{y: pix, ys: s.w, w: s.w, h: s.h, full: src.full}, nil
}

// chroma completes dst, which luma has made of src.
func (s *shrinker) chroma(dst *view, src view) (err error) {
	if s.y == nil {
		*dst = src
		return nil
	}
	if dst.u, err = s.u.Scale(src.u, src.cs); err != nil {
		return err
	}
	dst.cs = (s.w + 1) / 2
	dst.v, err = s.v.Scale(src.v, src.cs)
	return err
}
