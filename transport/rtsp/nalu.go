package rtsp

import (
	"bytes"
	"iter"
)

// NAL unit types of ITU-T H.264, table 7-1, and the packet types that RFC 6184,
// section 5.2, adds.
const (
	typeSlice      = 1
	typePartitionA = 2
	typeIDR        = 5
	typeSPS        = 7
	typePPS        = 8
	typeAUD        = 9
	typeMaxSingle  = 23
	typeSTAPA      = 24
	typeFUA        = 28
	typeFUB        = 29
)

// forbiddenBit of a NAL unit's first byte says that the unit is known to be
// damaged (RFC 6184, section 5.3).
const forbiddenBit = 0x80

// firstMBZero of a slice's second byte is set when first_mb_in_slice, an
// Exp-Golomb code, is 0: the slice begins a picture.
const firstMBZero = 0x80

func naluType(b byte) byte { return b & 0x1f }

// nalus iterates over the NAL units of an Annex B byte stream without copying.
// Leading bytes without a start code are a unit too; empty ones are left out,
// as are zero bytes before a start code and at the end (H.264, annex B.1).
func nalus(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n, rest := b, []byte(nil)
			if i := bytes.Index(b, []byte{0, 0, 1}); i >= 0 {
				n, rest = b[:i], b[i+3:]
			}
			b = rest
			if n = bytes.TrimRight(n, "\x00"); len(n) > 0 && !yield(n) {
				return
			}
		}
	}
}

// trimStartCode removes an Annex B start code at the beginning: some cameras
// put it into RTP, where it does not belong.
func trimStartCode(b []byte) []byte {
	if t := bytes.TrimLeft(b, "\x00"); len(b)-len(t) >= 2 && len(t) > 0 && t[0] == 1 {
		return t[1:]
	}
	return b
}

// continuesPicture reports whether an RTP payload goes on with a picture that
// began before it: its first slice does not start at macroblock 0, or it is the
// middle of a fragmented unit.
func continuesPicture(p []byte) bool {
	if len(p) < 2 {
		return false
	}
	switch t := naluType(p[0]); t {
	case typeSlice, typePartitionA, typeIDR:
		return p[1]&firstMBZero == 0
	case typeFUA:
		switch naluType(p[1]) {
		case typeSlice, typePartitionA, typeIDR:
			return p[1]&fuStart == 0 || (len(p) > 2 && p[2]&firstMBZero == 0)
		}
	case typeSTAPA:
		for p = p[1:]; len(p) >= 2; {
			n := int(p[0])<<8 | int(p[1])
			if p = p[2:]; n == 0 || n > len(p) {
				return false
			}
			if t := naluType(p[0]); t >= typeSlice && t <= typeIDR {
				return continuesPicture(p[:n])
			}
			p = p[n:]
		}
	}
	return false
}
