package fanout

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

// large is a frame of many packets.
func large(packets int) *Frame {
	f := &Frame{Stamp: 12345}
	for i := range packets {
		f.Payloads = append(f.Payloads, []byte{byte(i >> 8), byte(i)})
	}
	return f
}

func TestPacerNumbersHaveNoGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(true)
		p.next = 65500 // wraps
		n := 0
		for _, f := range []*Frame{large(1), large(2*burstPackets + 3), large(7)} {
			at := 0
			require.NoError(t, p.Send(t.Context(), f, func(x *rtp.Packet, first bool) error {
				require.Equal(t, uint16(65500+n), x.SequenceNumber)
				require.Equal(t, f.Stamp, x.Timestamp)
				require.Equal(t, at == 0, first)
				require.Equal(t, at == len(f.Payloads)-1, x.Marker)
				require.Equal(t, f.Payloads[at], x.Payload)
				at++
				n++
				return nil
			}))
			require.Equal(t, len(f.Payloads), at)
		}
	})
}

func TestPacersStartAtRandomNumbers(t *testing.T) {
	starts := map[uint16]bool{}
	for range 10 {
		starts[NewPacer(true).next] = true
	}
	require.Greater(t, len(starts), 5)
}

func TestPacerPausesBetweenBursts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, bursts := range []bool{true, false} {
			begun := time.Now()
			sent := map[time.Duration]int{}
			require.NoError(t, NewPacer(bursts).Send(t.Context(), large(3*burstPackets+1), func(*rtp.Packet, bool) error {
				sent[time.Since(begun)]++
				return nil
			}))
			if bursts {
				require.Equal(t, map[time.Duration]int{0: burstPackets, burstPause: burstPackets, 2 * burstPause: burstPackets, 3 * burstPause: 1}, sent)
			} else {
				require.Equal(t, map[time.Duration]int{0: 3*burstPackets + 1}, sent)
			}
		}
	})
}

func TestPacerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(true)
		p.next = 1
		gone := errors.New("gone")
		n := 0
		send := func(*rtp.Packet, bool) error {
			if n++; n == 3 {
				return gone
			}
			return nil
		}
		require.ErrorIs(t, p.Send(t.Context(), large(10), send), gone)
		require.Equal(t, 3, n)
		require.EqualValues(t, 3, p.next, "a packet that was not sent leaves no gap")
		ctx, cancel := context.WithCancel(t.Context())
		n = 3
		time.AfterFunc(burstPause/2, cancel)
		begun := time.Now()
		require.ErrorIs(t, p.Send(ctx, large(10*burstPackets), send), context.Canceled)
		require.Equal(t, 3+burstPackets, n)
		require.Equal(t, burstPause/2, time.Since(begun))
	})
}
