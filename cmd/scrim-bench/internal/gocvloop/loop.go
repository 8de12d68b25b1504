// Package gocvloop is a face blur as many people write it: read a picture, find
// faces, blur them, write it, one after the other. The benchmark compares Scrim
// with it. It uses the same network at the same size, with one thread.
//
// gocv ends the process on arguments that OpenCV does not like, so it is run as
// a process of its own.
package gocvloop

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"scrim/redact/cv"
)

// The customary overlap, and H.264, which is what Scrim writes, with the settings
// that OpenCV gives x264.
const (
	maxOverlap = 0.3
	fourCC     = "avc1"
	stepSize   = 32
)

// Options say what is blurred.
type Options struct {
	// In and Out are video files.
	In, Out string
	// Model is an ONNX file's bytes, of a network of YuNet's kind.
	Model []byte
	// Size is the longer side of the network's input.
	Size      int
	Threshold float32
	// Most bounds the pictures; 0 is all.
	Most int
}

var strides = []int{8, 16, 32}

// Run blurs the faces of a video, and calls each after every picture with where
// they were.
func Run(o Options, each func([]image.Rectangle)) error {
	cv.SetThreads(1)
	in, err := gocv.VideoCaptureFile(o.In)
	if err != nil {
		return fmt.Errorf("video %s: %w", o.In, err)
	}
	defer in.Close()
	net, err := gocv.ReadNetFromONNXBytes(o.Model)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	defer net.Close()
	if net.Empty() {
		return errors.New("model: OpenCV cannot read it; name another with --model")
	}
	var names []string
	for _, kind := range []string{"cls", "obj", "bbox"} {
		for _, s := range strides {
			names = append(names, fmt.Sprintf("%s_%d", kind, s))
		}
	}
	im, small := gocv.NewMat(), gocv.NewMat()
	defer im.Close()
	defer small.Close()
	var out *gocv.VideoWriter
	for n := 0; (o.Most == 0 || n < o.Most) && in.Read(&im) && !im.Empty(); n++ {
		if out == nil {
			if out, err = gocv.VideoWriterFile(o.Out, fourCC, in.Get(gocv.VideoCaptureFPS), im.Cols(), im.Rows(), true); err != nil {
				return fmt.Errorf("video %s: %w", o.Out, err)
			}
			defer out.Close()
		}
		size := inputSize(im.Cols(), im.Rows(), o.Size)
		gocv.Resize(im, &small, size, 0, 0, gocv.InterpolationLinear)
		blob := gocv.BlobFromImage(small, 1, size, gocv.NewScalar(0, 0, 0, 0), false, false)
		net.SetInput(blob, "")
		layers := net.ForwardLayers(names)
		scale := [2]float64{float64(im.Cols()) / float64(size.X), float64(im.Rows()) / float64(size.Y)}
		boxes, err := faces(layers, size, scale, o.Threshold)
		for i := range layers {
			_ = layers[i].Close()
		}
		_ = blob.Close()
		if err != nil {
			return err
		}
		for _, b := range boxes {
			blur(&im, b)
		}
		if err := out.Write(im); err != nil {
			return fmt.Errorf("video %s: %w", o.Out, err)
		}
		each(boxes)
	}
	if out == nil {
		return fmt.Errorf("video %s: OpenCV reads no picture of it", o.In)
	}
	return nil
}

// inputSize is the picture's, with a longer side of size at most, in steps that
// the network takes.
func inputSize(w, h, size int) image.Point {
	scale := math.Min(1, float64(size)/float64(max(w, h)))
	up := func(v int) int { return (int(math.Round(float64(v)*scale)) + stepSize - 1) / stepSize * stepSize }
	return image.Pt(up(w), up(h))
}

// faces reads the network's outputs.
func faces(layers []gocv.Mat, size image.Point, scale [2]float64, threshold float32) ([]image.Rectangle, error) {
	var boxes []image.Rectangle
	var scores []float32
	for i, stride := range strides {
		var v [3][]float32
		for k := range v {
			var err error
			if v[k], err = layers[k*len(strides)+i].DataPtrFloat32(); err != nil {
				return nil, fmt.Errorf("the network's output: %w", err)
			}
		}
		columns := size.X / stride
		for cell := range v[0] {
			score := float32(math.Sqrt(float64(v[0][cell] * v[1][cell])))
			if score < threshold {
				continue
			}
			s, b := float64(stride), v[2][4*cell:4*cell+4]
			w, h := math.Exp(float64(b[2]))*s, math.Exp(float64(b[3]))*s
			x := (float64(cell%columns)+float64(b[0]))*s - w/2
			y := (float64(cell/columns)+float64(b[1]))*s - h/2
			boxes = append(boxes, image.Rect(int(x*scale[0]), int(y*scale[1]), int((x+w)*scale[0]), int((y+h)*scale[1])))
			scores = append(scores, score)
		}
	}
	if len(boxes) == 0 {
		return nil, nil
	}
	// gocv fills what it is given and leaves the rest at 0.
	indices := make([]int, len(boxes)+1)
	for i := range indices {
		indices[i] = -1
	}
	gocv.NMSBoxes(boxes, scores, threshold, maxOverlap, indices)
	var kept []image.Rectangle
	for _, i := range indices {
		if i >= 0 {
			kept = append(kept, boxes[i])
		}
	}
	return kept, nil
}

// blur blurs a face.
func blur(im *gocv.Mat, box image.Rectangle) {
	box = box.Intersect(image.Rect(0, 0, im.Cols(), im.Rows()))
	if box.Dx() < 2 || box.Dy() < 2 {
		return
	}
	part := im.Region(box)
	defer part.Close()
	kernel := image.Pt(box.Dx()/2|1, box.Dy()/2|1)
	gocv.GaussianBlur(part, &part, kernel, 0, 0, gocv.BorderDefault)
}
