package detect

import (
	"fmt"
	"image"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
)

// NewTurned returns a detector that shows d every picture turned by r, and returns the faces
// where they lie in the picture as it came, with their Rotation. It takes d over; with
// geom.Upright it is d itself.
func NewTurned(d redact.Detector, r geom.Rotation) redact.Detector {
	if r == geom.Upright {
		return d
	}
	return &turned{d: d, by: r}
}

// turned is a detector of turned pictures. It reuses its copy of the picture.
type turned struct {
	d     redact.Detector
	by    geom.Rotation
	im    *yuv.Image
	faces []face.Face
	// Of DetectPart.
	part      *yuv.Image
	partFaces []face.Face
}

// Detect implements redact.Detector.
func (t *turned) Detect(im *yuv.Image) ([]face.Face, error) {
	var err error
	if t.im, err = rotate.Turned(t.im, im, t.by); err != nil {
		return nil, err
	}
	found, err := t.d.Detect(t.im)
	if err != nil {
		return nil, err
	}
	t.faces = TurnBack(t.faces[:0], found, t.by, im)
	return t.faces, nil
}

// DetectPart implements redact.PartDetector.
func (t *turned) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	d, ok := t.d.(redact.PartDetector)
	if !ok {
		return nil, fmt.Errorf("detector %s cannot inspect parts of pictures", t.d.Info().Name)
	}
	var err error
	if t.part, err = rotate.Turned(t.part, part, t.by); err != nil {
		return nil, err
	}
	lies := t.by.Box(geom.BoxOf(part.Bounds().Add(at)), width, height).Rect().Min
	w, h := t.by.Size(width, height)
	found, err := d.DetectPart(t.part, image.Pt(lies.X&^1, lies.Y&^1), w, h) // parts begin at even coordinates
	if err != nil {
		return nil, err
	}
	t.partFaces = TurnBack(t.partFaces[:0], found, t.by, part)
	return t.partFaces, nil
}

// Adapt implements redact.Adapter.
func (t *turned) Adapt(im *yuv.Image) error {
	d, ok := t.d.(redact.Adapter)
	if !ok {
		return nil
	}
	var err error
	if t.im, err = rotate.Turned(t.im, im, t.by); err != nil {
		return err
	}
	return d.Adapt(t.im)
}

// TurnBack appends to faces those that were found in im turned by r, where they lie in im.
func TurnBack(faces, found []face.Face, r geom.Rotation, im *yuv.Image) []face.Face {
	w, h := r.Size(im.Width, im.Height)
	for _, f := range found {
		f.Box = r.Inverse().Box(f.Box, w, h)
		f.Rotation = r.Then(f.Rotation)
		faces = append(faces, f)
	}
	return faces
}

// Info implements redact.Detector.
func (t *turned) Info() redact.DetectorInfo { return t.d.Info() }

// Reset implements redact.Resetter.
func (t *turned) Reset() {
	if d, ok := t.d.(redact.Resetter); ok {
		d.Reset()
	}
}

// Close implements redact.Detector.
func (t *turned) Close() error { return t.d.Close() }
