package bitstream

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"scrim/transport"
)

const (
	// maxSublayers bounds the temporal sub-layers (H.265, 7.4.3.2.1).
	maxSublayers = 7
	// minCTB and maxCTB bound the binary logarithm of the size of a coding tree block
	// (H.265, A.3.2).
	minCTB, maxCTB = 4, 6
	// header265 is the length of a NAL unit header.
	header265 = 2
	mainIDC   = 1 // profile Main (H.265, A.3.2)
)

// layer265 and sublayer265 read a NAL unit header: nuh_layer_id and
// nuh_temporal_id_plus1 (H.265, 7.3.1.2).
func layer265(nalu []byte) byte    { return nalu[0]&1<<5 | nalu[1]>>3 }
func sublayer265(nalu []byte) byte { return nalu[1] & 7 }

func type265(nalu []byte) h265.NALUType { return h265.NALUType(nalu[0] >> 1 & 0x3f) }

// isSlice265 reports whether a type is that of a slice, and not reserved.
func isSlice265(t h265.NALUType) bool {
	return t <= h265.NALUType_RASL_R || t >= h265.NALUType_BLA_W_LP && t <= h265.NALUType_CRA_NUT
}

func isIRAP(t h265.NALUType) bool {
	return t >= h265.NALUType_BLA_W_LP && t <= h265.NALUType_CRA_NUT
}

func isIDR265(t h265.NALUType) bool {
	return t == h265.NALUType_IDR_W_RADL || t == h265.NALUType_IDR_N_LP
}

func isBLA(t h265.NALUType) bool {
	return t >= h265.NALUType_BLA_W_LP && t <= h265.NALUType_BLA_N_LP
}

func isRASL(t h265.NALUType) bool {
	return t == h265.NALUType_RASL_N || t == h265.NALUType_RASL_R
}

func isRADL(t h265.NALUType) bool {
	return t == h265.NALUType_RADL_N || t == h265.NALUType_RADL_R
}

// first265 reports whether a slice is the first of its picture:
// first_slice_segment_in_pic_flag.
func first265(nalu []byte) bool { return len(nalu) > header265 && nalu[header265]&0x80 != 0 }

// inspect265 is Inspect for H.265.
func (i *Info) inspect265(au []byte) error {
	all, err := split(au)
	if err != nil {
		return err
	}
	var kept [][]byte
	var of h265.NALUType
	for _, nalu := range all {
		if len(nalu) < header265 || nalu[0]&0x80 != 0 || sublayer265(nalu) == 0 {
			return fmt.Errorf("%w: NAL unit header % x", ErrDamaged, nalu[:min(len(nalu), header265)])
		}
		t := type265(nalu)
		switch {
		case layer265(nalu) != 0: // an enhancement, or another view
			continue
		case isSlice265(t):
			if first265(nalu) != (i.Slices == 0) {
				return fmt.Errorf("%w: its slices are not those of one picture from its first on", ErrDamaged)
			}
			if i.Slices > 0 && t != of {
				return fmt.Errorf("%w: slices of types %d and %d in one picture", ErrDamaged, of, t)
			}
			of = t
			i.Slices++
		case t == h265.NALUType_VPS_NUT, t == h265.NALUType_SPS_NUT, t == h265.NALUType_PPS_NUT:
			if i.Slices > 0 {
				return fmt.Errorf("%w: parameter sets behind a slice", ErrDamaged)
			}
			if len(nalu) > maxParameterSet {
				return fmt.Errorf("%w: parameter set of %d bytes", ErrDamaged, len(nalu))
			}
			if err := i.set265(t, nalu); err != nil {
				return err
			}
		default: // SEI, delimiters and whatever else says nothing that is needed
			continue
		}
		kept = append(kept, nalu)
	}
	if err := checkSlices(i.Slices); err != nil {
		return err
	}
	if i.Slices > 0 {
		i.Key, i.BLA, i.RASL = isIRAP(of), isBLA(of), isRASL(of)
	}
	i.keep(au, kept, len(kept) == len(all))
	return nil
}

// set265 checks a parameter set.
func (i *Info) set265(t h265.NALUType, nalu []byte) error {
	switch t {
	case h265.NALUType_SPS_NUT:
		return i.sps265(nalu)
	case h265.NALUType_PPS_NUT:
		_, _, err := readPPS265(nalu)
		return err
	}
	return nil
}

// sps265 checks a sequence parameter set against the allow list.
func (i *Info) sps265(nalu []byte) error {
	if i.SPS != nil && !bytes.Equal(i.SPS, nalu) {
		return fmt.Errorf("%w: two different SPS in one access unit", ErrUnsupported)
	}
	var sps h265.SPS
	if err := sps.Unmarshal(nalu); err != nil {
		return spsError265(&sps, err)
	}
	if p := &sps.ProfileTierLevel; p.GeneralProfileSpace != 0 || p.GeneralProfileIdc != mainIDC && !p.GeneralProfileCompatibilityFlag[mainIDC] {
		return fmt.Errorf("%w: H.265 profile %d; choose Main in the camera", ErrUnsupported, p.GeneralProfileIdc)
	}
	if sps.ChromaFormatIdc != 1 || sps.BitDepthLumaMinus8 != 0 || sps.BitDepthChromaMinus8 != 0 {
		return fmt.Errorf("%w: it is not 4:2:0 with 8 bits; choose Main in the camera", ErrUnsupported)
	}
	if sps.PicWidthInLumaSamples > 1<<16 || sps.PicHeightInLumaSamples > 1<<16 {
		return checkSize(1<<16, 1<<16)
	}
	w, h := int64(sps.PicWidthInLumaSamples), int64(sps.PicHeightInLumaSamples)
	if err := checkSize(int(w), int(h)); err != nil {
		return err
	}
	if c := sps.ConformanceWindow; c != nil { // in samples of chroma
		w -= 2 * (int64(c.LeftOffset) + int64(c.RightOffset))
		h -= 2 * (int64(c.TopOffset) + int64(c.BottomOffset))
	}
	if w < 2 || h < 2 {
		return fmt.Errorf("%w: SPS: its window leaves nothing", ErrDamaged)
	}
	seq, err := newSequence265(&sps)
	if err != nil {
		return fmt.Errorf("%w: SPS: %w", ErrDamaged, err)
	}
	i.SPS, i.Width, i.Height, i.seq265 = nalu, int(w), int(h), seq
	return nil
}

// spsError265 tells an SPS that mediacommon v2.9 cannot read from a damaged one. It has
// no errors to tell them by; sps is as far as it was read.
func spsError265(sps *h265.SPS, err error) error {
	p := &sps.ProfileTierLevel
	switch {
	case slices.Contains(p.SubLayerProfilePresentFlag, true), slices.Contains(p.SubLayerLevelPresentFlag, true):
		return fmt.Errorf("%w: H.265 with levels of temporal sub-layers; turn SVC (temporal layers) off in the camera", ErrUnsupported)
	case sps.LongTermRefPicsPresentFlag && strings.Contains(err.Error(), "not supported"):
		return fmt.Errorf("%w: H.265 with long-term reference pictures; turn SVC (temporal layers) and smart coding (H.265+) off in the camera", ErrUnsupported)
	}
	return fmt.Errorf("%w: SPS: %w", ErrDamaged, err)
}

// AsFirst returns Data of a Key with which a decoder can start over, whatever it
// has seen before: a CRA picture becomes a BLA picture (H.265, 8.1.3), after which
// RASL pictures must be left out. Everything else is Data as it is.
func (i *Info) AsFirst() []byte {
	if i.Codec != transport.H265 || !i.Key || i.BLA || isIDR265(i.pictureType()) {
		return i.Data
	}
	changed := make([][]byte, len(i.nalus))
	for n, nalu := range i.nalus {
		if type265(nalu) == h265.NALUType_CRA_NUT {
			nalu = bytes.Clone(nalu)
			nalu[0] = nalu[0]&0x81 | byte(h265.NALUType_BLA_W_LP)<<1
		}
		changed[n] = nalu
	}
	return join(changed)
}

// Sets returns the parameter sets of an H.265 unit, in Annex B form; empty when there
// are none.
func (i *Info) Sets() []byte {
	var sets [][]byte
	for _, nalu := range i.nalus {
		if !isSlice265(type265(nalu)) {
			sets = append(sets, nalu)
		}
	}
	return join(sets)
}

// pictureType is the type of an H.265 unit's slices.
func (i *Info) pictureType() h265.NALUType {
	for _, nalu := range i.nalus {
		if t := type265(nalu); isSlice265(t) {
			return t
		}
	}
	return h265.NALUType_AUD_NUT
}
