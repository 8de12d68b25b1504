package webrtc

import (
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

// Retransmissions may use as many bytes as were sent the first time, so that a
// viewer gets at most twice the bit rate however much it asks for.
const (
	retransmitStart = 64 << 10  // bytes, before anything was sent
	retransmitBurst = 512 << 10 // bytes, the most that can be saved up
)

// retransmitCap makes interceptors that count and bound retransmissions. It must
// be nearer to the wire than what answers NACKs.
type retransmitCap struct{ count *counters }

// NewInterceptor makes one for a peer connection.
func (r *retransmitCap) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &retransmitCapper{count: r.count}, nil
}

type retransmitCapper struct {
	interceptor.NoOp
	count *counters
}

// BindLocalStream watches the packets of one stream.
func (r *retransmitCapper) BindLocalStream(_ *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	b := &budget{left: retransmitStart}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		again, allowed := b.take(h.SequenceNumber, len(payload))
		switch {
		case again && !allowed:
			r.count.retransmitsRefused.Add(1)
			return len(payload), nil
		case again:
			r.count.retransmitted.Add(1)
		}
		return next.Write(h, payload, a)
	})
}

// budget tells first transmissions, whose numbers only grow, from repeated ones.
type budget struct {
	mu      sync.Mutex
	begun   bool
	highest uint16
	left    int // bytes
}

func (b *budget) take(seq uint16, size int) (again, allowed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.begun || int16(seq-b.highest) > 0 {
		b.begun, b.highest = true, seq
		b.left = min(b.left+size, retransmitBurst)
		return false, true
	}
	if size > b.left {
		return true, false
	}
	b.left -= size
	return true, true
}
