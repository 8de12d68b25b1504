package files

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

const (
	// maxSizes is the maximum number of sizes at which a picture is inspected.
	maxSizes = 4
	// minSizeRatio is how many times larger than a detector size a picture must be,
	// else only the next size is used.
	minSizeRatio = 1.5
	// sameFaceIoU is the minimum IoU of detections at different sizes that are the
	// same face.
	sameFaceIoU = 0.4
)

// openSizes returns a detector that inspects a picture at several sizes. The caller
// closes it.
func openSizes(c ipc.Files) (*detector, error) {
	if len(c.Sizes) == 0 || len(c.Sizes) > maxSizes {
		return nil, fmt.Errorf("invalid number of detector sizes %d: must be 1 to %d", len(c.Sizes), maxSizes)
	}
	sizes := slices.Compact(slices.Sorted(slices.Values(c.Sizes)))
	d := &detector{}
	var names []string
	for _, size := range sizes {
		o := detect.Config(c.Detect)
		o.Size, o.Tiles = size, o.Tiles && size == sizes[len(sizes)-1]
		o.SkipUnchanged = false // it uses the wall clock, which is unrelated to the time in a file
		one, err := detect.Open(o)
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		d.all = append(d.all, one)
		d.sizes = append(d.sizes, size)
		names = append(names, one.Info().Name)
	}
	d.info = d.all[0].Info()
	d.info.Name = strings.Join(names, " + ")
	return d, nil
}

// detector combines detectors of different input sizes, smallest first.
type detector struct {
	all   []redact.Detector
	sizes []int
	info  redact.DetectorInfo
	half  *yuv.Image
	faces merged
	parts merged // of DetectPart
}

// merged are faces found at several sizes, each once.
type merged struct{ faces []face.Face }

// Info implements redact.Detector.
func (d *detector) Info() redact.DetectorInfo { return d.info }

// Close implements redact.Detector.
func (d *detector) Close() error {
	errs := make([]error, 0, len(d.all))
	for _, one := range d.all {
		errs = append(errs, one.Close())
	}
	d.all = nil
	return errors.Join(errs...)
}

// Detect implements redact.Detector.
func (d *detector) Detect(im *yuv.Image) ([]face.Face, error) {
	im, scale, err := d.fit(im)
	if err != nil {
		return nil, err
	}
	d.faces.faces = d.faces.faces[:0]
	longer := max(im.Width, im.Height)
	for i, one := range d.all {
		if i < len(d.all)-1 && d.skips(i, longer) {
			continue
		}
		found, err := one.Detect(im)
		if err != nil {
			return nil, err
		}
		d.faces.add(found, scale)
	}
	return d.faces.faces, nil
}

// DetectPart implements redact.PartDetector.
func (d *detector) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	scale, longer := 1.0, max(width, height)
	if longer > cv.MaxInput {
		var err error
		if part, err = halve(nil, part); err != nil {
			return nil, err
		}
		scale, longer = 2, (longer+1)/2
		at, width, height = image.Pt(at.X/2&^1, at.Y/2&^1), (width+1)/2, (height+1)/2
	}
	d.parts.faces = d.parts.faces[:0]
	for i, one := range d.all {
		if i < len(d.all)-1 && d.skips(i, longer) {
			continue
		}
		p, ok := one.(redact.PartDetector)
		if !ok {
			return nil, fmt.Errorf("detector %s cannot inspect parts of pictures", one.Info().Name)
		}
		found, err := p.DetectPart(part, at, width, height)
		if err != nil {
			return nil, err
		}
		d.parts.add(found, scale)
	}
	return d.parts.faces, nil
}

// Adapt implements redact.Adapter.
func (d *detector) Adapt(im *yuv.Image) error {
	im, _, err := d.fit(im)
	if err != nil {
		return err
	}
	for _, one := range d.all {
		if a, ok := one.(redact.Adapter); ok {
			if err := a.Adapt(im); err != nil {
				return err
			}
		}
	}
	return nil
}

// skips reports whether the detector of a size is left out for pictures of that longer side:
// the next larger one finds nearly the same.
func (d *detector) skips(i, longer int) bool {
	return float64(d.sizes[i])*minSizeRatio > float64(longer)
}

// fit returns im, scaled to half if it is too large, and the factor back.
func (d *detector) fit(im *yuv.Image) (*yuv.Image, float64, error) {
	if max(im.Width, im.Height) <= cv.MaxInput {
		return im, 1, nil
	}
	var err error
	d.half, err = halve(d.half, im)
	return d.half, 2, err
}

// largest inspects pictures at the largest of a detector's sizes only.
type largest struct{ *detector }

// Detect implements redact.Detector.
func (l *largest) Detect(im *yuv.Image) ([]face.Face, error) {
	im, scale, err := l.fit(im)
	if err != nil {
		return nil, err
	}
	found, err := l.all[len(l.all)-1].Detect(im)
	if err != nil {
		return nil, err
	}
	l.faces.faces = l.faces.faces[:0]
	l.faces.add(found, scale)
	return l.faces.faces, nil
}

// add merges faces with those found at other sizes. Of detections of the same face
// the one with the highest score is kept.
func (m *merged) add(found []face.Face, scale float64) {
	before := len(m.faces)
next:
	for _, f := range found {
		f.Box = geom.Box{X: f.Box.X * scale, Y: f.Box.Y * scale, W: f.Box.W * scale, H: f.Box.H * scale}
		for i := range m.faces[:before] {
			if g := &m.faces[i]; g.Box.IoU(f.Box) >= sameFaceIoU {
				if f.Score > g.Score {
					*g = f
				}
				continue next
			}
		}
		m.faces = append(m.faces, f)
	}
}

// halve returns a picture of half the size, in dst if that has the right size.
func halve(dst, src *yuv.Image) (*yuv.Image, error) {
	w, h := (src.Width+1)/2, (src.Height+1)/2
	if dst == nil || dst.Width != w || dst.Height != h {
		var err error
		if dst, err = yuv.New(w, h); err != nil {
			return nil, err
		}
	}
	dst.FullRange = src.FullRange
	halvePlane(dst.Y, dst.YStride, src.Y, src.YStride, src.Width, src.Height)
	halvePlane(dst.U, dst.CStride, src.U, src.CStride, src.ChromaWidth(), src.ChromaHeight())
	halvePlane(dst.V, dst.CStride, src.V, src.CStride, src.ChromaWidth(), src.ChromaHeight())
	return dst, nil
}

// halvePlane writes the means of blocks of four samples.
func halvePlane(dst []byte, dstStride int, src []byte, srcStride, width, height int) {
	for y := range (height + 1) / 2 {
		upper := src[2*y*srcStride:]
		lower := src[min(2*y+1, height-1)*srcStride:]
		row := dst[y*dstStride : y*dstStride+(width+1)/2]
		for x := range row {
			l, r := 2*x, min(2*x+1, width-1)
			row[x] = byte((int(upper[l]) + int(upper[r]) + int(lower[l]) + int(lower[r]) + 2) / 4) //nolint:gosec // a mean of bytes
		}
	}
}
