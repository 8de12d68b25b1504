package files

import (
	"errors"
	"fmt"
	"image"
	"slices"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
)

// turnedScore is the least score of what counts as a face in a turned picture. Below it most
// is none: without this limit, and with weak faces, 7.8 % of an upright video of a classroom is
// obscured, with it 5.2 %, and 4.6 % if it is looked at upright only.
const turnedScore = 0.4

// ways is the detector of files. It looks at pictures the way that was chosen, or all four
// ways.
type ways struct {
	detector redact.Detector // the way that was chosen
	largest  redact.Detector // the same, at its largest size only
	all      []*way
	faces    merged
	// told is set if the file says which way is up: then it is not looked at the other ways.
	told bool
}

// way is another way to look at pictures.
type way struct {
	by       geom.Rotation
	detector *detector
	im       *yuv.Image
	faces    []face.Face
}

// OpenDetector returns a detector that inspects a picture at several sizes, and at all four
// ways if c says so: in files, missed faces matter more than time. The caller closes it.
func OpenDetector(c ipc.Files) (redact.Detector, error) {
	by := c.Rotate.OfDetector()
	if err := c.Rotate.By.Check(); err != nil {
		return nil, err
	}
	c.Detect = c.Detect.Turned(by)
	chosen, err := openSizes(c)
	if err != nil {
		return nil, err
	}
	w := &ways{detector: detect.NewTurned(chosen, by), largest: detect.NewTurned(&largest{chosen}, by)}
	if !c.AllWays || by != geom.Upright {
		return w, nil
	}
	c.Detect.Tiles, c.Detect.TileAreas = false, nil
	// A detector prepares for pictures of one size.
	for _, lying := range [][]geom.Rotation{{geom.Turned180}, {geom.Turned90, geom.Turned270}} {
		d, err := openSizes(c)
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
		for _, r := range lying {
			w.all = append(w.all, &way{by: r, detector: d})
		}
	}
	return w, nil
}

// begin begins a file; told is set if it says which way is up.
func (w *ways) begin(told bool) { w.told = told }

// Info implements redact.Detector.
func (w *ways) Info() redact.DetectorInfo { return w.detector.Info() }

// Close implements redact.Detector.
func (w *ways) Close() error {
	err := w.detector.Close()
	for _, o := range w.all {
		err = errors.Join(err, o.detector.Close())
	}
	return err
}

// Detect implements redact.Detector.
func (w *ways) Detect(im *yuv.Image) ([]face.Face, error) {
	found, err := w.detector.Detect(im)
	if err != nil || w.told || len(w.all) == 0 {
		return found, err
	}
	w.faces.faces = append(w.faces.faces[:0], found...)
	for _, o := range w.all {
		if found, err = o.detect(im); err != nil {
			return nil, err
		}
		w.faces.add(found, 1)
	}
	return w.faces.faces, nil
}

// detect returns the faces that lie so.
func (o *way) detect(im *yuv.Image) (found []face.Face, err error) {
	if o.im, err = rotate.Turned(o.im, im, o.by); err != nil {
		return nil, err
	}
	if found, err = o.detector.Detect(o.im); err != nil {
		return nil, err
	}
	o.faces = detect.TurnBack(o.faces[:0], found, o.by, im)
	o.faces = slices.DeleteFunc(o.faces, func(f face.Face) bool { return f.Weak || f.Score < turnedScore })
	return o.faces, nil
}

// Adapt implements redact.Adapter. The detectors of the other ways measure by themselves.
func (w *ways) Adapt(im *yuv.Image) error {
	if d, ok := w.detector.(redact.Adapter); ok {
		return d.Adapt(im)
	}
	return nil
}

// DetectPart implements redact.PartDetector. It looks only the way that was chosen.
func (w *ways) DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error) {
	d, ok := w.detector.(redact.PartDetector)
	if !ok {
		return nil, fmt.Errorf("detector %s cannot inspect parts of pictures", w.Info().Name)
	}
	return d.DetectPart(part, at, width, height)
}
