package bitstream

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// references is Continuity for H.265: every slice names by their order counts all
// pictures that its own needs (the reference picture set, H.265, 8.3.2), so what a
// decoder keeps can be followed, and what it lacks is known before it makes it up.
// Nothing that a RASL picture alone may need counts for those after it: what is
// before an IRAP picture must not be used behind it.
//
// What it does not see: the loss of pictures that no other refers to, which does no
// harm, and the loss of all pictures from an IRAP picture up to one whose references
// have the order counts of pictures before.
//
// The zero value is ready for use, and not safe for concurrent use.
type references struct {
	sps []byte // as it came; empty: none
	seq sequence265
	pps [maxPPS + 1]picture265
	buf [maxHeader]byte

	started bool
	// noRASL is set after an IRAP picture at which decoding begins: RASL pictures
	// cannot be decoded.
	noRASL bool
	prev   int64 // order count of prevTid0Pic (H.265, 8.3.1)
	kept   [maxReferences265 + 1]reference
	n      int // of kept
}

// reference is a picture that is kept.
type reference struct {
	poc    int64
	before bool // before the last IRAP picture, in the order of decoding
	rasl   bool
}

// check is Continuity.Check.
func (c *references) check(info Info) (reason string, err error) {
	if info.SPS != nil && !bytes.Equal(info.SPS, c.sps) {
		*c = references{sps: bytes.Clone(info.SPS), seq: info.seq265}
	}
	var now, h segment
	slices := 0
	for _, nalu := range info.nalus {
		switch t := type265(nalu); {
		case t == h265.NALUType_PPS_NUT:
			id, p, err := readPPS265(nalu)
			if err != nil {
				return "", err
			}
			c.pps[id] = p
		case isSlice265(t):
			if len(c.sps) == 0 {
				return "", nil
			}
			if h, err = c.readSegment(nalu); err != nil {
				return "", fmt.Errorf("%w: slice header: %w", ErrDamaged, err)
			}
			switch {
			case slices == 0:
				if reason, err = c.next(nalu, &h); err != nil {
					return "", err
				}
				now = h
			case h.address <= now.address || !h.dependent && (h.lsb != now.lsb || h.pps != now.pps):
				return "", fmt.Errorf("%w: its slices are not those of one picture in their order", ErrDamaged)
			}
			now.address = h.address
			slices++
		}
	}
	return reason, nil
}

// next takes the first slice of the next picture.
func (c *references) next(nalu []byte, h *segment) (reason string, err error) {
	t := type265(nalu)
	key := isIRAP(t)
	if !c.started && !key || c.noRASL && isRASL(t) {
		return "", nil // it cannot be decoded, and nobody will need it
	}
	poc := c.orderCount(t, h.lsb)
	if fresh := !c.started || isIDR265(t) || isBLA(t); key {
		c.noRASL = fresh
		if fresh {
			c.n = 0
		}
		for i := range c.kept[:c.n] {
			c.kept[i].before = true
		}
	}
	c.started = true
	for _, k := range c.kept[:c.n] {
		if k.poc == poc && !key && !k.before {
			reason = reasonMissing // it comes again
		}
	}
	var kept [maxReferences265 + 1]reference
	n := 0
	need := func(used bool, is func(reference) bool) error {
		for _, k := range c.kept[:c.n] {
			if !is(k) {
				continue
			}
			if n == maxReferences265 {
				return fmt.Errorf("%w: it refers to over %d pictures", ErrDamaged, maxReferences265)
			}
			kept[n] = k
			n++
			if used && !isRASL(t) && (k.before || k.rasl) {
				break // it would be there only by chance
			}
			return nil
		}
		if used {
			reason = reasonMissing
		}
		return nil
	}
	for _, list := range [][]delta{h.refs.before, h.refs.after} {
		for _, d := range list {
			if err := need(d.used, func(k reference) bool { return k.poc == poc+int64(d.poc) }); err != nil {
				return "", err
			}
		}
	}
	mask := int64(1)<<c.seq.pocBits - 1
	for _, l := range h.long {
		is := func(k reference) bool { return k.poc == poc+l.poc }
		if l.lsb {
			is = func(k reference) bool { return k.poc&mask == l.poc }
		}
		if err := need(l.used, is); err != nil {
			return "", err
		}
	}
	if key && reason != "" {
		return "", fmt.Errorf("%w: a key frame that refers to other pictures", ErrDamaged)
	}
	kept[n] = reference{poc: poc, rasl: isRASL(t)}
	c.kept, c.n = kept, n+1
	if sublayer265(nalu) == 1 && !isRASL(t) && !isRADL(t) && (t > h265.NALUType_RSV_VCL_R15 || t&1 == 1) {
		c.prev = poc
	}
	return reason, nil
}

// orderCount derives PicOrderCntVal (H.265, 8.3.1).
func (c *references) orderCount(t h265.NALUType, lsb uint32) int64 {
	low, full := int64(lsb), int64(1)<<c.seq.pocBits
	if isIDR265(t) || isBLA(t) || !c.started {
		return low
	}
	before := c.prev & (full - 1)
	poc := c.prev - before + low
	switch {
	case low < before && before-low >= full/2:
		poc += full
	case low > before && low-before > full/2:
		poc -= full
	}
	return poc
}
