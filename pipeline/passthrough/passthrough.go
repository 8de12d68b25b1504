// Package passthrough decodes and encodes with nothing in between. It is what the
// benchmark compares redaction with, and nobody else may use it: what comes out
// shows every face. It does what anybody would do besides redacting, with the same
// decoder, and with x264's ultrafast preset as it is: the redactor foresees what x264
// analyses.
package passthrough

import (
	"fmt"

	"scrim/pipeline/decode"
	"scrim/pipeline/internal/x264"
	"scrim/redact/yuv"
)

// Transcoder decodes and encodes one video. It is not safe for concurrent use.
type Transcoder struct {
	pool yuv.Pool
	dec  *decode.Decoder
	enc  *x264.Encoder
	pts  map[int64]int64
	id   int64
	last int64
	// Frames and Bytes count what was encoded.
	Frames int
	Bytes  int64
}

// New returns a Transcoder, which the caller closes.
func New() (*Transcoder, error) {
	t := &Transcoder{pts: make(map[int64]int64)}
	var err error
	if t.dec, err = decode.New(decode.Options{Pool: &t.pool}); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	return t, nil
}

// Unit takes one access unit in Annex B form, with its time in 90 kHz ticks.
func (t *Transcoder) Unit(data []byte, pts int64) error {
	t.id++
	t.pts[t.id] = pts
	return t.dec.Decode(data, t.id, t.picture)
}

// Flush encodes what the decoder still holds.
func (t *Transcoder) Flush() error { return t.dec.Flush(t.picture) }

func (t *Transcoder) picture(p decode.Picture) error {
	defer t.pool.Put(p.Image)
	if t.enc == nil {
		enc, err := x264.New(x264.Options{Width: p.Image.Width, Height: p.Image.Height, FullRange: p.Image.FullRange})
		if err != nil {
			return fmt.Errorf("encoder: %w", err)
		}
		t.enc = enc
	}
	pts := max(t.pts[p.ID], t.last+1)
	delete(t.pts, p.ID)
	unit, err := t.enc.Encode(p.Image, pts, false)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	t.last = pts
	t.Frames++
	t.Bytes += int64(len(unit.Data))
	return nil
}

// Close frees decoder and encoder.
func (t *Transcoder) Close() {
	t.dec.Close()
	if t.enc != nil {
		t.enc.Close()
	}
}
