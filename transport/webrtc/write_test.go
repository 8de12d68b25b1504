package webrtc

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"

	"scrim/transport/fanout"
	"scrim/transport/transporttest"
)

func TestPacketsCarryTheAgreedExtensions(t *testing.T) {
	var got []*rtp.Packet
	v := newViewer(func(p *rtp.Packet) error { got = append(got, p); return nil }, extensions{playoutDelay: 3, captureTime: 4}, &counters{})
	payloads := (&codecs.H264Payloader{}).Payload(fanout.PayloadMTU, transporttest.Unit(camera, 9, true, 100_000).Data)
	f := &fanout.Frame{Payloads: payloads, Stamp: 12345, Key: true, Captured: time.Now()}
	v.write(t.Context(), f)
	require.Len(t, got, len(f.Payloads))
	for i, x := range got {
		require.LessOrEqual(t, len(x.Payload), fanout.PayloadMTU)
		require.Equal(t, noDelay, x.GetExtension(3))
		require.Equal(t, i == 0, x.GetExtension(4) != nil)
	}
	require.EqualValues(t, len(got), v.count.packets.Load())
}

func TestRetransmissionsAreBounded(t *testing.T) {
	b := &budget{left: 1000}
	sent, again := 0, 0
	for seq := uint16(65000); seq != 1000; seq++ { // over the end of the numbers
		repeated, allowed := b.spend(seq, 1200)
		require.False(t, repeated)
		require.True(t, allowed)
		sent += 1200
		for range 5 {
			repeated, allowed = b.spend(seq-3, 1200)
			if seq != 65000 {
				require.True(t, repeated)
			}
			if allowed {
				again += 1200
			}
		}
	}
	require.LessOrEqual(t, again, sent+1000)
	require.Greater(t, again, sent/2, "but they are not refused in general")
	for range 10_000 {
		b.spend(1000, 1200)
	}
	require.LessOrEqual(t, b.left, retransmitBurst)
}
