package depacketize

import (
	"bytes"
	"errors"
	"fmt"
)

// Bits of the fragmentation unit header (RFC 6184, section 5.8; RFC 7798, section
// 4.4.3).
const (
	fuStart = 0x80
	fuEnd   = 0x40
)

// startCode separates NAL units in what is delivered (annex B of H.264 and H.265).
var startCode = []byte{0, 0, 0, 1}

// read implements payloadFormat: it appends the NAL units of one RTP payload.
func (f *nalFormat) read(a *Assembler, p []byte) error {
	if p[0]&forbiddenBit != 0 {
		return errors.New("NAL unit marked as damaged")
	}
	t := f.typeOf(p[0])
	if a.fragment >= 0 && t != f.fragment {
		return errors.New(reasonOpenFragment)
	}
	if len(p) < f.header {
		return errors.New("truncated packet")
	}
	switch {
	case t <= f.maxSingle:
		return f.appendNALU(a, p)
	case t == f.aggregate:
		return f.readAggregate(a, p[f.header:])
	case t == f.fragment:
		return f.readFragment(a, p)
	case f == h264 && t <= typeFUB:
		return fmt.Errorf("interleaved packet type %d", t)
	default:
		return fmt.Errorf("unknown packet type %d", t)
	}
}

// readAggregate reads a STAP-A (RFC 6184, section 5.7.1) or an aggregation packet
// (RFC 7798, section 4.4.2).
func (f *nalFormat) readAggregate(a *Assembler, p []byte) error {
	if len(p) == 0 {
		return errors.New("aggregate of nothing")
	}
	for len(p) > 0 {
		if len(p) < 2 {
			return errors.New("truncated aggregate")
		}
		n := int(p[0])<<8 | int(p[1])
		p = p[2:]
		if n == 0 && len(bytes.TrimLeft(p, "\x00")) == 0 {
			return nil // some cameras pad with zero bytes
		}
		if n == 0 || n > len(p) {
			return errors.New("truncated aggregate")
		}
		if f.typeOf(p[0]) > f.maxSingle || p[0]&forbiddenBit != 0 {
			return errors.New("aggregate of something else than NAL units")
		}
		if err := f.appendNALU(a, p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// readFragment reads an FU-A (RFC 6184, section 5.8) or an FU (RFC 7798, section
// 4.4.3). A start that is an end too is forbidden there, and sent by cameras of
// CostarHD all the same.
func (f *nalFormat) readFragment(a *Assembler, p []byte) error {
	if len(p) <= f.header {
		return errors.New("truncated fragment")
	}
	h := p[f.header]
	t := f.fragmentType(h)
	switch {
	case h&fuStart != 0:
		if a.fragment >= 0 {
			return errors.New(reasonOpenFragment)
		}
		if t > f.maxSingle {
			return errors.New("fragment of something else than a NAL unit")
		}
		a.fragment, a.fragmentType = len(a.buf), t
		a.buf = f.refragment(append(a.buf, startCode...), p, t)
	case a.fragment < 0:
		return errors.New("fragment without beginning")
	case t != a.fragmentType:
		return errors.New("fragments of different NAL units mixed")
	}
	a.buf = append(a.buf, p[f.header+1:]...)
	if h&fuEnd != 0 {
		from := a.fragment
		a.fragment = -1
		return f.note(&a.content, a.buf[from:])
	}
	return nil
}

func (f *nalFormat) appendNALU(a *Assembler, n []byte) error {
	from := len(a.buf)
	a.buf = append(append(a.buf, startCode...), trimStartCode(n)...)
	return f.note(&a.content, a.buf[from:])
}

// note records what a complete piece of the byte stream holds. TRAPS: some
// cameras put Annex B start codes inside one NAL unit or one chain of
// fragments. A valid NAL unit cannot hold 00 00 01 (H.264, section 7.4.1), so
// what is found is what the decoder will find too: there may be several.
//
// After a gap only content tells whether a unit's first packet is its first: a
// delimiter is always the first NAL unit, and nothing that matters comes before
// parameter sets (H.264, section 7.4.1.2.3; H.265, section 7.4.2.4.4). A slice of a
// key frame alone is not enough: the gap may have taken a new SPS.
func (f *nalFormat) note(c *content, stream []byte) error {
	for n := range nalus(stream) {
		if n[0]&forbiddenBit != 0 {
			return errors.New("NAL unit marked as damaged")
		}
		t := f.typeOf(n[0])
		if c.nalus == 0 {
			c.first = t
		}
		c.nalus++
		if i := bytes.IndexByte(f.sets, t); i >= 0 {
			c.sets[i] = true
		}
		if !f.isSlice(t) {
			continue
		}
		if len(n) <= f.header {
			return errors.New("truncated slice")
		}
		if c.slices == 0 {
			c.startsAtZero = f.tellsFirst(t) && n[f.header]&firstSliceBit != 0
			c.opens = c.startsAtZero && (c.first == f.aud || f.hasSets(c))
		}
		c.slices++
		c.sliceBytes += len(n)
		c.key = c.key || f.isKey(t)
	}
	return nil
}

// hasSets reports whether parameter sets of all kinds have come.
func (f *nalFormat) hasSets(c *content) bool {
	for i := range f.sets {
		if !c.sets[i] {
			return false
		}
	}
	return true
}
