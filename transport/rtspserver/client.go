package rtspserver

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtp"

	"scrim/transport/fanout"
	"scrim/transport/senderreport"
)

const (
	// fullPause is the time after which a packet is offered again to a connection
	// that has taken none.
	fullPause = 5 * time.Millisecond
	// burstPackets are sent at once over UDP; then there is a pause. A large key
	// frame that comes as one burst overruns the buffers of whatever is on the way.
	burstPackets = 32
	burstPause   = time.Millisecond
)

// client is one session that plays, or will.
type client struct {
	s       *Server
	camera  string
	from    netip.Addr
	session *gortsplib.ServerSession
	media   *descriptionMedia
	ssrc    uint32
	udp     bool
	ctx     context.Context
	cancel  context.CancelFunc
	hub     *fanout.Hub // nil until it plays; only OnPlay sets it

	// Only run uses these. Width and height are those that the client was told of,
	// 0 when it did not ask.
	width, height int
	seq           uint16
	reports       senderreport.Sender
}

func newClient(s *Server, camera string, setup *gortsplib.ServerHandlerOnSetupCtx, stream *gortsplib.ServerStream) *client {
	c := &client{
		s: s, camera: camera, from: addressOf(setup.Conn.NetConn().RemoteAddr()), session: setup.Session, media: stream.Desc.Medias[0],
		udp: setup.Transport == gortsplib.TransportUDP,
		seq: uint16(rand.Uint32()), //nolint:gosec // RFC 3550, section 5.1
	}
	if told := of(setup.Conn); told.camera == camera {
		c.width, c.height = told.width, told.height
	}
	for _, f := range stream.Stats().Medias[c.media].Formats {
		c.ssrc = f.LocalSSRC
	}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	return c
}

// run sends what the hub gives until the session ends, or ends the session when
// there is nothing to send that the client could use.
func (c *client) run() {
	defer c.s.hubs.Release(c.hub)
	q := fanout.NewQueue(&c.s.count.fanout)
	begun := time.Now()
	c.hub.Add(q)
	defer c.hub.Remove(q)
	look := time.NewTimer(c.s.hubs.Times.Silence) // a unit may make the patience less
	defer look.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case f := <-q.Frames():
			if c.width == 0 {
				c.width, c.height = f.Width, f.Height
			}
			if f.Width != c.width || f.Height != c.height {
				c.s.count.resized.Add(1)
				c.s.log.Info("size of the pictures changed; session ended so that the client asks for it", "camera", c.camera, "from", c.from)
				c.session.Close()
				return
			}
			if !c.write(f) {
				return
			}
		case <-look.C:
			left := c.hub.Patience(begun, time.Now())
			if left <= 0 {
				c.s.count.silent.Add(1)
				c.s.log.Info("camera sends nothing; session ended", "camera", c.camera, "from", c.from)
				c.session.Close()
				return
			}
			look.Reset(min(left, c.s.hubs.Times.Silence))
		}
	}
}

// write sends a frame; it returns false when the session has ended. Numbers have
// no gaps where frames were dropped: the client goes on with a key frame.
func (c *client) write(f *fanout.Frame) bool {
	for i, payload := range f.Payloads {
		if c.udp && i > 0 && i%burstPackets == 0 && !c.pause(burstPause) {
			return false
		}
		p := &rtp.Packet{
			Header: rtp.Header{
				Version: 2, PayloadType: payloadType, Marker: i == len(f.Payloads)-1, SequenceNumber: c.seq, Timestamp: f.Stamp,
			},
			Payload: payload,
		}
		if !c.push(func() error { return c.session.WritePacketRTP(c.media, p) }) {
			return false
		}
		c.seq++
		c.reports.Sent(p)
	}
	if !c.reports.Due(f.Captured) {
		return true
	}
	r := c.reports.Report(c.ssrc, f.Stamp, f.Captured)
	return c.push(func() error { return c.session.WritePacketRTCP(c.media, r) })
}

// push waits until the connection takes a packet. What comes meanwhile waits in
// this client's queue, which drops what is too much.
func (c *client) push(write func() error) bool {
	for {
		err := write()
		if err == nil {
			return c.ctx.Err() == nil
		}
		if _, full := errors.AsType[liberrors.ErrServerWriteQueueFull](err); !full || !c.pause(fullPause) {
			return false
		}
	}
}

// pause waits; it returns false when the session has ended.
func (c *client) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}
