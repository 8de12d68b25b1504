package yuv

import (
	"fmt"
	"image"
)

// MaxWidth and MaxHeight bound a camera's picture, in pixels, and MaxSide either
// side of a photograph.
const (
	MaxWidth  = 4096
	MaxHeight = 2304
	MaxSide   = 8192
)

// CheckSize reports why there can be no picture of the given size in pixels.
func CheckSize(width, height int) error {
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide {
		return fmt.Errorf("picture size %d×%d is outside 1×1 … %d×%d", width, height, MaxSide, MaxSide)
	}
	return nil
}

// CheckCameraSize reports why a camera's picture, or one that was turned, cannot have the
// given size in pixels.
func CheckCameraSize(width, height int) error {
	if min(width, height) < 2 || max(width, height) > MaxWidth || min(width, height) > MaxHeight {
		return fmt.Errorf("picture size %d×%d is outside 2×2 … %d×%d, or %d×%d", width, height, MaxWidth, MaxHeight, MaxHeight, MaxWidth)
	}
	return nil
}

// Image is a picture in planar YUV 4:2:0, 8 bits a sample. The chroma planes are half as wide
// and half as high as the luma plane, rounded up. An Image is not safe for
// concurrent writing.
type Image struct {
	Width, Height int
	// Y has Height rows of YStride bytes; U and V have ChromaHeight rows of
	// CStride bytes.
	Y, U, V          []byte
	YStride, CStride int
	// FullRange is set when samples go from 0 to 255 (JPEG) instead of from 16
	// to 235 and 240 (BT.601, BT.709).
	FullRange bool
}

const strideAlign = 64

// New returns an Image of the given size in pixels, all samples zero, with
// rows aligned to 64 bytes. It fails when CheckSize does.
func New(width, height int) (*Image, error) {
	if err := CheckSize(width, height); err != nil {
		return nil, err
	}
	im := &Image{Width: width, Height: height}
	im.YStride = align(width)
	im.CStride = align(im.ChromaWidth())
	ySize, cSize := im.YStride*height, im.CStride*im.ChromaHeight()
	mem := make([]byte, ySize+2*cSize)
	im.Y = mem[:ySize:ySize]
	im.U = mem[ySize : ySize+cSize : ySize+cSize]
	im.V = mem[ySize+cSize:]
	return im, nil
}

func align(n int) int { return (n + strideAlign - 1) &^ (strideAlign - 1) }

// ChromaWidth returns the width of the U and V planes in samples.
func (im *Image) ChromaWidth() int { return (im.Width + 1) / 2 }

// ChromaHeight returns the height of the U and V planes in samples.
func (im *Image) ChromaHeight() int { return (im.Height + 1) / 2 }

// Bounds returns the picture's rectangle, in pixels, with its origin at 0, 0.
func (im *Image) Bounds() image.Rectangle { return image.Rect(0, 0, im.Width, im.Height) }

// Fill sets every sample to one colour.
func (im *Image) Fill(y, u, v byte) {
	fill(im.Y, y)
	fill(im.U, u)
	fill(im.V, v)
}

// CopyFrom copies the samples of src, which must have the same size; strides
// may differ.
func (im *Image) CopyFrom(src *Image) error {
	if im.Width != src.Width || im.Height != src.Height {
		return fmt.Errorf("copy of a %d×%d picture into one of %d×%d", src.Width, src.Height, im.Width, im.Height)
	}
	im.FullRange = src.FullRange
	copyPlane(im.Y, im.YStride, src.Y, src.YStride, im.Width, im.Height)
	copyPlane(im.U, im.CStride, src.U, src.CStride, im.ChromaWidth(), im.ChromaHeight())
	copyPlane(im.V, im.CStride, src.V, src.CStride, im.ChromaWidth(), im.ChromaHeight())
	return nil
}

// Clone returns a copy with memory of its own.
func (im *Image) Clone() *Image {
	c := *im
	c.Y = append([]byte(nil), im.Y...)
	c.U = append([]byte(nil), im.U...)
	c.V = append([]byte(nil), im.V...)
	return &c
}

func fill(b []byte, v byte) {
	if len(b) == 0 {
		return
	}
	b[0] = v
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

func copyPlane(dst []byte, dstStride int, src []byte, srcStride, width, height int) {
	if dstStride == srcStride {
		n := dstStride*(height-1) + width
		copy(dst[:n], src[:n])
		return
	}
	for y := range height {
		copy(dst[y*dstStride:y*dstStride+width], src[y*srcStride:y*srcStride+width])
	}
}
