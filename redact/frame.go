package redact

import (
	"time"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// Picture is one decoded, raw picture with its identity. It owns Image until it is
// passed to Redactor.Redact.
type Picture struct {
	Image *yuv.Image
	// Camera is the name of the camera. Epoch grows with each new decoder.
	Camera string
	Epoch  uint64
	// Generation is the generation of the gate when the unit was decoded.
	Generation uint64
	// Number counts pictures of the camera from 1, in the order of their units.
	Number uint64
	// Complete is set if nothing was lost from the last complete IDR to this picture.
	Complete bool
	// IDR is set if decoding could have started at this picture.
	IDR bool
	// Captured is the wall-clock time of capture.
	Captured time.Time
	// Time is the picture's time, by which faces, sight and background are followed; zero:
	// the time of its inspection.
	Time time.Time
}

// Frame is a picture that may be shown. Only this package makes one. The zero Frame
// holds no picture, and the encoder rejects it.
type Frame struct {
	img        *yuv.Image
	regions    []geom.Region
	inspection Inspection
	slate      bool
	reason     string
	sight      Verdict
}

// Image returns the redacted picture, which the caller must not change; nil
// for the zero Frame.
func (f Frame) Image() *yuv.Image { return f.img }

// Regions returns what was obscured: the whole picture for one from Failsafe, nil for
// any other slate.
func (f Frame) Regions() []geom.Region { return f.regions }

// Slate reports whether the frame is a slate, and why.
func (f Frame) Slate() (bool, string) { return f.slate, f.reason }

// Inspection returns the inspection of the picture; the zero Inspection for a slate.
func (f Frame) Inspection() Inspection { return f.inspection }

// Sight returns what was known about the detector's sight in the picture; the zero Verdict
// for a slate.
func (f Frame) Sight() Verdict { return f.sight }
