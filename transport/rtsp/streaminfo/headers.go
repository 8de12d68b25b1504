package streaminfo

import (
	"encoding/binary"
	"iter"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
)

// nalHeader is the beginning of a NAL unit in a packet, or all of it if whole is set.
type nalHeader struct {
	data  []byte
	whole bool
}

// Packet and NAL unit types of RFC 6184, section 5.2, and H.264, table 7-1.
const (
	h264Slice      = 1
	h264PartitionA = 2
	h264IDR        = 5
	h264SPS        = 7
	h264PPS        = 8
	h264STAPA      = 24
	h264FUA        = 28
)

// Packet and NAL unit types of RFC 7798, section 4.4, and H.265, table 7-1.
const (
	h265LastSlice = 31
	h265FirstIRAP = 16
	h265LastIRAP  = 23
	h265SPS       = 33
	h265PPS       = 34
	h265Aggregate = 48
	h265Fragment  = 49
)

// maxHeaders bounds the NAL units of an aggregate that are read.
const maxHeaders = 64

// headers264 iterates over the NAL units that begin in a payload.
func headers264(p []byte) iter.Seq[nalHeader] {
	return func(yield func(nalHeader) bool) {
		if len(p) < 2 {
			return
		}
		switch p[0] & 0x1f {
		case h264STAPA:
			aggregate(p[1:], yield)
		case h264FUA:
			if p[1]&0x80 == 0 || len(p) < 3 {
				return
			}
			yield(nalHeader{data: append([]byte{p[0]&0x60 | p[1]&0x1f}, p[2:min(len(p), 34)]...)})
		default:
			yield(nalHeader{p, true})
		}
	}
}

// headers265 is headers264 for H.265.
func headers265(p []byte) iter.Seq[nalHeader] {
	return func(yield func(nalHeader) bool) {
		if len(p) < 3 {
			return
		}
		switch p[0] >> 1 & 0x3f {
		case h265Aggregate:
			aggregate(p[2:], yield)
		case h265Fragment:
			if p[2]&0x80 == 0 || len(p) < 4 {
				return
			}
			yield(nalHeader{data: append([]byte{p[0]&0x81 | p[2]&0x3f<<1, p[1]}, p[3:min(len(p), 34)]...)})
		default:
			yield(nalHeader{p, true})
		}
	}
}

func aggregate(p []byte, yield func(nalHeader) bool) {
	for n := 0; n < maxHeaders && len(p) > 3; n++ {
		size := int(binary.BigEndian.Uint16(p))
		if p = p[2:]; size < 2 || size > len(p) || !yield(nalHeader{p[:size], true}) {
			return
		}
		p = p[size:]
	}
}

// isB264 reads first_mb_in_slice and slice_type (H.264, 7.3.3).
func isB264(n []byte) bool {
	pos := 0
	b := n[1:min(len(n), 32)]
	if _, err := bits.ReadGolombUnsigned(b, &pos); err != nil {
		return false
	}
	typ, err := bits.ReadGolombUnsigned(b, &pos)
	return err == nil && typ%5 == 1
}
