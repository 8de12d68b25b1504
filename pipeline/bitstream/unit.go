package bitstream

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

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
	// Data is the unit with nothing but SPS, PPS and slices in it, Annex B. It
	// shares memory with what was inspected where nothing had to go.
	Data []byte
	// IDR is set when the unit holds slices and all are IDR slices.
	IDR bool
	// Slices counts them; 0: the unit holds no picture.
	Slices int
	// SPS is the sequence parameter set, nil when the unit has none; a part of
	// what was inspected.
	SPS []byte
	// Width and Height are the picture's size in pixels after cropping, as the
	// SPS says it; 0 without one.
	Width, Height int

	seq   sequence // with SPS
	nalus [][]byte // those of Data
}

// Inspect checks one access unit in Annex B form. An error wraps
// ErrUnsupported or ErrDamaged, and the unit must not reach a decoder.
func Inspect(au []byte) (Info, error) {
	if len(au) > transport.MaxUnitBytes {
		return Info{}, fmt.Errorf("%w: it has %d bytes, more than %d", ErrDamaged, len(au), transport.MaxUnitBytes)
	}
	var info Info
	var kept [][]byte
	clean := true
	idr, other := 0, 0
	for n, rest := 0, au; ; n++ {
		var nalu []byte
		var err error
		nalu, rest, err = next(rest)
		if err != nil {
			return Info{}, err
		}
		if nalu == nil {
			if n == 0 {
				return Info{}, fmt.Errorf("%w: nothing is in it", ErrDamaged)
			}
			break
		}
		if n >= MaxNALUs {
			return Info{}, fmt.Errorf("%w: more than %d NAL units", ErrDamaged, MaxNALUs)
		}
		switch typ := h264.NALUType(nalu[0] & 0x1f); typ {
		case h264.NALUTypeIDR, h264.NALUTypeNonIDR:
			if idr+other == 0 && !firstOf(nalu) {
				return Info{}, fmt.Errorf("%w: its first slice is not the first of the picture", ErrDamaged)
			}
			if typ == h264.NALUTypeIDR {
				idr++
			} else {
				other++
			}
		case h264.NALUTypeSPS:
			if err := info.sps(nalu); err != nil {
				return Info{}, err
			}
		case h264.NALUTypePPS:
			if len(nalu) > maxParameterSet {
				return Info{}, fmt.Errorf("%w: PPS of %d bytes", ErrDamaged, len(nalu))
			}
			if _, _, err := readPPS(nalu); err != nil {
				return Info{}, err
			}
		case h264.NALUTypeDataPartitionA, h264.NALUTypeDataPartitionB, h264.NALUTypeDataPartitionC:
			return Info{}, fmt.Errorf("%w: H.264 data partitioning; choose Baseline, Main or High in the camera", ErrUnsupported)
		default: // SEI, delimiters and whatever else says nothing that is needed
			clean = false
			continue
		}
		kept = append(kept, nalu)
	}
	info.Slices = idr + other
	if info.Slices > MaxSlices {
		return Info{}, fmt.Errorf("%w: %d slices in a picture, more than %d; lower the number of slices in the camera", ErrUnsupported, info.Slices, MaxSlices)
	}
	info.IDR = idr > 0 && other == 0
	info.Data, info.nalus = au, kept
	if !clean {
		info.Data = join(kept)
	}
	return info, nil
}

// sps checks a sequence parameter set against the allow list.
func (i *Info) sps(nalu []byte) error {
	if len(nalu) > maxParameterSet {
		return fmt.Errorf("%w: SPS of %d bytes", ErrDamaged, len(nalu))
	}
	if i.SPS != nil && !bytes.Equal(i.SPS, nalu) {
		return fmt.Errorf("%w: two different SPS in one access unit", ErrUnsupported)
	}
	if len(nalu) < 4 {
		return fmt.Errorf("%w: SPS of %d bytes", ErrDamaged, len(nalu))
	}
	switch profile := nalu[1]; profile {
	case 66, 77, 100: // Baseline, Main, High (H.264, A.2)
	default:
		return fmt.Errorf("%w: H.264 profile %d; choose Baseline, Main or High in the camera", ErrUnsupported, profile)
	}
	var sps h264.SPS
	if err := sps.Unmarshal(nalu); err != nil {
		return fmt.Errorf("%w: SPS: %w", ErrDamaged, err)
	}
	if sps.ChromaFormatIdc != 1 || sps.BitDepthLumaMinus8 != 0 || sps.BitDepthChromaMinus8 != 0 || sps.SeparateColourPlaneFlag {
		return fmt.Errorf("%w: it is not 4:2:0 with 8 bits; choose another profile in the camera", ErrUnsupported)
	}
	seq, err := newSequence(&sps)
	if err != nil {
		return fmt.Errorf("%w: SPS: %w", ErrDamaged, err)
	}
	w, h := sps.Width(), sps.Height()
	if w < 2 || h < 2 || w > yuv.MaxWidth || h > yuv.MaxHeight {
		return fmt.Errorf("%w: %d×%d pixels, outside 2×2 … %d×%d; lower the resolution in the camera", ErrUnsupported, w, h, yuv.MaxWidth, yuv.MaxHeight)
	}
	i.SPS, i.Width, i.Height, i.seq = nalu, w, h, seq
	return nil
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
