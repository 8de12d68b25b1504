package bitstream

import (
	"bytes"
	"errors"
	"fmt"

	"scrim/redact/yuv"
	"scrim/transport"
)

const (
	// MaxSlices bounds the slices of a picture.
	MaxSlices = 64
	// MaxNALUs bounds the NAL units of an access unit.
	MaxNALUs = 256
	// maxParameterSet bounds an SPS or PPS, in bytes.
	maxParameterSet = 4096
)

// ErrUnsupported is wrapped by errors about video that is sound and yet not
// accepted; another setting in the camera mends it.
var ErrUnsupported = errors.New("video is not supported")

// ErrDamaged is wrapped by errors about bytes that are no access unit.
var ErrDamaged = errors.New("damaged access unit")

// Info is what an access unit holds.
type Info struct {
	// Codec of Data.
	Codec transport.Codec
	// Data is the unit with nothing in it but what a decoder needs: parameter sets and
	// slices in Annex B form, or a JPEG image without comments and application data.
	// It shares memory with what was inspected where nothing had to go.
	Data []byte
	// Key is set when decoding can start here: the unit holds slices, and all are of
	// an IDR picture (H.264) or of an IRAP picture (H.265). A JPEG image always is one.
	Key bool
	// RASL is set for an H.265 picture that can be decoded only when decoding has
	// begun before the last Key, and when that is no BLA picture (H.265, 3.117).
	RASL bool
	// BLA is set for a Key after which RASL pictures cannot be decoded (H.265, 3.12).
	BLA bool
	// Slices counts them; 0: the unit holds no picture.
	Slices int
	// SPS is the sequence parameter set, nil when the unit has none; of a JPEG image
	// its frame header. With another one a new decoder begins. It is a part of what
	// was inspected.
	SPS []byte
	// Width and Height are the picture's size in pixels after cropping, as the
	// SPS says it; 0 without one.
	Width, Height int

	seq    sequence    // of H.264, with SPS
	seq265 sequence265 // of H.265, with SPS
	nalus  [][]byte    // those of Data
}

// Inspect checks one access unit of a codec, in the form that the codec's doc
// comment says. An error wraps ErrUnsupported or ErrDamaged, and the unit must not
// reach a decoder.
func Inspect(codec transport.Codec, au []byte) (Info, error) {
	if len(au) > transport.MaxUnitBytes {
		return Info{}, fmt.Errorf("%w: it has %d bytes, more than %d", ErrDamaged, len(au), transport.MaxUnitBytes)
	}
	info := Info{Codec: codec}
	var err error
	switch codec {
	case transport.H264:
		err = info.inspect264(au)
	case transport.H265:
		err = info.inspect265(au)
	case transport.MJPEG:
		err = info.inspectJPEG(au)
	default:
		err = fmt.Errorf("%w: codec %s", ErrUnsupported, codec)
	}
	if err != nil {
		return Info{}, err
	}
	return info, nil
}

// keep sets Data to those NAL units of au that are kept.
func (i *Info) keep(au []byte, kept [][]byte, all bool) {
	i.Data, i.nalus = au, kept
	if !all {
		i.Data = join(kept)
	}
}

// checkSlices bounds the slices of a picture.
func checkSlices(n int) error {
	if n > MaxSlices {
		return fmt.Errorf("%w: %d slices in a picture, more than %d; lower the number of slices in the camera", ErrUnsupported, n, MaxSlices)
	}
	return nil
}

// checkSize bounds the size of pictures.
func checkSize(w, h int) error {
	if w < 2 || h < 2 || w > yuv.MaxWidth || h > yuv.MaxHeight {
		return fmt.Errorf("%w: %d×%d pixels, outside 2×2 … %d×%d; lower the resolution in the camera", ErrUnsupported, w, h, yuv.MaxWidth, yuv.MaxHeight)
	}
	return nil
}

// split cuts an Annex B stream into its NAL units.
func split(au []byte) (nalus [][]byte, err error) {
	for rest := au; ; {
		var nalu []byte
		if nalu, rest, err = next(rest); err != nil {
			return nil, err
		}
		switch {
		case nalu == nil && len(nalus) == 0:
			return nil, fmt.Errorf("%w: nothing is in it", ErrDamaged)
		case nalu == nil:
			return nalus, nil
		case len(nalus) >= MaxNALUs:
			return nil, fmt.Errorf("%w: more than %d NAL units", ErrDamaged, MaxNALUs)
		}
		nalus = append(nalus, nalu)
	}
}

// next cuts the first NAL unit off an Annex B stream; nil at its end.
func next(b []byte) (nalu, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, nil
	}
	start := startCode(b)
	if start == 0 {
		return nil, nil, fmt.Errorf("%w: no start code", ErrDamaged)
	}
	b = b[start:]
	end := bytes.Index(b, []byte{0, 0, 1})
	if end < 0 {
		end = len(b)
	}
	// Zeros before a start code belong to it (H.264, B.1.1: zero_byte and
	// trailing_zero_8bits).
	nalu = bytes.TrimRight(b[:end], "\x00")
	if len(nalu) == 0 {
		return nil, nil, fmt.Errorf("%w: empty NAL unit", ErrDamaged)
	}
	return nalu, b[len(nalu):][zeros(b[len(nalu):], end == len(b)):], nil
}

// zeros returns how many trailing zeros to skip: all at the end of the stream,
// none before a start code, where startCode takes them.
func zeros(b []byte, atEnd bool) int {
	if atEnd {
		return len(b)
	}
	return 0
}

// startCode returns the length of the start code at the front of b with its
// leading zeros; 0 when there is none.
func startCode(b []byte) int {
	for i, c := range b {
		switch {
		case c == 1 && i >= 2:
			return i + 1
		case c != 0:
			return 0
		}
	}
	return 0
}

// join writes NAL units as Annex B.
func join(nalus [][]byte) []byte {
	n := 0
	for _, u := range nalus {
		n += 4 + len(u)
	}
	out := make([]byte, 0, n)
	for _, u := range nalus {
		out = append(out, 0, 0, 0, 1)
		out = append(out, u...)
	}
	return out
}
