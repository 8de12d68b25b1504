package bitstream

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

const (
	// maxReferences265 bounds the pictures that a picture may need, and those that a
	// decoder keeps (H.265, A.4.2: MaxDpbSize).
	maxReferences265 = 16
	// maxDelta bounds the difference of two pictures' order counts (H.265, 7.4.8: 15
	// bits).
	maxDelta = 1 << 15
	maxPPS   = 63
)

// delta is a picture that another refers to: by how much its order count differs,
// and whether the picture itself needs it, or only one after it.
type delta struct {
	poc  int32
	used bool
}

// refSet is a short-term reference picture set (H.265, 7.4.8): pictures that are
// shown before, nearest first, and after.
type refSet struct{ before, after []delta }

// sequence265 is what slice headers need from their SPS.
type sequence265 struct {
	id          uint32
	pocBits     int
	addressBits int
	addresses   uint32
	sets        []refSet
	longTerm    bool
}

// newSequence265 takes what slice headers need.
func newSequence265(s *h265.SPS) (sequence265, error) {
	minCB := s.Log2MinLumaCodingBlockSizeMinus3 + 3
	ctb := minCB + s.Log2DiffMaxMinLumaCodingBlockSize
	switch {
	case s.ID > 15, s.MaxSubLayersMinus1 >= maxSublayers, s.Log2MaxPicOrderCntLsbMinus4 > 12,
		s.Log2MinLumaCodingBlockSizeMinus3 > maxCTB, s.Log2DiffMaxMinLumaCodingBlockSize > maxCTB, ctb < minCTB, ctb > maxCTB,
		s.PicWidthInLumaSamples%(1<<minCB) != 0, s.PicHeightInLumaSamples%(1<<minCB) != 0:
		return sequence265{}, errRange
	}
	blocks := func(n uint32) uint32 { return (n + 1<<ctb - 1) >> ctb }
	q := sequence265{
		id: uint32(s.ID), pocBits: int(s.Log2MaxPicOrderCntLsbMinus4) + 4, longTerm: s.LongTermRefPicsPresentFlag,
		addresses: blocks(s.PicWidthInLumaSamples) * blocks(s.PicHeightInLumaSamples),
	}
	q.addressBits = bits.Len32(q.addresses - 1)
	for _, set := range s.ShortTermRefPicSets {
		r := refSet{before: deltas(set.DeltaPocS0, set.UsedByCurrPicS0Flag), after: deltas(set.DeltaPocS1, set.UsedByCurrPicS1Flag)}
		if !r.sane() {
			return sequence265{}, errRange
		}
		q.sets = append(q.sets, r)
	}
	return q, nil
}

func deltas(pocs []int32, used []bool) []delta {
	out := make([]delta, len(pocs))
	for i := range out {
		out[i] = delta{pocs[i], used[i]}
	}
	return out
}

// sane reports whether the set is within what H.265 allows.
func (r *refSet) sane() bool {
	if len(r.before)+len(r.after) > maxReferences265 {
		return false
	}
	for _, d := range r.before {
		if d.poc >= 0 || d.poc < -maxDelta {
			return false
		}
	}
	for _, d := range r.after {
		if d.poc <= 0 || d.poc > maxDelta {
			return false
		}
	}
	return true
}

// picture265 is what slice headers need from their PPS.
type picture265 struct {
	known        bool
	sps          uint32
	dependent    bool // dependent_slice_segments_enabled_flag
	outputFlag   bool // output_flag_present_flag
	reservedBits int  // num_extra_slice_header_bits
}

// readPPS265 reads a PPS (H.265, 7.3.2.3.1) as far as slice headers need it.
func readPPS265(nalu []byte) (id uint32, p picture265, err error) {
	var buf [maxPPSHead]byte
	r := reader{b: unescape(buf[:], nalu[header265:])}
	id = r.ue(maxPPS)
	p = picture265{known: true, sps: r.ue(15), dependent: r.flag(), outputFlag: r.flag(), reservedBits: int(r.u(3))}
	if r.err != nil {
		return 0, p, fmt.Errorf("%w: PPS: %w", ErrDamaged, r.err)
	}
	return id, p, nil
}

// longTerm is a long-term reference of a slice header.
type longTerm struct {
	poc  int64 // the whole order count, or its low bits
	lsb  bool  // only the low bits
	used bool
}

// segment is a slice segment header as far as it says what picture the segment
// is of, and to which pictures that refers.
type segment struct {
	pps       uint32
	address   uint32
	dependent bool
	lsb       uint32
	refs      refSet
	long      []longTerm
}

var errHidden = errors.New("pictures that are not to be shown")

// readSegment reads a slice segment header (H.265, 7.3.6.1) up to the long-term
// references.
func (c *references) readSegment(nalu []byte) (segment, error) {
	r := reader{b: unescape(c.buf[:], nalu[header265:])}
	t := type265(nalu)
	var s segment
	first := r.flag()
	if isIRAP(t) {
		r.u(1) // no_output_of_prior_pics_flag
	}
	s.pps = r.ue(maxPPS)
	if r.err != nil {
		return s, r.err
	}
	pps := &c.pps[s.pps]
	if !pps.known || pps.sps != c.seq.id {
		return s, errNoPPS
	}
	if !first {
		s.dependent = pps.dependent && r.flag()
		if s.address = r.u(c.seq.addressBits); s.address == 0 || s.address >= c.seq.addresses {
			r.err = errors.Join(r.err, errRange)
		}
	}
	if s.dependent || r.err != nil {
		return s, r.err
	}
	r.u(pps.reservedBits)
	if typ := r.ue(sliceI); r.err == nil && typ != sliceI && isIRAP(t) {
		return s, errRange
	}
	if pps.outputFlag && !r.flag() && r.err == nil {
		return s, errHidden
	}
	if isIDR265(t) {
		return s, r.err
	}
	s.lsb = r.u(c.seq.pocBits)
	if !r.flag() { // short_term_ref_pic_set_sps_flag
		s.refs = readRefSet(&r, c.seq.sets)
	} else {
		n := len(c.seq.sets)
		if n == 0 {
			return s, errRange
		}
		i := int(r.u(bits.Len(uint(n - 1)))) //nolint:gosec // at most 63
		if r.err == nil && i >= n {
			return s, errRange
		}
		if r.err == nil {
			s.refs = c.seq.sets[i]
		}
	}
	if c.seq.longTerm {
		c.readLongTerm(&r, &s)
	}
	return s, r.err
}

// readLongTerm reads the long-term references. None are in the SPS: one
// with some there was refused.
func (c *references) readLongTerm(r *reader, s *segment) {
	n := r.ue(maxReferences265)
	var cycles int64
	for range n {
		l := longTerm{poc: int64(r.u(c.seq.pocBits)), lsb: true, used: r.flag()}
		if r.flag() { // delta_poc_msb_present_flag
			cycles += int64(r.ue(1 << 28))
			l.lsb = false
			// Counted from this picture's own order count, which is not known yet.
			l.poc -= cycles<<c.seq.pocBits + int64(s.lsb)
		}
		s.long = append(s.long, l)
	}
}

// readRefSet reads a set in a slice header (H.265, 7.3.7), which may be made from
// one of those in the SPS.
func readRefSet(r *reader, sets []refSet) (out refSet) {
	if len(sets) > 0 && r.flag() { // inter_ref_pic_set_prediction_flag
		out = predictRefSet(r, sets)
	} else {
		n, m := r.ue(maxReferences265), r.ue(maxReferences265)
		read := func(n uint32, sign int32) (list []delta) {
			for poc := int32(0); n > 0 && r.err == nil; n-- {
				poc += sign * int32(r.ue(maxDelta-1)+1) //nolint:gosec // bounded
				list = append(list, delta{poc, r.flag()})
			}
			return list
		}
		out = refSet{before: read(n, -1), after: read(m, 1)}
	}
	if r.err == nil && !out.sane() {
		r.err = errRange
	}
	return out
}

// predictRefSet makes a set from another (H.265, 7.4.8, equations 7-61 and 7-62).
func predictRefSet(r *reader, sets []refSet) (out refSet) {
	back := r.ue(uint32(len(sets)-1)) + 1 //nolint:gosec // at most 64
	negative := r.flag()
	shift := int32(r.ue(maxDelta-1) + 1) //nolint:gosec // bounded
	if r.err != nil {
		return out
	}
	if negative {
		shift = -shift
	}
	from := sets[len(sets)-int(back)]
	// What it is made of, in the order of the flags: the pictures of the other set, and
	// that whose set it is.
	all := append(append(append([]delta(nil), from.before...), from.after...), delta{})
	keep := make([]bool, len(all))
	for i := range all {
		all[i].poc += shift
		all[i].used = r.flag()
		keep[i] = all[i].used || r.flag()
	}
	n, own := len(from.before), len(all)-1
	add := func(list *[]delta, i int, sign int32) {
		if keep[i] && all[i].poc*sign > 0 {
			*list = append(*list, all[i])
		}
	}
	for i := own - 1; i >= n; i-- {
		add(&out.before, i, -1)
	}
	add(&out.before, own, -1)
	for i := range n {
		add(&out.before, i, -1)
	}
	for i := n - 1; i >= 0; i-- {
		add(&out.after, i, 1)
	}
	add(&out.after, own, 1)
	for i := n; i < own; i++ {
		add(&out.after, i, 1)
	}
	return out
}
