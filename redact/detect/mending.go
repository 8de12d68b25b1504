package detect

import (
	"fmt"
	"image"
	"runtime"
	"time"

	"scrim/redact/condition"
	"scrim/redact/cv"
	"scrim/redact/mend"
	"scrim/redact/yuv"
)

// The pictures of a camera are measured at least this often. Other light, which changes
// all of the picture, is measured at once.
const (
	measureInterval = 250 * time.Millisecond
	measurePictures = 10
)

// copies are the copies of a picture that passes look at, by how much noise is left in
// them.
type copies int

const (
	scaledCopy copies = iota // of the whole picture
	smallCopy
	nativeCopy // not scaled: tiles
	copyKinds
)

// mending decides how the copies of pictures are mended before the network sees them,
// and mends them.
type mending struct {
	// scaled and native smooth what is measured of the scaled copy and of the picture.
	scaled, native condition.Meter
	known          bool
	due            time.Time
	left           int // pictures until the next measurement
	filters        [copyKinds]mend.Filter
	copy           view // what was mended, memory of its own
}

// noise returns the noise of the scaled copy and of the picture in levels.
func (m *mending) noise() (scaled, native float64) {
	s, _ := m.scaled.Last()
	n, _ := m.native.Last()
	return s.Noise, n.Noise
}

// forget forgets what was measured, and mends nothing until something is: the next
// picture may be of something else.
func (m *mending) forget() {
	m.known = false
	m.scaled.Reset()
	m.native.Reset()
	for i := range m.filters {
		m.filters[i].Set(mend.Recipe{}, false)
	}
}

// isDue reports whether the next picture must be measured.
func (m *mending) isDue(now time.Time) bool {
	m.left--
	return !m.known || m.left <= 0 || !now.Before(m.due)
}

// measure measures the scaled copy and the picture of a time, and chooses how copies are
// mended. It reports whether that changed. small is the scale of the small copy against
// the scaled one. single is set if the picture has nothing to do with those before.
func (m *mending) measure(now time.Time, scaled, picture *view, small float64, single bool) (changed bool) {
	if single {
		m.known = false
		m.scaled.Reset()
		m.native.Reset()
	}
	was := [copyKinds]mend.Recipe{}
	if m.known {
		for i := range m.filters {
			was[i] = m.filters[i].Recipe()
		}
	}
	c := m.scaled.Update(now, condition.Measure(scaled.luma()))
	n := c
	if picture.w != scaled.w || picture.h != scaled.h {
		n = m.native.Update(now, condition.Measure(picture.luma()))
	} else {
		m.native = m.scaled
	}
	r := mend.Choose(c, was[scaledCopy])
	for i, recipe := range [copyKinds]mend.Recipe{
		r, r.WithNoise(c.Noise*small, was[smallCopy]), r.WithNoise(n.Noise, was[nativeCopy]),
	} {
		m.filters[i].Set(recipe, picture.full)
		changed = changed || recipe != was[i]
	}
	m.known, m.due, m.left = true, now.Add(measureInterval), measurePictures
	return changed
}

// recipe returns how copies of a kind are mended.
func (m *mending) recipe(of copies) mend.Recipe { return m.filters[of].Recipe() }

// mended returns what a look shows of v in r, as a copy of v whose rest is undefined. It is
// valid until the next call.
func (m *mending) mended(of copies, look mend.Look, v *view, r image.Rectangle) (*view, error) {
	cw, ch := v.chroma()
	m.copy.resize(v)
	r = r.Intersect(image.Rect(0, 0, v.w, v.h))
	f, c := &m.filters[of], halved(r)
	for _, err := range [...]error{
		f.Luma(look, m.copy.y, m.copy.ys, v.y, v.ys, v.w, v.h, r),
		f.Chroma(look, m.copy.u, m.copy.cs, v.u, v.cs, cw, ch, c),
		f.Chroma(look, m.copy.v, m.copy.cs, v.v, v.cs, cw, ch, c),
	} {
		if err != nil {
			return nil, fmt.Errorf("detector input: %w", err)
		}
	}
	return &m.copy, nil
}

// resize gives v the size of another, with memory of its own.
func (v *view) resize(like *view) {
	cw, ch := like.chroma()
	v.w, v.h, v.ys, v.cs, v.full = like.w, like.h, like.w, cw, like.full
	if cap(v.y) < v.w*v.h || cap(v.u) < cw*ch {
		v.y, v.u, v.v = make([]byte, v.w*v.h), make([]byte, cw*ch), make([]byte, cw*ch)
	}
	v.y, v.u, v.v = v.y[:v.w*v.h], v.u[:cw*ch], v.v[:cw*ch]
}

// luma returns the luma of v.
func (v *view) luma() *yuv.Image {
	return &yuv.Image{Width: v.w, Height: v.h, Y: v.y, YStride: v.ys, FullRange: v.full}
}

// Adapt implements redact.Adapter.
func (d *yuNet) Adapt(im *yuv.Image) error {
	runtime.LockOSThread() // OpenCV keeps state for each thread
	defer runtime.UnlockOSThread()
	if d.closed {
		return fmt.Errorf("detector: %w", cv.ErrClosed)
	}
	picture, err := viewOf(im)
	if err != nil {
		return err
	}
	if err := d.fit(picture); err != nil {
		return err
	}
	scaled, err := d.passes.all[0].scale.luma(picture)
	if err != nil {
		return err
	}
	d.adapt(d.now(), &scaled, &picture)
	return nil
}

// adapt measures a picture and its scaled copy. Where copies are mended otherwise than
// before, everything is inspected again.
func (d *yuNet) adapt(now time.Time, scaled, picture *view) (changed bool) {
	if changed = d.mending.measure(now, scaled, picture, d.passes.smallScale(), !d.c.SkipUnchanged); changed {
		d.passes.forget()
	}
	d.passes.tolerate(&d.mending)
	return changed
}
