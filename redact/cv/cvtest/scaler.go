// Package cvtest scales planes with OpenCV. Tests compare package scale and the
// views of package detect with it; no program links it.
package cvtest

import (
	"errors"
	"fmt"
	"image"
	"runtime"

	"gocv.io/x/gocv"

	"scrim/redact/cv"
)

// Plane is one plane of 8-bit samples in Go memory: Height rows of Stride
// bytes; the first Width hold samples.
type Plane struct {
	Pix           []byte
	Width, Height int
	Stride        int
}

func (p Plane) check() error {
	switch {
	case p.Width < 1 || p.Height < 1 || p.Width > cv.MaxInput || p.Height > cv.MaxInput || p.Stride < p.Width:
		return fmt.Errorf("plane of %d×%d with rows of %d bytes is out of bounds", p.Width, p.Height, p.Stride)
	case len(p.Pix) < p.Stride*p.Height:
		return fmt.Errorf("plane of %d×%d with rows of %d bytes has only %d bytes", p.Width, p.Height, p.Stride, len(p.Pix))
	}
	return nil
}

// lend calls f with a matrix over the plane's own memory, which is pinned until
// then: OpenCV keeps the pointer.
func (p Plane) lend(f func(gocv.Mat) error) error {
	if err := p.check(); err != nil {
		return err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&p.Pix[0])
	whole, err := gocv.NewMatFromBytes(p.Height, p.Stride, gocv.MatTypeCV8U, p.Pix[:p.Stride*p.Height])
	if err != nil {
		return fmt.Errorf("matrix over a plane: %w", err)
	}
	defer func() { _ = whole.Close() }()
	if p.Stride == p.Width {
		return f(whole)
	}
	part := whole.Region(image.Rect(0, 0, p.Width, p.Height))
	defer func() { _ = part.Close() }()
	return f(part)
}

// Scaler scales planes to one size. It is not safe for concurrent use.
type Scaler struct {
	dst           gocv.Mat
	pix           []byte
	width, height int
}

// NewScaler returns a Scaler to width × height samples, which the caller closes.
func NewScaler(width, height int) (*Scaler, error) {
	if width < 1 || height < 1 || width > cv.MaxInput || height > cv.MaxInput {
		return nil, fmt.Errorf("scaling to %d×%d is out of bounds", width, height)
	}
	s := &Scaler{dst: gocv.NewMatWithSize(height, width, gocv.MatTypeCV8U), width: width, height: height}
	pix, err := s.dst.DataPtrUint8()
	if err != nil || len(pix) != width*height {
		s.Close()
		return nil, fmt.Errorf("memory for scaling to %d×%d: %w", width, height, err)
	}
	s.pix = pix
	return s, nil
}

// Scale returns src in the Scaler's size: averaged over areas if it shrinks,
// interpolated if it grows, copied if it has that size. The result has no padding
// between rows and is valid until the next call.
func (s *Scaler) Scale(src Plane) ([]byte, error) {
	if s.pix == nil {
		return nil, fmt.Errorf("scaler: %w", cv.ErrClosed)
	}
	how := gocv.InterpolationArea
	if src.Width < s.width || src.Height < s.height {
		how = gocv.InterpolationLinear
	}
	err := src.lend(func(m gocv.Mat) error {
		if src.Width == s.width && src.Height == s.height {
			m.CopyTo(&s.dst)
			return nil
		}
		gocv.Resize(m, &s.dst, image.Pt(s.width, s.height), 0, 0, how)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if s.dst.Rows() != s.height || s.dst.Cols() != s.width {
		return nil, errors.New("OpenCV scaled to another size")
	}
	return s.pix, nil
}

// Close frees the memory; a second call does nothing.
func (s *Scaler) Close() {
	if s.pix != nil || s.dst.Ptr() != nil {
		_ = s.dst.Close()
		s.pix = nil
	}
}
