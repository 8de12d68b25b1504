package webrtc

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"
)

const (
	// queueFrames may wait for one viewer: about two seconds.
	queueFrames = 64
	// burstPackets are sent at once; then there is a pause. A large key frame that
	// comes as one burst overruns the buffers of whatever is on the way.
	burstPackets = 32
	burstPause   = time.Millisecond
)

// viewer takes frames from a hub and sends them.
type viewer struct {
	queue chan *frame
	send  func(*rtp.Packet) error
	ext   extensions
	count *counters

	// skipping and begun are under the hub's lock. Skipping: what comes cannot be
	// decoded until a key frame does. Begun: there was one.
	skipping, begun bool
}

func newViewer(send func(*rtp.Packet) error, ext extensions, count *counters) *viewer {
	return &viewer{queue: make(chan *frame, queueFrames), send: send, ext: ext, count: count, skipping: true}
}

// offer puts a frame into the queue, or drops it. It never waits. Only the hub
// calls it, one call at a time. It reports whether the viewer needs a key frame.
func (v *viewer) offer(f *frame) (needsKey bool) {
	if v.skipping && !f.key {
		if v.begun {
			v.count.dropped.Add(1)
		}
		return true
	}
	v.begun = true
	select {
	case v.queue <- f:
		v.skipping = false
		return false
	default:
	}
	// All that waits is old. Drop it whole: a gap would be worse than a jump.
	v.drain()
	if f.key {
		v.queue <- f // there is room: only the hub puts anything in
		v.skipping = false
		return false
	}
	v.count.dropped.Add(1)
	v.skipping = true
	return true
}

func (v *viewer) drain() {
	for {
		select {
		case <-v.queue:
			v.count.dropped.Add(1)
		default:
			return
		}
	}
}

// run sends what is in the queue until ctx ends.
func (v *viewer) run(ctx context.Context) {
	seq := uint16(rand.Uint32()) // RFC 3550, section 5.1
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-v.queue:
			seq = v.write(ctx, f, seq)
		}
	}
}

// write sends a frame, whose first packet gets the number seq, and returns the
// number that follows. The numbers have no gaps where frames were dropped: the
// viewer goes on with a key frame and must not ask for what it will not get.
func (v *viewer) write(ctx context.Context, f *frame, seq uint16) uint16 {
	for i, payload := range f.payloads {
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
				Version: 2, Marker: i == len(f.payloads)-1, SequenceNumber: seq, Timestamp: f.stamp,
			},
			Payload: payload,
		}
		v.ext.put(&p.Header, i == 0, f.captured)
		seq++
		if err := v.send(p); err != nil {
			continue // the session ends when its connection does
		}
		v.count.packets.Add(1)
		v.count.bytes.Add(uint64(len(payload)))
	}
	return seq
}
