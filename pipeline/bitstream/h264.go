package bitstream

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// inspect264 is Inspect for H.264.
func (i *Info) inspect264(au []byte) error {
	all, err := split(au)
	if err != nil {
		return err
	}
	var kept [][]byte
	idr, other := 0, 0
	for _, nalu := range all {
		switch typ := h264.NALUType(nalu[0] & 0x1f); typ {
		case h264.NALUTypeIDR, h264.NALUTypeNonIDR:
			if idr+other == 0 && !firstOf(nalu) {
				return fmt.Errorf("%w: its first slice is not the first of the picture", ErrDamaged)
			}
			if typ == h264.NALUTypeIDR {
				idr++
			} else {
				other++
			}
		case h264.NALUTypeSPS:
			if err := i.sps264(nalu); err != nil {
				return err
			}
		case h264.NALUTypePPS:
			if len(nalu) > maxParameterSet {
				return fmt.Errorf("%w: PPS of %d bytes", ErrDamaged, len(nalu))
			}
			if _, _, err := readPPS(nalu); err != nil {
				return err
			}
		case h264.NALUTypeDataPartitionA, h264.NALUTypeDataPartitionB, h264.NALUTypeDataPartitionC:
			return fmt.Errorf("%w: H.264 data partitioning; choose Baseline, Main or High in the camera", ErrUnsupported)
		default: // SEI, delimiters and whatever else says nothing that is needed
			continue
		}
		kept = append(kept, nalu)
	}
	i.Slices = idr + other
	if err := checkSlices(i.Slices); err != nil {
		return err
	}
	i.Key = idr > 0 && other == 0
	i.keep(au, kept, len(kept) == len(all))
	return nil
}

// sps264 checks a sequence parameter set against the allow list.
func (i *Info) sps264(nalu []byte) error {
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
	if err := checkSize(w, h); err != nil {
		return err
	}
	i.SPS, i.Width, i.Height, i.seq = nalu, w, h, seq
	return nil
}
