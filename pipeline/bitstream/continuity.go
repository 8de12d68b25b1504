package bitstream

import "scrim/transport"

// reasonMissing means that a picture does not follow the one before.
const reasonMissing = "pictures are missing"

// Continuity tells from the access units themselves whether reference pictures are
// missing between them. A recorder or relay that drops pictures numbers its RTP
// packets again, and a decoder makes up what it lacks without an error. Of H.264
// frame_num shows it, of H.265 the reference picture sets; JPEG images refer to
// nothing.
//
// The zero value is ready for use, and not safe for concurrent use.
type Continuity struct {
	codec transport.Codec
	h264  frameNumbers
	h265  references
}

// Check takes the next access unit in decoding order, whether it will be
// decoded or not. The reason is not empty when something before it is missing,
// and made for viewers; the unit itself may be whole, and a Key never has
// one. An error wraps ErrDamaged: the unit must not reach a decoder, which can
// then do nothing with those up to the next Key; Check need not say so again.
// Before the first SPS there is neither. A unit of another codec starts over.
func (c *Continuity) Check(info Info) (reason string, err error) {
	if info.Codec != c.codec {
		*c = Continuity{codec: info.Codec}
	}
	switch info.Codec {
	case transport.H264:
		return c.h264.check(info)
	case transport.H265:
		return c.h265.check(info)
	}
	return "", nil
}
