package webrtc

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"

	"scrim/transport/fanout"
)

const (
	// burstPackets are sent at once; then there is a pause. A large key frame that
	// comes as one burst overruns the buffers of whatever is on the way.
	burstPackets = 32
	burstPause   = time.Millisecond
)

// viewer takes frames from a queue and sends them.
type viewer struct {
	queue *fanout.Queue
	send  func(*rtp.Packet) error
	ext   extensions
	count *counters
}

func newViewer(send func(*rtp.Packet) error, ext extensions, count *counters) *viewer {
	return &viewer{queue: fanout.NewQueue(&count.fanout), send: send, ext: ext, count: count}
}

// run sends what is in the queue until ctx ends.
func (v *viewer) run(ctx context.Context) {
	seq := uint16(rand.Uint32()) // RFC 3550, section 5.1
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-v.queue.Frames():
			seq = v.write(ctx, f, seq)
		}
	}
}

// write sends a frame, whose first packet gets the number seq, and returns the
// number that follows. The numbers have no gaps where frames were dropped: the
// viewer goes on with a key frame and must not ask for what it will not get.
func (v *viewer) write(ctx context.Context, f *fanout.Frame, seq uint16) uint16 {
	for i, payload := range f.Payloads {
		if i > 0 && i%burstPackets == 0 {
			select {
			case <-ctx.Done():
				return seq
			case <-time.After(burstPause):
			}
		}
		// Payload is shared; the header is this viewer's own. The track fills in
		// SSRC and payload type.
		p := &rtp.Packet{
			Header: rtp.Header{
				Version: 2, Marker: i == len(f.Payloads)-1, SequenceNumber: seq, Timestamp: f.Stamp,
			},
			Payload: payload,
		}
		v.ext.put(&p.Header, i == 0, f.Captured)
		seq++
		if err := v.send(p); err != nil {
			continue // the session ends when its connection does
		}
		v.count.packets.Add(1)
		v.count.bytes.Add(uint64(len(payload)))
	}
	return seq
}
