package decode

import (
	"encoding/binary"
	"fmt"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/bitstream"
	"scrim/transport"
)

// avcHead is the length of an avcC record up to its parameter sets (ISO/IEC
// 14496-15, 5.3.3.1).
const avcHead = 6

// avcCheck detects lost pictures in H.264, which FFmpeg conceals.
type avcCheck struct {
	continuity bitstream.Continuity
	// prefix is the size of the lengths before NAL units; 0: Annex B.
	prefix int
	known  bool // an SPS was accepted
	begun  bool // and a picture after it
	buf    []byte
}

// newAVCCheck returns a check for a stream with these parameters of the container.
// An error wraps bitstream.ErrUnsupported: this stream cannot be checked.
func newAVCCheck(extra []byte) (*avcCheck, error) {
	c := new(avcCheck)
	return c, c.parameters(extra)
}

// parameters reads parameter sets in the form of a container.
func (c *avcCheck) parameters(extra []byte) error {
	if len(extra) == 0 {
		return nil
	}
	b := extra
	if extra[0] == 1 {
		if len(extra) <= avcHead {
			return fmt.Errorf("%w: its avcC record is cut off", bitstream.ErrUnsupported)
		}
		c.prefix = int(extra[4]&3) + 1
		b = c.sets(extra)
	}
	if len(b) == 0 {
		return nil
	}
	info, err := bitstream.Inspect(transport.H264, b)
	if err == nil {
		_, err = c.continuity.Check(info)
		c.known = c.known || info.SPS != nil
	}
	if err != nil {
		return fmt.Errorf("%w: parameter sets: %w", bitstream.ErrUnsupported, err)
	}
	return nil
}

// sets returns the parameter sets of an avcC record as Annex B.
func (c *avcCheck) sets(extra []byte) []byte {
	c.buf = c.buf[:0]
	counts := []int{int(extra[5] & 0x1f), -1}
	b := extra[avcHead:]
	for _, n := range counts {
		if n < 0 {
			if len(b) == 0 {
				break
			}
			n, b = int(b[0]), b[1:]
		}
		for range n {
			if len(b) < 2 {
				return c.buf
			}
			size := int(binary.BigEndian.Uint16(b))
			b = b[2:]
			if size > len(b) {
				return c.buf
			}
			c.add(b[:size])
			b = b[size:]
		}
	}
	return c.buf
}

// add adds a NAL unit to c.buf unless it is empty.
func (c *avcCheck) add(nalu []byte) {
	if len(nalu) > 0 {
		c.buf = append(append(c.buf, 0, 0, 0, 1), nalu...)
	}
}

// check checks the next packet in decoding order. picture is set if it holds one;
// reason and err are those of bitstream.Continuity.
func (c *avcCheck) check(p *astiav.Packet) (picture bool, reason string, err error) {
	if extra := p.SideData(astiav.PacketSideDataTypeNewExtradata); len(extra) > 0 {
		if err := c.parameters(extra); err != nil {
			return false, "", err
		}
	}
	au, err := c.annexB(p.Data())
	if err != nil {
		return false, "", err
	}
	info, err := bitstream.Inspect(transport.H264, au)
	if err != nil {
		return false, "", err
	}
	if reason, err = c.continuity.Check(info); err != nil {
		return false, "", err
	}
	c.known = c.known || info.SPS != nil
	c.begun = c.begun || c.known && info.Slices > 0
	return info.Slices > 0, reason, nil
}

// annexB returns a packet as Annex B; valid until the next call.
func (c *avcCheck) annexB(b []byte) ([]byte, error) {
	if c.prefix == 0 {
		return b, nil
	}
	c.buf = c.buf[:0]
	for len(b) > 0 {
		if len(b) < c.prefix {
			return nil, fmt.Errorf("%w: %d bytes are left over", bitstream.ErrDamaged, len(b))
		}
		size := 0
		for _, v := range b[:c.prefix] {
			size = size<<8 | int(v)
		}
		b = b[c.prefix:]
		if size > len(b) {
			return nil, fmt.Errorf("%w: a NAL unit is cut off", bitstream.ErrDamaged)
		}
		c.add(b[:size])
		b = b[size:]
	}
	return c.buf, nil
}
