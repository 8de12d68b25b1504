package encode

import (
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"scrim/redact"
)

// ImageQuality is the quality of JPEGs, 1 to 100.
const ImageQuality = 92

// JPEG writes a frame whose samples go from 0 to 255, without any metadata.
func JPEG(w io.Writer, f redact.Frame) error {
	im, err := ycbcr(f)
	if err != nil {
		return err
	}
	return jpeg.Encode(w, im, &jpeg.Options{Quality: ImageQuality})
}

// PNG writes a frame whose samples go from 0 to 255, opaque and without any
// metadata.
func PNG(w io.Writer, f redact.Frame) error {
	src, err := ycbcr(f)
	if err != nil {
		return err
	}
	dst := image.NewNRGBA(src.Rect)
	for y := range src.Rect.Dy() {
		for x := range src.Rect.Dx() {
			c := src.YCbCrAt(x, y)
			r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			copy(dst.Pix[dst.PixOffset(x, y):], []byte{r, g, b, 255})
		}
	}
	return png.Encode(w, dst)
}

// ycbcr returns a frame's picture as an image of package image. They share memory.
func ycbcr(f redact.Frame) (*image.YCbCr, error) {
	im := f.Image()
	if im == nil {
		return nil, ErrNoFrame
	}
	if !im.FullRange {
		return nil, errors.New("samples of an image must go from 0 to 255")
	}
	return &image.YCbCr{
		Y: im.Y, Cb: im.U, Cr: im.V, YStride: im.YStride, CStride: im.CStride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: im.Bounds(),
	}, nil
}
