package bitstream

import (
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

const (
	// maxHeader bounds what is read of a slice, in bytes. The longest header has
	// the weights of 64 references, with 13 bytes each.
	maxHeader = 2048
	// maxPPSHead bounds what is read of a PPS, in bytes.
	maxPPSHead = 128
	// maxMacroblocks bounds first_mb_in_slice (H.264, table A-1: level 6.2).
	maxMacroblocks = 139264
	// maxReferences bounds a reference list (H.264, 7.4.3).
	maxReferences = 32
	// maxCommands bounds a list of commands on references; H.264 allows less.
	maxCommands = 2*maxReferences + 2
)

// sequence is what slice headers need from their SPS.
type sequence struct {
	id             uint32
	frameNumBits   int
	pocType        uint32
	pocBits        int
	deltaPOCAlways bool // delta_pic_order_always_zero_flag
	framesOnly     bool // frame_mbs_only_flag
	gapsAllowed    bool // gaps_in_frame_num_value_allowed_flag
}

// newSequence takes what slice headers need. The colour planes are never
// separate, as the SPS was refused otherwise.
func newSequence(s *h264.SPS) (sequence, error) {
	if s.ID > 31 || s.Log2MaxFrameNumMinus4 > 12 || s.Log2MaxPicOrderCntLsbMinus4 > 12 {
		return sequence{}, errRange
	}
	return sequence{
		id: s.ID, frameNumBits: int(s.Log2MaxFrameNumMinus4) + 4, pocType: s.PicOrderCntType,
		pocBits: int(s.Log2MaxPicOrderCntLsbMinus4) + 4, deltaPOCAlways: s.DeltaPicOrderAlwaysZeroFlag,
		framesOnly: s.FrameMbsOnlyFlag, gapsAllowed: s.GapsInFrameNumValueAllowedFlag,
	}, nil
}

// picture is what slice headers need from their PPS.
type picture struct {
	known      bool
	sps        uint32
	fieldOrder bool // bottom_field_pic_order_in_frame_present_flag
	references [2]uint32
	weighted   bool   // weighted_pred_flag
	biWeighted uint32 // weighted_bipred_idc
}

// readPPS reads a PPS (H.264, 7.3.2.2) as far as slice headers need it.
func readPPS(nalu []byte) (id uint32, p picture, err error) {
	var buf [maxPPSHead]byte
	r := reader{b: unescape(buf[:], nalu[1:])}
	id = r.ue(255)
	p = picture{known: true, sps: r.ue(31)}
	r.u(1) // entropy_coding_mode_flag
	p.fieldOrder = r.flag()
	if r.ue(7) > 0 {
		return 0, p, fmt.Errorf("%w: H.264 slice groups; choose Main or High in the camera", ErrUnsupported)
	}
	p.references = [2]uint32{r.ue(maxReferences-1) + 1, r.ue(maxReferences-1) + 1}
	p.weighted = r.flag()
	p.biWeighted = r.u(2)
	r.skip(3) // QP and its offset for chroma
	r.u(2)    // deblocking_filter_control_present_flag, constrained_intra_pred_flag
	redundant := r.flag()
	if r.err != nil {
		return 0, p, fmt.Errorf("%w: PPS: %w", ErrDamaged, r.err)
	}
	if redundant {
		return 0, p, fmt.Errorf("%w: H.264 redundant pictures; choose Main or High in the camera", ErrUnsupported)
	}
	return id, p, nil
}

// errNoPPS says that a slice refers to a PPS that has not come.
var errNoPPS = errors.New("its PPS has not come")

// header is a slice header as far as it says what picture the slice is of.
type header struct {
	firstMB  uint32
	idr      bool
	ref      bool // nal_ref_idc is not 0
	frameNum uint32
	field    bool
	bottom   bool
	// reset is set for memory_management_control_operation 5; only read of the
	// first slice, with which the others of a picture agree.
	reset bool
}

const (
	sliceP = 0
	sliceB = 1
	sliceI = 2
)

// readSlice reads a slice header (H.264, 7.3.3) up to the commands on
// references, and up to the field of the picture where first is not set.
func (c *frameNumbers) readSlice(nalu []byte, first bool) (header, error) {
	r := reader{b: unescape(c.buf[:], nalu[1:])}
	h := header{idr: h264.NALUType(nalu[0]&0x1f) == h264.NALUTypeIDR, ref: nalu[0]&0x60 != 0}
	h.firstMB = r.ue(maxMacroblocks)
	typ := r.ue(9) % 5
	id := r.ue(255)
	if r.err == nil && (typ > sliceI || h.idr && (typ != sliceI || !h.ref)) {
		r.err = errRange
	}
	if r.err != nil {
		return h, r.err
	}
	pps := &c.pps[id]
	if !pps.known || pps.sps != c.seq.id {
		return h, errNoPPS
	}
	h.frameNum = r.u(c.seq.frameNumBits)
	if !c.seq.framesOnly {
		if h.field = r.flag(); h.field {
			h.bottom = r.flag()
		}
	}
	if h.idr {
		r.skip(1) // idr_pic_id
		return h, r.err
	}
	if !first || !h.ref {
		return h, r.err
	}
	c.skipOrder(&r, pps, h.field)
	lists := [2]uint32{}
	if typ != sliceI {
		lists = skipReferences(&r, pps, typ)
	}
	if pps.weighted && typ == sliceP || pps.biWeighted == 1 && typ == sliceB {
		skipWeights(&r, lists)
	}
	h.reset = readMarking(&r)
	return h, r.err
}

// skipOrder skips the picture order count.
func (c *frameNumbers) skipOrder(r *reader, pps *picture, field bool) {
	switch {
	case c.seq.pocType == 0:
		r.u(c.seq.pocBits)
	case c.seq.pocType == 1 && !c.seq.deltaPOCAlways:
		r.skip(1)
	default:
		return
	}
	if pps.fieldOrder && !field {
		r.skip(1)
	}
}

// skipReferences skips the reference lists and returns their lengths.
func skipReferences(r *reader, pps *picture, typ uint32) (lists [2]uint32) {
	n := 1 // lists
	if typ == sliceB {
		n = 2
		r.u(1) // direct_spatial_mv_pred_flag
	}
	override := r.flag()
	for i := range n {
		lists[i] = pps.references[i]
		if override {
			lists[i] = r.ue(maxReferences-1) + 1
		}
	}
	for range n { // ref_pic_list_modification, 7.3.3.1
		if !r.flag() {
			continue
		}
		for i := 0; r.ue(3) != 3; i++ {
			r.skip(1)
			if r.err != nil {
				return lists
			}
			if i == maxCommands {
				r.err = errRange
			}
		}
	}
	return lists
}

// skipWeights skips pred_weight_table (H.264, 7.3.3.2) for 4:2:0.
func skipWeights(r *reader, lists [2]uint32) {
	r.skip(2) // denominators
	for _, n := range lists {
		for range n {
			if r.flag() {
				r.skip(2)
			}
			if r.flag() {
				r.skip(4)
			}
		}
	}
}

// readMarking reads dec_ref_pic_marking (H.264, 7.3.3.3) of a picture that is
// no IDR, and reports whether it forgets all references.
func readMarking(r *reader) (reset bool) {
	if !r.flag() {
		return false
	}
	for i := 0; ; i++ {
		switch r.ue(6) {
		case 0:
			return reset
		case 1, 2, 4, 6:
			r.skip(1)
		case 3:
			r.skip(2)
		case 5:
			reset = true
		}
		if i == maxCommands {
			r.err = errRange
			return reset
		}
	}
}
