package webrtc

import (
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

// Retransmissions may use as many bytes as first transmissions: a viewer gets at most
// twice the bit rate, whatever it requests.
const (
	retransmitStart = 64 << 10  // bytes, at the start
	retransmitBurst = 512 << 10 // bytes, the maximum to save up
)

// retransmitCap creates interceptors that count and limit retransmissions. It must be
// nearer to the network than the interceptor that answers NACKs.
type retransmitCap struct{ count *counters }

// NewInterceptor creates the interceptor of a peer connection.
func (r *retransmitCap) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &retransmitCapper{count: r.count}, nil
}

type retransmitCapper struct {
	interceptor.NoOp
	count *counters
}

// BindLocalStream limits the packets of one stream.
func (r *retransmitCapper) BindLocalStream(_ *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	b := &budget{left: retransmitStart}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		again, allowed := b.spend(h.SequenceNumber, len(payload))
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

// budget distinguishes first transmissions, whose numbers only grow, from repeated
// ones.
type budget struct {
	mu      sync.Mutex
	started bool
	highest uint16
	left    int // bytes
}

func (b *budget) spend(seq uint16, size int) (again, allowed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.started || int16(seq-b.highest) > 0 {
		b.started, b.highest = true, seq
		b.left = min(b.left+size, retransmitBurst)
		return false, true
	}
	if size > b.left {
		return true, false
	}
	b.left -= size
	return true, true
}
