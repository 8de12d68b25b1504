package rtsp

import (
	"bytes"
	"errors"
	"fmt"
)

// Bits of the fragmentation unit header (RFC 6184, section 5.8).
const (
	fuStart = 0x80
	fuEnd   = 0x40
)

// startCode separates NAL units in what is delivered (H.264, annex B).
var startCode = []byte{0, 0, 0, 1}

// read appends the NAL units of one RTP payload to the access unit.
func (a *assembler) read(p []byte) error {
	if p[0]&forbiddenBit != 0 {
		return errors.New("NAL unit marked as damaged")
	}
	t := naluType(p[0])
	if a.fragment >= 0 && t != typeFUA {
		return errors.New(reasonOpenFragment)
	}
	switch {
	case t <= typeMaxSingle:
		return a.appendNALU(p)
	case t == typeSTAPA:
		return a.readAggregate(p[1:])
	case t == typeFUA:
		return a.readFragment(p)
	case t <= typeFUB:
		return fmt.Errorf("interleaved packet type %d", t)
	default:
		return fmt.Errorf("unknown packet type %d", t)
	}
}

// readAggregate reads a STAP-A (RFC 6184, section 5.7.1).
func (a *assembler) readAggregate(p []byte) error {
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
		if naluType(p[0]) > typeMaxSingle || p[0]&forbiddenBit != 0 {
			return errors.New("aggregate of something else than NAL units")
		}
		if err := a.appendNALU(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// readFragment reads an FU-A (RFC 6184, section 5.8). A start that is an end too
// is forbidden there, and sent by cameras of CostarHD all the same.
func (a *assembler) readFragment(p []byte) error {
	if len(p) < 2 {
		return errors.New("truncated fragment")
	}
	t := naluType(p[1])
	switch {
	case p[1]&fuStart != 0:
		if a.fragment >= 0 {
			return errors.New(reasonOpenFragment)
		}
		if t > typeMaxSingle {
			return errors.New("fragment of something else than a NAL unit")
		}
		a.fragment, a.fragmentType = len(a.buf), t
		a.buf = append(append(a.buf, startCode...), p[0]&0x60|t)
	case a.fragment < 0:
		return errors.New("fragment without beginning")
	case t != a.fragmentType:
		return errors.New("fragments of different NAL units mixed")
	}
	a.buf = append(a.buf, p[2:]...)
	if p[1]&fuEnd != 0 {
		from := a.fragment
		a.fragment = -1
		return a.note(a.buf[from:])
	}
	return nil
}

func (a *assembler) appendNALU(n []byte) error {
	from := len(a.buf)
	a.buf = append(append(a.buf, startCode...), trimStartCode(n)...)
	return a.note(a.buf[from:])
}

// note records what a complete piece of the byte stream holds. TRAPS: some
// cameras put Annex B start codes inside one NAL unit or one chain of
// fragments. A valid NAL unit cannot hold 00 00 01 (H.264, section 7.4.1), so
// what is found is what the decoder will find too: there may be several.
func (a *assembler) note(stream []byte) error {
	c := &a.content
	for n := range nalus(stream) {
		if n[0]&forbiddenBit != 0 {
			return errors.New("NAL unit marked as damaged")
		}
		t := naluType(n[0])
		if c.nalus == 0 {
			c.first = t
		}
		c.nalus++
		switch {
		case t == typeSPS:
			c.sps = true
		case t == typePPS:
			c.pps = true
		case t >= typeSlice && t <= typeIDR:
			if len(n) < 2 {
				return errors.New("truncated slice")
			}
			if c.slices == 0 {
				c.startsAtZero = (t <= typePartitionA || t == typeIDR) && n[1]&firstMBZero != 0
				c.setsBeforeData = c.sps && c.pps
			}
			c.slices++
			c.sliceBytes += len(n)
			c.idr = c.idr || t == typeIDR
		}
	}
	return nil
}

// beginsPicture reports whether an RTP payload holds the beginning of a slice,
// of a picture that is not one it goes on with.
func beginsPicture(p []byte) bool {
	t := naluType(p[0])
	if t == typeFUA && len(p) > 1 {
		t = naluType(p[1])
	}
	return t >= typeSlice && t <= typeIDR && !continuesPicture(p)
}
