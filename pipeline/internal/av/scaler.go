package av

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"scrim/redact/yuv"
)

// Scaler converts decoded frames of any pixel format and size to 4:2:0 with 8
// bits. The zero value is ready; the owner closes it.
type Scaler struct {
	ctx    *astiav.SoftwareScaleContext
	out    *astiav.Frame
	w, h   int // of the input
	format astiav.PixelFormat
}

// Planes returns the picture in f in the given size. It shares memory with f or
// with the Scaler, and is valid until either is used again.
func (s *Scaler) Planes(f *astiav.Frame, width, height int) (yuv.Image, error) {
	format := f.PixelFormat()
	same := f.Width() == width && f.Height() == height
	if same && (format == astiav.PixelFormatYuv420P || format == astiav.PixelFormatYuvj420P) {
		return Planes(f)
	}
	if err := s.fit(f, width, height); err != nil {
		return yuv.Image{}, err
	}
	if err := s.ctx.ScaleFrame(f, s.out); err != nil {
		return yuv.Image{}, fmt.Errorf("convert %s: %w", format, err)
	}
	im, err := Planes(s.out)
	im.FullRange = keepsRange(format) && f.ColorRange() == astiav.ColorRangeJpeg
	return im, err
}

// keepsRange reports whether a conversion from this format keeps the range of the
// samples. From RGB, grey and "J" formats swscale makes a limited range.
func keepsRange(format astiav.PixelFormat) bool {
	n := format.Name()
	return !strings.HasPrefix(n, "yuvj") && (strings.HasPrefix(n, "yuv") || strings.HasPrefix(n, "nv") || strings.HasPrefix(n, "p0"))
}

func (s *Scaler) fit(f *astiav.Frame, width, height int) error {
	if s.ctx != nil && s.w == f.Width() && s.h == f.Height() && s.format == f.PixelFormat() &&
		s.out.Width() == width && s.out.Height() == height {
		return nil
	}
	s.Close()
	s.w, s.h, s.format = f.Width(), f.Height(), f.PixelFormat()
	var err error
	if err := yuv.CheckSize(s.w, s.h); err != nil {
		return err
	}
	s.ctx, err = astiav.CreateSoftwareScaleContext(s.w, s.h, s.format, width, height, astiav.PixelFormatYuv420P,
		astiav.NewSoftwareScaleContextFlags(astiav.SoftwareScaleContextFlagBicubic))
	if err != nil {
		return fmt.Errorf("convert %s of %d×%d: %w", s.format, s.w, s.h, err)
	}
	if s.out = astiav.AllocFrame(); s.out == nil {
		return errors.New("out of memory for conversion")
	}
	s.out.SetWidth(width)
	s.out.SetHeight(height)
	s.out.SetPixelFormat(astiav.PixelFormatYuv420P)
	if err := s.out.AllocBuffer(0); err != nil {
		return fmt.Errorf("convert %s of %d×%d: %w", s.format, s.w, s.h, err)
	}
	return nil
}

// Close frees everything; a second call does nothing.
func (s *Scaler) Close() {
	if s.out != nil {
		s.out.Free()
		s.out = nil
	}
	if s.ctx != nil {
		s.ctx.Free()
		s.ctx = nil
	}
}
