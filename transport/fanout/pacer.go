package fanout

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"
)

const (
	// burstPackets are sent at once, then there is a pause. A large key frame sent
	// as one burst overruns the buffers on its way.
	burstPackets = 32
	burstPause   = time.Millisecond
)

// Pacer turns the frames of one viewer into RTP packets. Their sequence numbers
// start at random (RFC 3550, section 5.1) and have no gaps where frames were
// dropped: the viewer continues with a key frame and must not request packets that
// it will not get. A Pacer is used by one goroutine.
type Pacer struct {
	bursts bool
	next   uint16
}

// NewPacer returns a Pacer. With bursts, it pauses between the bursts of a large
// frame, as UDP needs. Without, it leaves flow control to the connection.
func NewPacer(bursts bool) *Pacer {
	return &Pacer{bursts: bursts, next: uint16(rand.Uint32())} //nolint:gosec // not a secret
}

// Send calls send with each packet of a frame; first marks the first packet. It
// returns at the first error of send, and when ctx ends. The payloads are shared
// with other viewers, the headers are not. SSRC and payload type are left to send.
func (p *Pacer) Send(ctx context.Context, f *Frame, send func(packet *rtp.Packet, first bool) error) error {
	for i, payload := range f.Payloads {
		if p.bursts && i > 0 && i%burstPackets == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(burstPause):
			}
		}
		packet := &rtp.Packet{
			Header:  rtp.Header{Version: 2, Marker: i == len(f.Payloads)-1, SequenceNumber: p.next, Timestamp: f.Stamp},
			Payload: payload,
		}
		if err := send(packet, i == 0); err != nil {
			return err
		}
		p.next++
	}
	return nil
}
