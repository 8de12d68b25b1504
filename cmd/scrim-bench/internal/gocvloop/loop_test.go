package gocvloop

import (
	"image"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"

	"scrim/models"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// TestPeerDoesTheWorkThatItIsComparedFor holds what the comparison rests on: the
// peer finds the faces that are drawn, hardly anything else, and what it writes has them
// blurred. A loop that found nothing would be fast and prove nothing.
func TestPeerDoesTheWorkThatItIsComparedFor(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.mp4"), filepath.Join(dir, "out.mp4")
	const frames = 40
	var truth []scene.Truth
	options := scene.Options{Width: 640, Height: 360, FPS: 5, People: 6, Seed: 3, MinFace: 24, MaxFace: 60}
	require.NoError(t, simcam.Record(t.Context(), simcam.RecordOptions{Path: in, Scene: options, Frames: frames, AsCamera: true}, func(r simcam.Recorded) error {
		truth = append(truth, r.Truth)
		return nil
	}))
	var found [][]image.Rectangle
	require.NoError(t, Run(Options{In: in, Out: out, Model: models.Weights(), Size: 640, Threshold: 0.3}, func(boxes []image.Rectangle) {
		found = append(found, boxes)
	}))
	require.Len(t, found, frames)

	before, after := play(t, in), play(t, out)
	defer before.Close()
	defer after.Close()
	a, b := gocv.NewMat(), gocv.NewMat()
	defer a.Close()
	defer b.Close()
	there, met, boxes, right, sharp, blurred := 0, 0, 0, 0, 0.0, 0.0
	for n, boxesNow := range found {
		require.True(t, before.Read(&a))
		require.True(t, after.Read(&b), "what is written has as many pictures")
		hit := make(map[int]bool)
		for _, f := range truth[n].Faces {
			face := image.Rect(int(f.Box.X), int(f.Box.Y), int(f.Box.X+f.Box.W), int(f.Box.Y+f.Box.H))
			i := nearest(face, boxesNow)
			if i >= 0 {
				hit[i] = true
			}
			if f.Visible < 0.9 || f.Yaw > 40 || f.Yaw < -40 {
				continue
			}
			there++
			if i >= 0 {
				met++
				sharp += detail(a, face)
				blurred += detail(b, face)
			}
		}
		boxes, right = boxes+len(boxesNow), right+len(hit)
	}
	t.Logf("%d of %d faces, %d of %d boxes on one; detail %.0f, then %.0f", met, there, right, boxes, sharp/float64(met), blurred/float64(met))
	require.Greater(t, there, frames/2)
	require.GreaterOrEqual(t, met, there*9/10, "faces that are found")
	require.GreaterOrEqual(t, right, boxes*8/10, "boxes that are on a face")
	require.Less(t, blurred, sharp/4, "what is left of the faces")
}

func TestPeerSaysWhatItCannotRead(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	err := Run(Options{In: none, Out: none, Size: 640, Threshold: 0.3}, func([]image.Rectangle) {})
	require.ErrorContains(t, err, none)
}

func TestInputIsThePicturesShape(t *testing.T) {
	for _, c := range []struct{ w, h, size, wantW, wantH int }{
		{1920, 1080, 640, 640, 384}, {640, 360, 640, 640, 384}, {1080, 1920, 640, 384, 640}, {320, 180, 640, 320, 192},
	} {
		require.Equal(t, image.Pt(c.wantW, c.wantH), inputSize(c.w, c.h, c.size))
	}
}

func play(t *testing.T, path string) *gocv.VideoCapture {
	t.Helper()
	v, err := gocv.VideoCaptureFile(path)
	require.NoError(t, err)
	return v
}

// nearest returns the box that overlaps most with a face, if by a third at least.
func nearest(face image.Rectangle, boxes []image.Rectangle) int {
	best, at := 1.0/3, -1
	area := func(r image.Rectangle) float64 { return float64(r.Dx() * r.Dy()) }
	for i, b := range boxes {
		both := area(face.Intersect(b))
		if iou := both / (area(face) + area(b) - both); iou > best {
			best, at = iou, i
		}
	}
	return at
}

// detail is the variance of the second derivative in the middle of a face.
func detail(im gocv.Mat, face image.Rectangle) float64 {
	face = face.Inset(face.Dx() / 6).Intersect(image.Rect(0, 0, im.Cols(), im.Rows()))
	if face.Dx() < 4 || face.Dy() < 4 {
		return 0
	}
	part := im.Region(face)
	defer part.Close()
	edges, mean, deviation := gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	defer edges.Close()
	defer mean.Close()
	defer deviation.Close()
	gocv.Laplacian(part, &edges, gocv.MatTypeCV64F, 1, 1, 0, gocv.BorderDefault)
	gocv.MeanStdDev(edges, &mean, &deviation)
	d := deviation.GetDoubleAt(0, 0)
	return d * d
}
