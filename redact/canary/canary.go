package canary

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"sync"

	"scrim/redact/face"
	"scrim/redact/yuv"
)

// facePNG shows a drawn face in the middle; gen_test.go draws it.
//
//go:embed face.png
var facePNG []byte

const (
	// faceSide is the side of facePNG in pixels, faceHeight and faceWidth are the
	// parts of it that the face takes.
	faceSide   = 256
	faceHeight = 0.5
	faceWidth  = 0.37
	// share is the part of a picture's shorter side that the face's height takes,
	// and leastFace its height in pixels where that is less.
	share     = 0.2
	leastFace = 48
	// foundIoU is the least IoU of a detection with the face.
	foundIoU = 0.3
	// ground is the luma around the face.
	ground = 110
)

// Detector finds faces, as redact.Detector does.
type Detector interface {
	Detect(im *yuv.Image) ([]face.Face, error)
}

// Obscurer obscures regions, as redact.Obscurer does.
type Obscurer interface {
	Apply(im *yuv.Image, regions []face.Region) error
}

// Errors of Check. Both wrap ErrFailed.
var (
	ErrFailed   = errors.New("self-test failed")
	ErrNotFound = fmt.Errorf("%w: the detector does not find the drawn face", ErrFailed)
	ErrVisible  = fmt.Errorf("%w: the drawn face is still to be seen after it was obscured", ErrFailed)
)

// Check draws a face into a picture of the given size in pixels, at most half
// of which it takes, and reports whether the detector finds it and no longer
// finds it once its region was obscured. A picture that is too small to hold a
// face that every detector finds passes.
func Check(d Detector, o Obscurer, width, height int) error {
	if min(width, height) < 2*leastFace {
		return nil
	}
	im, err := yuv.New(width, height)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	box, err := Draw(im)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	found, err := look(d, im, box)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrFailed, err)
	case !found:
		return ErrNotFound
	}
	region := face.Region{Rect: face.Pad(box, 0.3, 0.5), Face: box, Score: 1, Source: face.Detected, Track: 1}
	if err := o.Apply(im, []face.Region{region}); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	found, err = look(d, im, box)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrFailed, err)
	case found:
		return ErrVisible
	}
	return nil
}

func look(d Detector, im *yuv.Image, box face.Box) (bool, error) {
	faces, err := d.Detect(im)
	if err != nil {
		return false, err
	}
	for _, f := range faces {
		if !f.Weak && f.Box.IoU(box) >= foundIoU {
			return true, nil
		}
	}
	return false, nil
}

// picture decodes facePNG once.
var picture = sync.OnceValues(func() (image.Image, error) { return png.Decode(bytes.NewReader(facePNG)) })

// Draw fills im with an even ground and a drawn face in the middle, and returns
// the face's box in pixels.
func Draw(im *yuv.Image) (face.Box, error) {
	src, err := picture()
	if err != nil {
		return face.Box{}, fmt.Errorf("drawn face: %w", err)
	}
	im.FullRange = false
	im.Fill(ground, 128, 128)
	h := max(share*float64(min(im.Width, im.Height)), leastFace)
	side := int(h / faceHeight)
	left, top := (im.Width-side)/2, (im.Height-side)/2
	at := func(x, y int) color.YCbCr { // of pixel x, y of the scaled face: the mean of its area
		x0, x1 := x*faceSide/side, max((x+1)*faceSide/side, x*faceSide/side+1)
		y0, y1 := y*faceSide/side, max((y+1)*faceSide/side, y*faceSide/side+1)
		var r, g, b, n uint32
		for sy := y0; sy < min(y1, faceSide); sy++ {
			for sx := x0; sx < min(x1, faceSide); sx++ {
				cr, cg, cb, _ := src.At(sx, sy).RGBA()
				r, g, b, n = r+cr>>8, g+cg>>8, b+cb>>8, n+1
			}
		}
		n = max(n, 1)
		yy, u, v := color.RGBToYCbCr(uint8(r/n), uint8(g/n), uint8(b/n)) //nolint:gosec // means of bytes
		return color.YCbCr{Y: uint8(16 + int(yy)*219/255), Cb: u, Cr: v} //nolint:gosec // limited range
	}
	for y := range side {
		for x := range side {
			px, py := left+x, top+y
			if px < 0 || py < 0 || px >= im.Width || py >= im.Height {
				continue
			}
			c := at(x, y)
			im.Y[py*im.YStride+px] = c.Y
			im.U[py/2*im.CStride+px/2], im.V[py/2*im.CStride+px/2] = c.Cb, c.Cr
		}
	}
	w := float64(side) * faceWidth
	return face.Box{X: float64(left) + (float64(side)-w)/2, Y: float64(top) + float64(side)*(1-faceHeight)/2, W: w, H: h}, nil
}
