package bitstream

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// frameNumbers is Continuity for H.264: frame_num grows with every reference
// picture (H.264, 7.4.3).
//
// What it does not see: the loss of pictures that no other refers to, which
// does no harm; the loss of as many reference pictures as frame_num has
// values (16 at least); the loss of the last ones before an IDR, at which all
// starts over; and any loss where the SPS allows gaps
// (gaps_in_frame_num_value_allowed_flag), as a stream does whose temporal
// layers may be taken out. A field without its other field counts as a loss,
// although H.264 allows it.
//
// The zero value is ready for use, and not safe for concurrent use.
type frameNumbers struct {
	sps []byte // as it came; empty: none
	seq sequence
	pps [256]picture
	buf [maxHeader]byte

	started bool
	prev    uint32 // PrevRefFrameNum
	// half is set after a field whose other field is to come: last, with the
	// frame_num that the other must have.
	half bool
	last header
}

// check is Continuity.Check.
func (c *frameNumbers) check(info Info) (reason string, err error) {
	if info.SPS != nil && !bytes.Equal(info.SPS, c.sps) {
		c.sps = append(c.sps[:0], info.SPS...)
		c.seq, c.pps, c.started, c.half = info.seq, [256]picture{}, false, false
	}
	var now header
	slices := 0
	for _, nalu := range info.nalus {
		switch h264.NALUType(nalu[0] & 0x1f) {
		case h264.NALUTypePPS:
			id, p, err := readPPS(nalu)
			if err != nil {
				return "", err
			}
			c.pps[id] = p
		case h264.NALUTypeIDR, h264.NALUTypeNonIDR:
			if len(c.sps) == 0 {
				return "", nil
			}
			h, err := c.readSlice(nalu, slices == 0 || firstOf(nalu))
			switch {
			case err != nil:
				return "", fmt.Errorf("%w: slice header: %w", ErrDamaged, err)
			case slices == 0 || h.firstMB == 0 && h.otherField(&now):
				why, err := c.next(&h)
				if err != nil {
					return "", err
				}
				reason = cmp.Or(reason, why)
			case !h.sameAs(&now) || h.firstMB <= now.firstMB:
				return "", fmt.Errorf("%w: its slices are not those of one picture in their order", ErrDamaged)
			}
			now = h
			slices++
		}
	}
	return reason, nil
}

// firstOf reports whether a slice begins with the first macroblock:
// first_mb_in_slice is 0, which is one bit.
func firstOf(nalu []byte) bool { return len(nalu) > 1 && nalu[1]&0x80 != 0 }

// otherField reports whether h is of the other field of the frame of o.
func (h *header) otherField(o *header) bool {
	return h.field && o.field && h.bottom != o.bottom
}

// sameAs reports whether two slices are of the same picture, as far as the
// header tells (H.264, 7.4.1.2.4).
func (h *header) sameAs(o *header) bool {
	return h.idr == o.idr && h.ref == o.ref && h.frameNum == o.frameNum && h.field == o.field && h.bottom == o.bottom
}

// next takes the first slice of the next picture, which may be a field.
func (c *frameNumbers) next(h *header) (reason string, err error) {
	mask := uint32(1)<<c.seq.frameNumBits - 1
	second := c.half && !h.idr && h.otherField(&c.last) && h.ref == c.last.ref && h.frameNum == c.last.frameNum
	switch due := (c.prev + 1) & mask; {
	case h.idr && h.frameNum != 0:
		return "", fmt.Errorf("%w: IDR picture with frame_num %d", ErrDamaged, h.frameNum)
	case h.idr, !c.started, second:
	case c.half, h.frameNum != due && !c.seq.gapsAllowed:
		reason = reasonMissing
	}
	c.started = true
	c.half, c.last = h.field && !second, *h
	switch {
	case h.reset: // as if it had frame_num 0 (H.264, 7.4.3)
		c.prev, c.last.frameNum = 0, 0
	case h.ref:
		c.prev = h.frameNum
	case !second: // what is missing has been noted
		c.prev = (h.frameNum - 1) & mask
	}
	return reason, nil
}
