package decode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // images are JPEG and PNG
	_ "image/png"
	"io"
	"os"

	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
)

// MaxImageBytes is the maximum size of an image file.
const MaxImageBytes = 256 << 20

// Image reads a JPEG or PNG file and turns it as it says, and then by r. told is set if the
// file asks for a turn. Samples go from 0 to 255. Transparent parts become white.
func Image(path string, r geom.Rotation) (im *yuv.Image, told bool, err error) {
	data, err := readImage(path)
	if err != nil {
		return nil, false, err
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, false, fmt.Errorf("read image: %w", err)
	}
	if err := yuv.CheckSize(c.Width, c.Height); err != nil { // before memory is allocated
		return nil, false, err
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, false, fmt.Errorf("read image: %w", err)
	}
	im, err = convertImage(src)
	if err != nil {
		return nil, false, err
	}
	o := imageOrientation(data)
	told = o != rotate.Orientation{}
	if o = o.Then(rotate.By(r)); o == (rotate.Orientation{}) {
		return im, told, nil
	}
	turned, err := yuv.New(o.Size(im.Width, im.Height))
	if err != nil {
		return nil, told, err
	}
	return turned, told, o.Image(turned, im)
}

func readImage(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the user named it
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, MaxImageBytes+1))
	if err == nil && len(data) > MaxImageBytes {
		err = fmt.Errorf("image of over %d MiB", MaxImageBytes>>20)
	}
	return data, err
}

// convertImage converts an image to 4:2:0.
func convertImage(src image.Image) (*yuv.Image, error) {
	b := src.Bounds()
	im, err := yuv.New(b.Dx(), b.Dy())
	if err != nil {
		return nil, err
	}
	im.FullRange = true
	at := func(x, y int) color.YCbCr {
		c := color.NRGBAModel.Convert(src.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
		over := func(v uint8) uint8 { return uint8((int(v)*int(c.A) + 255*(255-int(c.A)) + 127) / 255) } //nolint:gosec // at most 255
		y8, cb, cr := color.RGBToYCbCr(over(c.R), over(c.G), over(c.B))
		return color.YCbCr{Y: y8, Cb: cb, Cr: cr}
	}
	switch s := src.(type) {
	case *image.YCbCr:
		at = func(x, y int) color.YCbCr { return s.YCbCrAt(b.Min.X+x, b.Min.Y+y) }
	case *image.Gray:
		at = func(x, y int) color.YCbCr { return color.YCbCr{Y: s.GrayAt(b.Min.X+x, b.Min.Y+y).Y, Cb: 128, Cr: 128} }
	}
	for cy := range im.ChromaHeight() {
		for cx := range im.ChromaWidth() {
			n, cb, cr := 0, 0, 0
			for y := 2 * cy; y < min(2*cy+2, im.Height); y++ {
				for x := 2 * cx; x < min(2*cx+2, im.Width); x++ {
					c := at(x, y)
					im.Y[y*im.YStride+x] = c.Y
					n, cb, cr = n+1, cb+int(c.Cb), cr+int(c.Cr)
				}
			}
			im.U[cy*im.CStride+cx] = byte((cb + n/2) / n) //nolint:gosec // a mean of bytes
			im.V[cy*im.CStride+cx] = byte((cr + n/2) / n) //nolint:gosec // a mean of bytes
		}
	}
	return im, nil
}
