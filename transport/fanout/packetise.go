package fanout

import (
	"time"

	"github.com/pion/rtp/codecs"

	"scrim/transport"
)

// PayloadMTU bounds an RTP payload, in bytes. With RTP and its extensions, SRTP, UDP
// and IPv6 a packet stays near the 1280 bytes that every path carries. Browsers use
// 1200 too.
const PayloadMTU = 1200

// Frame is one access unit, ready to send. All viewers share it and must not change it.
type Frame struct {
	// Payloads are the payloads of the RTP packets (RFC 6184).
	Payloads [][]byte
	// Stamp is the RTP timestamp in 90 kHz ticks.
	Stamp uint32
	// Key is set if decoding can start here.
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

// frame returns nil for a unit without anything to send.
func (p *packetiser) frame(u *transport.RedactedUnit, now time.Time) *Frame {
	payloads := p.h264.Payload(PayloadMTU, u.Data)
	if len(payloads) == 0 {
		return nil
	}
	return &Frame{
		Payloads: payloads, Stamp: p.clock.stamp(u.PTS, now), Key: u.Key, Captured: u.Captured, Width: u.Width, Height: u.Height,
	}
}

// reset forgets the parameter sets of a subscription that has ended.
func (p *packetiser) reset() { p.h264 = codecs.H264Payloader{} }

// maxStep is the largest step of PTS, in ticks, that is kept.
const maxStep = 10 * transport.ClockRate

// clock makes RTP timestamps from PTS. They are equal until a restarted worker counts
// from another start: a browser would wait forever for the time to pass what it has
// already seen. The timestamps then continue from the last one.
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
