package simcam

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

func TestPath(t *testing.T) {
	var c Camera
	arrived := make(chan *rtp.Packet, 100)
	send := func(p *rtp.Packet) error {
		arrived <- p
		return nil
	}
	packet := func(n int) *rtp.Packet {
		return &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(n)}, Payload: []byte{byte(n)}} //nolint:gosec // few
	}
	numbers := func(p Path) (out []int) {
		c.SetPath(p)
		for n := range cap(arrived) {
			p := packet(n)
			coded := p.Payload
			require.NoError(t, c.forward(p, send))
			if c.path.Load().Delay > 0 {
				coded[0] = 0xff // the encoder's next picture
			}
		}
		c.late.Wait()
		for len(arrived) > 0 {
			p := <-arrived
			require.Equal(t, []byte{byte(p.SequenceNumber)}, p.Payload)
			out = append(out, int(p.SequenceNumber))
		}
		return out
	}
	all := make([]int, cap(arrived))
	for i := range all {
		all[i] = i
	}
	require.Equal(t, all, numbers(Path{}))
	require.Empty(t, numbers(Path{Loss: 1}))
	require.Less(t, len(numbers(Path{Loss: 0.5})), len(all))
	shaken := numbers(Path{Delay: 2 * time.Millisecond, Jitter: 2 * time.Millisecond})
	require.ElementsMatch(t, all, shaken, "none is lost")
	require.NotEqual(t, all, shaken, "they come in another order")
}
