package webrtc

import (
	"context"

	"github.com/pion/rtp"

	"scrim/transport/fanout"
)

// viewer sends the frames of a queue.
type viewer struct {
	queue *fanout.Queue
	pacer *fanout.Pacer
	send  func(*rtp.Packet) error
	ext   extensions
	count *counters
}

func newViewer(send func(*rtp.Packet) error, ext extensions, count *counters) *viewer {
	return &viewer{queue: fanout.NewQueue(&count.fanout), pacer: fanout.NewPacer(true), send: send, ext: ext, count: count}
}

// run sends what is in the queue until ctx ends.
func (v *viewer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-v.queue.Frames():
			v.write(ctx, f)
		}
	}
}

// write sends a frame. The track fills in SSRC and payload type.
func (v *viewer) write(ctx context.Context, f *fanout.Frame) {
	_ = v.pacer.Send(ctx, f, func(p *rtp.Packet, first bool) error { // fails only when ctx ends
		v.ext.put(&p.Header, first, f.Captured)
		if v.send(p) == nil { // otherwise the connection ends, and the session with it
			v.count.packets.Add(1)
			v.count.bytes.Add(uint64(len(p.Payload)))
		}
		return nil
	})
}
