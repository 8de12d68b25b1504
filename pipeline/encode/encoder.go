package encode

import (
	"errors"
	"time"

	"scrim/pipeline/internal/x264"
	"scrim/redact"
)

// Options are an Encoder's settings.
type Options struct {
	// Bitrate is the ceiling in bit/s; 0 chooses by picture size.
	Bitrate int
	// Preset is x264's; empty means ultrafast.
	Preset string
	// KeyframeInterval is the longest time between key frames; 0 means 2 s.
	KeyframeInterval time.Duration
	// FullRange says that samples go from 0 to 255.
	FullRange bool
}

// Unit is one coded access unit.
type Unit struct {
	// Data is in Annex B form and the receiver's.
	Data []byte
	// Key is set when decoding can start here.
	Key bool
}

// Encoder codes the frames of one camera, of one size. It is not safe for
// concurrent use.
type Encoder struct{ x *x264.Encoder }

// ErrNoFrame is returned for the zero redact.Frame.
var ErrNoFrame = errors.New("frame holds no picture")

// New returns an Encoder for pictures of the given size in pixels, which the
// caller closes. Both must be even.
func New(width, height int, o Options) (*Encoder, error) {
	x, err := x264.New(x264.Options{
		Width: width, Height: height, Bitrate: o.Bitrate, Preset: o.Preset,
		KeyframeInterval: o.KeyframeInterval, FullRange: o.FullRange,
		// Slower presets are chosen for their quality, and x264's
		// analysis is part of it.
		Predict: o.Preset == "" || o.Preset == "ultrafast",
	})
	if err != nil {
		return nil, err
	}
	return &Encoder{x: x}, nil
}

// Encode codes one frame. pts is in 90 kHz ticks and must grow; key asks for a
// key frame. The frame's picture is not kept.
func (e *Encoder) Encode(f redact.Frame, pts int64, key bool) (Unit, error) {
	if f.Image() == nil {
		return Unit{}, ErrNoFrame
	}
	p, err := e.x.Encode(f.Image(), pts, key)
	if err != nil {
		return Unit{}, err
	}
	return Unit{Data: p.Data, Key: p.Key}, nil
}

// Codec returns the codec string of RFC 6381; empty before the first frame.
func (e *Encoder) Codec() string { return e.x.Codec() }

// Close frees the encoder; a second call does nothing.
func (e *Encoder) Close() { e.x.Close() }
