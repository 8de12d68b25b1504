package simcam

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"
)

// Path is what happens to a camera's RTP packets on their way. The zero value
// delivers all of them at once.
type Path struct {
	// Loss is the probability that a packet does not arrive, from 0 to 1.
	Loss float64
	// Delay is by how much packets come later. Jitter is by how much each of them may
	// come earlier or later than that: packets that are closer to one another come in
	// another order, as over UDP. Within an RTSP connection nothing does that, and
	// Jitter is for cameras with a UDPPort.
	Delay, Jitter time.Duration
}

// SetPath changes the way of the packets that are sent from now on.
func (c *Camera) SetPath(p Path) { c.path.Store(&p) }

// forward sends a packet on its way.
func (c *Camera) forward(p *rtp.Packet, send func(*rtp.Packet) error) error {
	path := c.path.Load()
	if path == nil {
		return send(p)
	}
	if path.Loss > 0 && rand.Float64() < path.Loss { //nolint:gosec // no secret
		return nil
	}
	late := path.Delay
	if path.Jitter > 0 {
		late += rand.N(2*path.Jitter) - path.Jitter //nolint:gosec // no secret
	}
	if late <= 0 {
		return send(p)
	}
	p.Payload = bytes.Clone(p.Payload) // the next picture may be written over it
	c.late.Add(1)
	time.AfterFunc(late, func() {
		defer c.late.Done()
		_ = send(p) // the camera may have ended meanwhile
	})
	return nil
}
