package detect

import (
	"fmt"
	"image"
	"runtime"
	"time"

	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/mend"
	"scrim/redact/yuv"
)

// stepSize is its largest stride. Both sides of YuNet's input must be a multiple of it.
const stepSize = 32

// strides of YuNet's three output scales, in input pixels.
var strides = [...]int{8, 16, 32}

// outputs are the names of the outputs that are used, by stride: class score,
// objectness, box. Landmarks are not needed.
var outputs = func() (names []string) {
	for _, kind := range []string{"cls", "obj", "bbox"} {
		for _, s := range strides {
			names = append(names, fmt.Sprintf("%s_%d", kind, s))
		}
	}
	return names
}()

// yuNet is not safe for concurrent use.
type yuNet struct {
	info   redact.DetectorInfo
	c      Config
	now    func() time.Time
	engine engine
	closed bool
	passes passes
	rects  []image.Rectangle
	found  []candidate
	faces  []face.Face
	pixels int // inspected so far

	mending mending

	partFound []candidate
	partLooks []candidate // of one pass
	partFaces []face.Face
}

func newYuNet(model []byte, c Config) (*yuNet, error) {
	e, warning, err := openEngine(model, c.Engine)
	if err != nil {
		return nil, err
	}
	d := &yuNet{c: c, now: time.Now, engine: e, info: redact.DetectorInfo{Warning: warning}}
	// A model of another shape fails here, not at the first picture.
	probe, err := yuv.New(2*stepSize, stepSize)
	if err == nil {
		probe.Fill(128, 128, 128)
		_, err = d.Detect(probe)
	}
	if err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("it is not a network of YuNet's kind: %w", err)
	}
	e.close() // no picture is that small
	return d, nil
}

// Info implements redact.Detector.
func (d *yuNet) Info() redact.DetectorInfo { return d.info }

// Close implements redact.Detector; a second call does nothing.
func (d *yuNet) Close() error {
	d.closed = true
	d.passes.close()
	d.engine.close()
	return nil
}

// Reset forgets earlier pictures, and what was measured of them: the next one is
// inspected whole.
func (d *yuNet) Reset() {
	d.passes.forget()
	d.mending.forget()
}

// Detect implements redact.Detector. The faces are valid until the next call.
func (d *yuNet) Detect(im *yuv.Image) ([]face.Face, error) {
	runtime.LockOSThread() // OpenCV keeps state for each thread
	defer runtime.UnlockOSThread()
	if d.closed {
		return nil, fmt.Errorf("detector: %w", cv.ErrClosed)
	}
	faces, err := d.inspect(im)
	if err != nil {
		d.Reset()
		return nil, err
	}
	return faces, nil
}

// fit creates the passes for pictures like v unless they exist. What was measured of others
// says nothing of these.
func (d *yuNet) fit(v view) error {
	if d.passes.fits(v) {
		return nil
	}
	d.mending.forget()
	return d.passes.fit(v, d.c)
}

func (d *yuNet) inspect(im *yuv.Image) ([]face.Face, error) {
	picture, err := viewOf(im)
	if err != nil {
		return nil, err
	}
	if err := d.fit(picture); err != nil {
		return nil, err
	}
	if err := d.run(picture); err != nil {
		return nil, err
	}
	d.found = d.found[:0]
	for i := range d.passes.all {
		p := &d.passes.all[i]
		for _, c := range p.found {
			d.found = append(d.found, p.inPicture(c))
		}
	}
	d.found = suppress(d.found)
	d.faces, err = facesOf(d.faces[:0], d.found)
	return d.faces, err
}

// facesOf appends candidates, the weak ones last, as faces.
func facesOf(faces []face.Face, found []candidate) ([]face.Face, error) {
	for _, c := range found {
		if len(faces) == maxFaces {
			if c.weak {
				break // weak ones come last
			}
			return nil, fmt.Errorf("%w: over %d faces", errOutput, maxFaces)
		}
		faces = append(faces, face.Face{
			Box:   geom.Box{X: float64(c.x), Y: float64(c.y), W: float64(c.w), H: float64(c.h)},
			Score: float64(c.score), Weak: c.weak,
		})
	}
	return faces, nil
}

// run runs the network on everything that must be inspected.
func (d *yuNet) run(picture view) error {
	now, global := d.now(), !d.c.SkipUnchanged
	for i := range d.passes.all {
		p := &d.passes.all[i]
		if err := d.passes.luma(i, picture); err != nil {
			return err
		}
		if i == 0 && (!d.c.SkipUnchanged || !p.changes.valid || d.mending.isDue(now)) {
			d.adapt(now, &p.view, &picture)
		}
		todo, wait := everything, 1.0
		if d.c.SkipUnchanged {
			var all bool
			known := p.changes.valid
			if todo, all = p.compare(now); all && i == 0 {
				global = true
				d.adapt(now, &p.view, &picture)
			}
			if all {
				todo = everything
			}
			if global || !known {
				todo, wait = everything, p.stagger
			}
		}
		if todo == nothing {
			continue
		}
		if err := d.passes.chroma(i, picture); err != nil {
			return err
		}
		d.rects = d.rects[:0]
		if todo == parts {
			d.rects = p.crops(d.rects, d.engine.sides())
		}
		if len(d.rects) == 0 {
			p.found = p.found[:0]
			if err := d.infer(p, p.input); err != nil {
				return err
			}
			p.found = limitWeak(suppress(p.found), maxPassWeak)
			p.changes.inspected(now, wait)
			continue
		}
		p.forget()
		for _, r := range d.rects {
			if err := d.infer(p, r); err != nil {
				return err
			}
			p.changes.inspectedPart(p.withoutContext(r))
		}
		p.found = limitWeak(suppress(p.found), maxPassWeak)
	}
	return nil
}

// infer runs the network on a part of the view of a pass, mended if need be.
func (d *yuNet) infer(p *pass, r image.Rectangle) error {
	return d.look(p.copy, &p.view, r, func(outs [][]float32) (err error) {
		d.pixels += r.Dx() * r.Dy()
		if d.found, err = decode(d.found[:0], outs, r.Dx(), r.Dy(), float32(d.c.Threshold)); err != nil {
			return err
		}
		for i := range d.found {
			d.found[i].x += float32(r.Min.X)
			d.found[i].y += float32(r.Min.Y)
		}
		p.accept(r, d.found)
		return nil
	})
}

// look runs the network on what lies in r of a copy of the picture, in each way that finds
// more. use gets the outputs of each.
func (d *yuNet) look(of copies, v *view, r image.Rectangle, use func(outs [][]float32) error) error {
	for _, look := range d.mending.filters[of].Looks(v.y, v.ys, v.w, v.h, r) {
		shown := v
		if look != mend.Plain {
			var err error
			if shown, err = d.mending.mended(of, look, v, r); err != nil {
				return err
			}
		}
		outs, err := d.engine.run(shown, r)
		if err != nil {
			return err
		}
		if err := use(outs); err != nil {
			return err
		}
	}
	return nil
}

// cells returns the number of cells of all scales of an input.
func cells(width, height int) int {
	n := 0
	for _, s := range strides {
		n += (width / s) * (height / s)
	}
	return n
}

// describe returns the name of a detector for people.
func describe(c Config) string {
	name := fmt.Sprintf("%s %d", c.ModelName, c.Size)
	switch {
	case c.Tiles:
		name += " with tiles"
	case len(c.TileAreas) > 0:
		name += " with tiles in zones"
	}
	return name
}
