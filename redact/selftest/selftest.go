package selftest

import (
	"errors"
	"fmt"
	"image"
	"math"
	"time"

	"scrim/redact"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/scale"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

const (
	// camera is whose picture the drawn one is said to be.
	camera = "self-test"
	// foundIoU is the least IoU of a detection with the face.
	foundIoU = 0.3
	// stillFace is the share of its score from which on a face that was obscured counts
	// as one that can be seen. A good network finds, with less certainty, a face where
	// there is a head with something before it.
	stillFace = 0.8
	// maxSame is the share of the face's samples, and of each block of it in which
	// anything is visible, that may be as they were drawn when it was
	// obscured. Samples are those of a plane.
	maxSame = 0.5
	// blockSide is the side of a block in luma samples, and detail the minimum range of
	// samples that shows anything. A uniform block may keep its colour.
	blockSide = 8
	detail    = 16
)

// Errors of Check. All wrap ErrFailed.
var (
	ErrFailed   = errors.New("self-test failed")
	ErrNotFound = fmt.Errorf("%w: the detector does not find the drawn face; lower `detect.threshold`, or choose another model", ErrFailed)
	ErrVisible  = fmt.Errorf("%w: the drawn face can still be seen after it was obscured; choose the style veil", ErrFailed)
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
	// Rotation is how faces lie in the pictures. Width, height and Zones are those of
	// the pictures as they come.
	Rotation geom.Rotation
	// Cosmetic says that faces may be found in what comes out.
	Cosmetic bool
}

// Check draws a face and sends it the way of a camera's pictures of the given
// size: through a redact.Redactor of its own, that is detector, zones, tracker,
// obscurer, inspection and gate. It reports whether the face gets a region and
// is neither found nor as it was drawn in what comes out.
//
// The drawn picture has the size of the camera's, or of one of its shape that
// is large enough for a face that every detector finds. Where the detector looks at
// parts of a picture it is smaller, so that a test takes a few passes and
// not dozens, and a second picture has a face that is found with certainty in such
// a part only.
func Check(o Options, width, height int) error {
	width, height = o.Rotation.Size(width, height) // as it is drawn
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
	box, err := s.draw(im, zone.Turn(o.Zones, o.Rotation))
	if err == nil {
		im, box, err = o.lay(im, box)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	bare := im.Clone()
	o.forget()
	frame, err := o.redact(im)
	if err != nil {
		return err
	}
	out := frame.Image()
	at := box.Rect().Intersect(out.Bounds())
	least := 0.0
	if s.parts {
		if least, err = o.certainty(bare, box); err != nil {
			return err
		}
	}
	before, found := marked(frame.Regions(), box, at)
	if !found || before < least {
		return ErrNotFound
	}
	if remains(bare, out, at, !o.Cosmetic) {
		return ErrVisible
	}
	faces, err := o.Detector.Detect(out)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	for _, f := range faces {
		if !o.Cosmetic && !f.Weak && f.Box.IoU(box) >= foundIoU && f.Score >= stillFace*before {
			return ErrVisible
		}
	}
	return nil
}

// lay turns what was drawn upright, so that it lies as the camera shows it.
func (o Options) lay(im *yuv.Image, box geom.Box) (*yuv.Image, geom.Box, error) {
	by := o.Rotation.Inverse()
	out, err := yuv.New(by.Size(im.Width, im.Height))
	if err != nil {
		return nil, box, err
	}
	return out, by.Box(box, im.Width, im.Height), rotate.By(by).Image(out, im)
}

// redact returns what a Redactor makes of im, as the first picture of a camera.
func (o Options) redact(im *yuv.Image) (redact.Frame, error) {
	gate := redact.NewGate(redact.Cause{})
	r, err := redact.New(redact.Options{
		Camera: camera, Gate: gate, Detector: o.Detector, Tracker: o.Tracker(), Obscurer: o.Obscurer, Zones: o.Zones,
	})
	if err != nil {
		return redact.Frame{}, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	p := &redact.Picture{
		Image: im, Camera: camera, Epoch: 1, Generation: gate.Generation(), Number: 1, Complete: true, IDR: true, Captured: time.Now(),
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

// certainty returns what a small face, which is at box, has to score at least: more than
// in the whole of its picture, scaled down to the detector's input. Else the parts of the
// picture were not looked at: a good network finds the face in the whole, too.
func (o Options) certainty(im *yuv.Image, box geom.Box) (float64, error) {
	factor := float64(o.Size) / float64(max(im.Width, im.Height))
	whole, err := shrink(im, max(1, int(math.Round(factor*float64(im.Width)))), max(1, int(math.Round(factor*float64(im.Height)))))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	box = geom.Box{X: box.X * factor, Y: box.Y * factor, W: box.W * factor, H: box.H * factor}
	o.forget()
	faces, err := o.Detector.Detect(whole)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	o.forget()
	least := 0.0
	for _, f := range faces {
		if f.Box.IoU(box) >= foundIoU {
			least = max(least, f.Score+moreCertain)
		}
	}
	return least, nil
}

// shrink returns a copy of im of width × height.
func shrink(im *yuv.Image, width, height int) (*yuv.Image, error) {
	small, err := yuv.New(width, height)
	if err != nil {
		return nil, err
	}
	small.FullRange = im.FullRange
	for _, p := range []struct {
		from, to              []byte
		stride, toStride      int
		w0, h0, width, height int
	}{
		{im.Y, small.Y, im.YStride, small.YStride, im.Width, im.Height, width, height},
		{im.U, small.U, im.CStride, small.CStride, im.ChromaWidth(), im.ChromaHeight(), small.ChromaWidth(), small.ChromaHeight()},
		{im.V, small.V, im.CStride, small.CStride, im.ChromaWidth(), im.ChromaHeight(), small.ChromaWidth(), small.ChromaHeight()},
	} {
		s, err := scale.New(p.w0, p.h0, p.width, p.height)
		if err != nil {
			return nil, err
		}
		scaled, err := s.Scale(p.from, p.stride)
		if err != nil {
			return nil, err
		}
		for y := range p.height {
			copy(p.to[y*p.toStride:y*p.toStride+p.width], scaled[y*p.width:])
		}
	}
	return small, nil
}

// forget lets the detector forget what it has seen: it is no part of another picture.
func (o Options) forget() {
	if d, ok := o.Detector.(redact.Resetter); ok {
		d.Reset()
	}
}

// marked returns the score of a face that was found at box, if there is one and all
// of the drawn one, which takes the pixels at, lies in its region.
func marked(regions []geom.Region, box geom.Box, at image.Rectangle) (score float64, found bool) {
	for _, r := range regions {
		if r.Source == geom.Detected && r.Face.IoU(box) >= foundIoU && r.Covers(at) {
			return r.Score, true
		}
	}
	return 0, false
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
