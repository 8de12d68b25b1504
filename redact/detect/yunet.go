package detect

import (
	"fmt"
	"runtime"

	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/face"
	"scrim/redact/yuv"
)

// stepSize is what both sides of YuNet's input must be a multiple of: its
// largest stride.
const stepSize = 32

// strides of YuNet's three output scales, in input pixels.
var strides = [...]int{8, 16, 32}

// outputs lists what is read of the network, by stride: class score,
// objectness, box. Its landmarks are not needed.
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
	info      redact.DetectorInfo
	net       *cv.Net
	size      int
	threshold float32
	in        input
	outs      [][]float32
	found     []candidate
	faces     []face.Face
}

func newYuNet(model []byte, size int, threshold float64) (*yuNet, error) {
	net, err := cv.ReadONNX(model, outputs)
	if err != nil {
		return nil, err
	}
	d := &yuNet{net: net, size: size, threshold: float32(threshold)}
	// A model of another shape shows here and not at the first picture.
	probe, err := yuv.New(2*stepSize, stepSize)
	if err == nil {
		probe.Fill(128, 128, 128)
		_, err = d.Detect(probe)
	}
	if err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("it is no YuNet: %w", err)
	}
	return d, nil
}

// Info implements redact.Detector.
func (d *yuNet) Info() redact.DetectorInfo { return d.info }

// Close implements redact.Detector; a second call does nothing.
func (d *yuNet) Close() error {
	d.in.close()
	d.net.Close()
	return nil
}

// Detect implements redact.Detector. The faces are valid until the next call.
func (d *yuNet) Detect(im *yuv.Image) ([]face.Face, error) {
	runtime.LockOSThread() // OpenCV keeps state for each thread
	defer runtime.UnlockOSThread()
	if err := d.in.fit(im.Width, im.Height, d.size); err != nil {
		return nil, err
	}
	g := d.in.geometry
	blob, err := d.net.Input(g.paddedW, g.paddedH, cells(g.paddedW, g.paddedH)*(1+1+4))
	if err != nil {
		return nil, err
	}
	if err := d.in.fill(blob, im); err != nil {
		return nil, err
	}
	if d.outs, err = d.net.Forward(d.outs); err != nil {
		return nil, err
	}
	if d.found, err = decode(d.found[:0], d.outs, g.paddedW, g.paddedH, d.threshold); err != nil {
		return nil, err
	}
	if d.found = suppress(d.found); len(d.found) > maxFaces {
		return nil, fmt.Errorf("%w: over %d faces", errOutput, maxFaces)
	}
	d.faces = d.faces[:0]
	sx, sy := float64(im.Width)/float64(g.width), float64(im.Height)/float64(g.height)
	for _, c := range d.found {
		d.faces = append(d.faces, face.Face{
			Box:   face.Box{X: float64(c.x) * sx, Y: float64(c.y) * sy, W: float64(c.w) * sx, H: float64(c.h) * sy},
			Score: float64(c.score),
		})
	}
	return d.faces, nil
}

// cells returns the number of cells of all scales of an input.
func cells(width, height int) int {
	n := 0
	for _, s := range strides {
		n += (width / s) * (height / s)
	}
	return n
}
