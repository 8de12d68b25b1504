package rtspserver

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtp"

	"scrim/transport/fanout"
	"scrim/transport/senderreport"
)

// retryPause is the pause before a packet is offered again to a connection whose
// write queue was full.
const retryPause = 5 * time.Millisecond

// client is a session that plays or will play.
type client struct {
	s       *Server
	camera  string
	from    netip.Addr
	session *gortsplib.ServerSession
	media   *descriptionMedia
	ssrc    uint32
	pacer   *fanout.Pacer
	ctx     context.Context
	cancel  context.CancelFunc
	hub     *fanout.Hub // nil before PLAY; only OnPlay sets it

	// Only run uses these. Width and height are from the description of the client, 0
	// if it did not request one.
	width, height int
	reports       senderreport.Sender
}

func newClient(s *Server, camera string, setup *gortsplib.ServerHandlerOnSetupCtx, stream *gortsplib.ServerStream) *client {
	c := &client{
		s: s, camera: camera, from: addressOf(setup.Conn.NetConn().RemoteAddr()), session: setup.Session, media: stream.Desc.Medias[0],
		pacer: fanout.NewPacer(setup.Transport == gortsplib.TransportUDP),
	}
	if described := of(setup.Conn); described.camera == camera {
		c.width, c.height = described.width, described.height
	}
	for _, f := range stream.Stats().Medias[c.media].Formats {
		c.ssrc = f.LocalSSRC
	}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	return c
}

// run sends the frames of the hub until the session ends. It ends the session if the
// client cannot use them, or if none arrive.
func (c *client) run() {
	defer c.s.hubs.Release(c.hub)
	q := fanout.NewQueue(&c.s.count.fanout)
	joined := time.Now()
	c.hub.Add(q)
	defer c.hub.Remove(q)
	idle := time.NewTimer(c.s.hubs.Times.Silence) // a unit may shorten the time left
	defer idle.Stop()
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
				c.s.log.Info("picture size changed; session ended so that the client requests a new description", "camera", c.camera, "from", c.from)
				c.session.Close()
				return
			}
			if c.write(f) != nil {
				return
			}
		case <-idle.C:
			left := c.hub.IdleLeft(joined, time.Now())
			if left <= 0 {
				c.s.count.silent.Add(1)
				c.s.log.Info("no data from camera; session ended", "camera", c.camera, "from", c.from)
				c.session.Close()
				return
			}
			idle.Reset(min(left, c.s.hubs.Times.Silence))
		}
	}
}

// write sends a frame. It fails when the session has ended.
func (c *client) write(f *fanout.Frame) error {
	err := c.pacer.Send(c.ctx, f, func(p *rtp.Packet, _ bool) error {
		p.PayloadType = payloadType
		if err := c.push(func() error { return c.session.WritePacketRTP(c.media, p) }); err != nil {
			return err
		}
		c.reports.Sent(p)
		return nil
	})
	if err != nil || !c.reports.Due(f.Captured) {
		return err
	}
	r := c.reports.Report(c.ssrc, f.Stamp, f.Captured)
	return c.push(func() error { return c.session.WritePacketRTCP(c.media, r) })
}

// push waits until the connection accepts a packet. Frames that arrive meanwhile
// wait in this client's queue, which drops the excess.
func (c *client) push(write func() error) error {
	for {
		err := write()
		if err == nil {
			return c.ctx.Err()
		}
		if _, full := errors.AsType[liberrors.ErrServerWriteQueueFull](err); !full {
			return err
		}
		select {
		case <-time.After(retryPause):
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
}
