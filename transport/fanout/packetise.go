package fanout

import (
	"time"

	"github.com/pion/rtp/codecs"

	"scrim/transport"
)

// PayloadMTU bounds an RTP payload, in bytes. With RTP and its extensions, SRTP,
// UDP and IPv6 it stays near the 1280 bytes that every path carries: 1200 is
// what browsers themselves use.
const PayloadMTU = 1200

// Frame is one access unit, ready to be sent. It is shared among the viewers,
// who only read it.
type Frame struct {
	// Payloads are those of the RTP packets (RFC 6184).
	Payloads [][]byte
	// Stamp is the RTP timestamp, 90 kHz.
	Stamp uint32
	// Key is set when decoding can start here.
	Key bool
	// Captured is the wall-clock time of capture.
	Captured time.Time
	// Width and Height are the picture's size in pixels.
	Width, Height int
}

// packetiser turns the units of one camera into frames.
type packetiser struct {
	h264  codecs.H264Payloader
	clock clock
}

// frame returns nil for a unit that holds nothing to send.
func (p *packetiser) frame(u *transport.RedactedUnit, now time.Time) *Frame {
	payloads := p.h264.Payload(PayloadMTU, u.Data)
	if len(payloads) == 0 {
		return nil
	}
	return &Frame{
		Payloads: payloads, Stamp: p.clock.stamp(u.PTS, now), Key: u.Key, Captured: u.Captured, Width: u.Width, Height: u.Height,
	}
}

// reset forgets what belongs to a subscription that ended.
func (p *packetiser) reset() { p.h264 = codecs.H264Payloader{} }

// maxStep is the largest step of PTS, in ticks, that is taken as it is.
const maxStep = 10 * transport.ClockRate

// clock makes RTP timestamps from PTS. They are equal, until a worker that
// starts anew counts from elsewhere: a browser would wait for ever for the time
// to come that it has already seen. Then the timestamps go on from where they are.
type clock struct {
	begun  bool
	offset int64
	last   int64
	at     time.Time
}

func (c *clock) stamp(pts int64, now time.Time) uint32 {
	t := pts + c.offset
	if step := t - c.last; c.begun && (step <= 0 || step > maxStep) {
		elapsed := max(1, int64(now.Sub(c.at))*transport.ClockRate/int64(time.Second))
		t = c.last + min(elapsed, maxStep)
		c.offset = t - pts
	}
	c.begun, c.last, c.at = true, t, now
	return uint32(t)
}
