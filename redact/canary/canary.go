package canary

import (
	"errors"
	"fmt"
	"image"
	"time"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

const (
	// camera is whose picture the drawn one is said to be.
	camera = "self-test"
	// foundIoU is the least IoU of a detection with the face.
	foundIoU = 0.3
	// maxSame is the share of the face's samples, and of each block of it in which
	// there is anything to be seen, that may be as they were drawn when it was
	// obscured. Samples are those of a plane.
	maxSame = 0.5
	// blockSide is the side of a block in luma samples, and detail the least range
	// of samples that shows anything. An even block may well keep its colour.
	blockSide = 8
	detail    = 16
)

// Errors of Check. All wrap ErrFailed.
var (
	ErrFailed   = errors.New("self-test failed")
	ErrNotFound = fmt.Errorf("%w: the detector does not find the drawn face", ErrFailed)
	ErrVisible  = fmt.Errorf("%w: the drawn face is still to be seen after it was obscured", ErrFailed)
	ErrWithheld = fmt.Errorf("%w: the drawn face's picture does not get through", ErrFailed)
)

// Options are the parts that are tested, as the pictures are redacted by.
type Options struct {
	// Detector and Obscurer are those in use. A Resetter forgets what it has seen.
	Detector redact.Detector
	Obscurer redact.Obscurer
	// Tracker returns a new one with the settings in use, look-ahead included.
	Tracker func() redact.Tracker
	// Zones are the camera's. The face is drawn where faces count.
	Zones []zone.Zone
	// Size is the longer side of the detector's input in pixels. Tiles says that
	// it looks at parts of larger pictures, too: all of them, or with TileZones
	// those in which zones expect small faces.
	Size             int
	Tiles, TileZones bool
	// Threshold is the detector's.
	Threshold float64
	// Cosmetic says that faces may be found in what comes out.
	Cosmetic bool
}

// Check draws a face and sends it the way of a camera's pictures of the given
// size: through a redact.Redactor of its own, that is detector, zones, tracker,
// obscurer, certificate and gate. It reports whether the face gets a region and
// is neither found nor as it was drawn in what comes out.
//
// The drawn picture has the size of the camera's, or of one of its shape that
// is large enough for a face that every detector finds. Where the detector looks at
// parts of a picture it is smaller, so that a test takes a few passes and
// not dozens, and a second picture has a face that is found with certainty in such
// a part only.
func Check(o Options, width, height int) error {
	for _, s := range scenes(o, width, height) {
		if err := o.pass(s); err != nil {
			return err
		}
	}
	return nil
}

// pass sends one drawn face through.
func (o Options) pass(s drawn) error {
	im, err := yuv.New(s.width, s.height)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	box, err := s.draw(im, o.Zones)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	before := im.Clone()
	if d, ok := o.Detector.(redact.Resetter); ok {
		d.Reset() // what it has seen is no part of this picture
	}
	frame, err := o.redact(im)
	if err != nil {
		return err
	}
	out := frame.Image()
	at := box.Rect().Intersect(out.Bounds())
	if !marked(frame.Regions(), box, at, s.score) {
		return ErrNotFound
	}
	if remains(before, out, at, !o.Cosmetic) {
		return ErrVisible
	}
	faces, err := o.Detector.Detect(out)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	for _, f := range faces {
		if !o.Cosmetic && !f.Weak && f.Box.IoU(box) >= foundIoU {
			return ErrVisible
		}
	}
	return nil
}

// redact returns what a Redactor makes of im, as the first picture of a camera.
func (o Options) redact(im *yuv.Image) (redact.Frame, error) {
	gate := redact.NewGate(camera)
	r, err := redact.New(redact.Options{
		Camera: camera, Gate: gate, Detector: o.Detector, Tracker: o.Tracker(), Obscurer: o.Obscurer, Zones: o.Zones,
	})
	if err != nil {
		return redact.Frame{}, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	p := &redact.Picture{
		Image: im, Camera: camera, Epoch: 1, Chain: gate.Chain(), Number: 1, Complete: true, IDR: true, Captured: time.Now(),
	}
	outcomes := append([]redact.Outcome(nil), r.Redact(p)...)
	outcomes = append(outcomes, r.Flush()...) // with look-ahead it waits
	if len(outcomes) != 1 {
		return redact.Frame{}, fmt.Errorf("%w: %d pictures came out for one", ErrWithheld, len(outcomes))
	}
	f := outcomes[0].Frame
	switch slate, _ := f.Slate(); {
	case outcomes[0].Err != nil:
		return redact.Frame{}, fmt.Errorf("%w: %w", ErrWithheld, outcomes[0].Err)
	case slate || !gate.Admits(f, time.Now()):
		return redact.Frame{}, fmt.Errorf("%w: its gate is shut", ErrWithheld)
	}
	return f, nil
}

// marked reports whether a face of the least score was found at box and all of the
// drawn one, which takes the pixels at, lies in its region.
func marked(regions []face.Region, box face.Box, at image.Rectangle, least float64) bool {
	for _, r := range regions {
		if r.Source == face.Detected && r.Score >= least && r.Face.IoU(box) >= foundIoU && r.Covers(at) {
			return true
		}
	}
	return false
}

// remains reports whether what is at a place is mostly as it was in any plane, or
// in any block of one if blocks is set.
func remains(before, after *yuv.Image, at image.Rectangle, blocks bool) bool {
	half := image.Rect(at.Min.X/2, at.Min.Y/2, (at.Max.X+1)/2, (at.Max.Y+1)/2)
	return kept(before.Y, after.Y, before.YStride, after.YStride, at, blockSide, blocks) ||
		kept(before.U, after.U, before.CStride, after.CStride, half, blockSide/2, blocks) ||
		kept(before.V, after.V, before.CStride, after.CStride, half, blockSide/2, blocks)
}

// kept is remains for a plane, whose blocks have the given side.
func kept(before, after []byte, stride, strideAfter int, at image.Rectangle, side int, blocks bool) bool {
	count := func(r image.Rectangle) (same bool, span int) {
		n, low, high := 0, 255, 0
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				v := before[y*stride+x]
				low, high = min(low, int(v)), max(high, int(v))
				if v == after[y*strideAfter+x] {
					n++
				}
			}
		}
		return float64(n) > maxSame*float64(r.Dx()*r.Dy()), high - low
	}
	if same, _ := count(at); same {
		return true
	}
	for y := at.Min.Y; blocks && y < at.Max.Y; y += side {
		for x := at.Min.X; x < at.Max.X; x += side {
			// The last ones share samples with those before: a block of a few samples
			// says nothing.
			corner := image.Pt(max(min(x, at.Max.X-side), at.Min.X), max(min(y, at.Max.Y-side), at.Min.Y))
			same, span := count(image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}.Intersect(at))
			if same && span >= detail {
				return true
			}
		}
	}
	return false
}
