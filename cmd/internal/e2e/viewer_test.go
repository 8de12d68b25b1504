package e2e

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3/pkg/media/samplebuilder"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/webrtc/wheptest"
)

// sample is an access unit that a viewer received.
type sample struct {
	data    []byte // Annex B
	ts      uint32 // RTP timestamp, 90 kHz
	lost    uint16 // packets lost before it
	arrived time.Time
}

// viewer watches one camera over WHEP, as a browser does.
type viewer struct {
	*wheptest.Viewer
	samples chan sample
}

// watch opens a WHEP session on base (such as "http://127.0.0.1:8080") and
// ends it with the test.
func watch(ctx context.Context, t *testing.T, base, camera string) *viewer {
	t.Helper()
	v := &viewer{samples: make(chan sample, 1024)}
	builder := samplebuilder.New(256, &codecs.H264Packet{}, transport.ClockRate)
	session, err := wheptest.Watch(ctx, base, camera, func(p wheptest.Packet) {
		builder.Push(p.Packet)
		for s := builder.Pop(); s != nil; s = builder.Pop() {
			select {
			case v.samples <- sample{data: s.Data, ts: s.PacketTimestamp, lost: s.PrevDroppedPackets, arrived: time.Now()}:
			default: // drop it if the test does not read
			}
		}
	})
	require.NoError(t, err)
	v.Viewer = session
	t.Cleanup(session.Close)
	return v
}

// next waits for an access unit.
func (v *viewer) next(ctx context.Context) (sample, error) {
	select {
	case s := <-v.samples:
		return s, nil
	case <-v.Ended():
		return sample{}, io.EOF
	case <-ctx.Done():
		return sample{}, fmt.Errorf("wait for an access unit: %w (connection %s)", ctx.Err(), v.State())
	}
}
