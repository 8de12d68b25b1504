package depacketize

import (
	"bytes"
	"iter"

	"scrim/transport"
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

// NAL unit types of ITU-T H.265, table 7-1, and the packet types that RFC 7798,
// section 4.4, adds.
const (
	h265LastNonIRAP = 9 // RASL_R; up to 15 they are reserved
	h265FirstIRAP   = 16
	h265LastIRAP    = 21 // CRA_NUT; up to 31 they are reserved
	h265VPS         = 32
	h265SPS         = 33
	h265PPS         = 34
	h265AUD         = 35
	h265MaxSingle   = 47
	h265AP          = 48
	h265FU          = 49
)

// forbiddenBit of a NAL unit's first byte marks the unit as damaged (RFC 6184, section
// 5.3; RFC 7798, section 1.1.4).
const forbiddenBit = 0x80

// firstSliceBit of the byte after a slice's NAL unit header is set if the slice begins
// a picture: in H.264 first_mb_in_slice, an Exp-Golomb code, is 0; in H.265
// first_slice_segment_in_pic_flag is set.
const firstSliceBit = 0x80

// maxSetKinds is the largest number of kinds of parameter sets of a codec.
const maxSetKinds = 3

// ParameterSets are the parameter sets of each kind without start codes: SPS and PPS of
// H.264; VPS, SPS and PPS of H.265.
type ParameterSets [maxSetKinds][][]byte

// nalFormat is a codec with NAL units: H.264 (RFC 6184, packetization modes 0 and 1) or
// H.265 (RFC 7798, without decoding order numbers).
type nalFormat struct {
	name   transport.Codec
	header int // bytes of a NAL unit header
	typeOf func(b byte) byte
	// isSlice, isKey and hasFirstBit report whether a type is a slice, a slice of a
	// picture at which decoding can start, and a slice with a firstSliceBit.
	isSlice, isKey, hasFirstBit func(t byte) bool
	sets                        []byte // types of the parameter sets, in order of use
	aud                         byte
	maxSingle                   byte // the last type of a NAL unit
	aggregate, fragment         byte // types of packets
	// refragment appends the header of a fragmented NAL unit to n, made of the packet's
	// header and the type in the fragment header.
	refragment func(n, packet []byte, t byte) []byte
	block      int // see maxBlock
}

// h264 is RFC 6184. A macroblock has at most 3200 bits (H.264, section A.3.1); those of
// an interlaced picture come in pairs.
var h264 = &nalFormat{
	name: transport.H264, header: 1, typeOf: naluType,
	isSlice: func(t byte) bool { return t >= typeSlice && t <= typeIDR }, isKey: func(t byte) bool { return t == typeIDR },
	hasFirstBit: func(t byte) bool { return t == typeSlice || t == typePartitionA || t == typeIDR },
	sets:        []byte{typeSPS, typePPS}, aud: typeAUD, maxSingle: typeMaxSingle, aggregate: typeSTAPA, fragment: typeFUA,
	refragment: func(n, packet []byte, t byte) []byte { return append(n, packet[0]&0x60|t) }, block: 1024,
}

// h265 is RFC 7798. A coding tree unit has at most 5/3 of its raw 64×64 samples with
// chroma (H.265, section A.3.2), which is 10 KiB.
var h265 = &nalFormat{
	name: transport.H265, header: 2, typeOf: h265Type,
	isSlice: h265Slice, hasFirstBit: h265Slice, isKey: func(t byte) bool { return t >= h265FirstIRAP && t <= h265LastIRAP },
	sets: []byte{h265VPS, h265SPS, h265PPS}, aud: h265AUD, maxSingle: h265MaxSingle, aggregate: h265AP, fragment: h265FU,
	refragment: func(n, packet []byte, t byte) []byte { return append(n, packet[0]&0x81|t<<1, packet[1]) }, block: 10 << 10,
}

func naluType(b byte) byte { return b & 0x1f }

func h265Type(b byte) byte { return b >> 1 & 0x3f }

func h265Slice(t byte) bool { return t <= h265LastNonIRAP || t >= h265FirstIRAP && t <= h265LastIRAP }

func (f *nalFormat) codec() transport.Codec { return f.name }

func (f *nalFormat) maxBlock() int { return f.block }

// nalus iterates over the NAL units of an Annex B byte stream without copying. Leading
// bytes without a start code are a unit as well. Empty units are skipped, as are zero
// bytes before a start code and at the end (annex B.1).
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

// trimStartCode removes a leading Annex B start code, which some cameras wrongly send
// in RTP.
func trimStartCode(b []byte) []byte {
	if t := bytes.TrimLeft(b, "\x00"); len(b)-len(t) >= 2 && len(t) > 0 && t[0] == 1 {
		return t[1:]
	}
	return b
}

// continues implements payloadFormat. It is true if the first slice does not begin a
// picture, or if the payload is the middle of a fragmented slice.
func (f *nalFormat) continues(p []byte) bool {
	if len(p) <= f.header {
		return false
	}
	switch t := f.typeOf(p[0]); {
	case f.hasFirstBit(t):
		return p[f.header]&firstSliceBit == 0
	case t == f.fragment:
		if h := p[f.header]; f.hasFirstBit(f.fragmentType(h)) {
			return h&fuStart == 0 || len(p) > f.header+1 && p[f.header+1]&firstSliceBit == 0
		}
	case t == f.aggregate:
		for p = p[f.header:]; len(p) >= 2; {
			n := int(p[0])<<8 | int(p[1])
			if p = p[2:]; n == 0 || n > len(p) {
				return false
			}
			if t := f.typeOf(p[0]); f.isSlice(t) {
				return f.hasFirstBit(t) && f.continues(p[:n])
			}
			p = p[n:]
		}
	}
	return false
}

// begins implements payloadFormat.
func (f *nalFormat) begins(p []byte) bool {
	t := f.typeOf(p[0])
	if t == f.fragment && len(p) > f.header {
		t = f.fragmentType(p[f.header])
	}
	return f.isSlice(t) && !f.continues(p)
}

// fragmentType returns the type of a fragmented NAL unit from the fragment header,
// which has as many bits for it as a NAL unit header.
func (f *nalFormat) fragmentType(h byte) byte {
	if f.header == 1 {
		return h & 0x1f
	}
	return h & 0x3f
}
