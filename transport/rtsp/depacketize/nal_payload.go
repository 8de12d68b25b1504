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

// startCode precedes each NAL unit of a delivered unit (annex B of H.264 and H.265).
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
		return errors.New("empty aggregate")
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
			return errors.New("aggregate of unknown packets")
		}
		if err := f.appendNALU(a, p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// readFragment reads an FU-A (RFC 6184, section 5.8) or an FU (RFC 7798, section
// 4.4.3). They forbid a start that is also an end; cameras of CostarHD send it.
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
			return errors.New("fragment of an unknown packet")
		}
		a.fragment, a.fragmentType = len(a.buf), t
		a.buf = f.refragment(append(a.buf, startCode...), p, t)
	case a.fragment < 0:
		return errors.New("fragment without start")
	case t != a.fragmentType:
		return errors.New("fragments of different NAL units")
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

// note records the content of a complete piece of the byte stream. Quirk (cameras):
// some put Annex B start codes into one NAL unit or one chain of fragments; see
// docs/quirks.md. A valid NAL unit cannot contain 00 00 01 (H.264, section 7.4.1), so
// the decoder finds the same units as this function.
//
// After a gap, only the content shows whether a unit's first packet was received. A
// delimiter is always the first NAL unit, and nothing relevant precedes parameter sets
// (H.264, section 7.4.1.2.3; H.265, section 7.4.2.4.4). A slice of a key frame does not
// prove it: a new SPS may be lost.
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
			c.startsAtZero = f.hasFirstBit(t) && n[f.header]&firstSliceBit != 0
			c.opens = c.startsAtZero && (c.first == f.aud || f.hasSets(c))
		}
		c.slices++
		c.sliceBytes += len(n)
		c.key = c.key || f.isKey(t)
	}
	return nil
}

// hasSets reports whether parameter sets of all kinds were received.
func (f *nalFormat) hasSets(c *content) bool {
	for i := range f.sets {
		if !c.sets[i] {
			return false
		}
	}
	return true
}
