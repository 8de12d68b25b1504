package av

import (
	"fmt"

	"github.com/asticode/go-astiav"
)

// paddingBytes is AV_INPUT_BUFFER_PADDING_SIZE: libavcodec's bit readers read
// this far behind the data.
const paddingBytes = 64

// Packet feeds a decoder. It has one owner, who closes it.
type Packet struct {
	p   *astiav.Packet
	buf []byte
}

// NewPacket returns an empty Packet.
func NewPacket() *Packet { return &Packet{p: astiav.AllocPacket()} }

// Set replaces the content by a copy of data with pts. go-astiav's FromData
// alone adds no padding, which is a heap over-read in avcodec_send_packet; so
// zeros are appended and the true size is set afterwards. No other place in
// Scrim calls FromData.
func (p *Packet) Set(data []byte, pts int64) error {
	p.p.Unref()
	p.buf = append(p.buf[:0], data...)
	var zeros [paddingBytes]byte
	p.buf = append(p.buf, zeros[:]...)
	if err := p.p.FromData(p.buf); err != nil {
		return fmt.Errorf("allocate packet of %d bytes: %w", len(data), err)
	}
	p.p.SetSize(len(data))
	p.p.SetPts(pts)
	p.p.SetDts(pts)
	return nil
}

// AV returns the packet for a call into libavcodec.
func (p *Packet) AV() *astiav.Packet { return p.p }

// Close frees the packet.
func (p *Packet) Close() {
	if p.p != nil {
		p.p.Free()
		p.p = nil
	}
}
