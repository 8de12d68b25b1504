package pipeline

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// Delimiters, SEI and parameter sets may come in units of their own. They hold no
// picture: they do not shut the gate, and nothing waits for a picture.
func TestUnitsWithoutAPictureChangeNothing(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	first := c.unit(true)
	slice := bytes.Index(first.Data, []byte{0, 0, 1, 0x65})
	require.Positive(t, slice)
	sets := first
	sets.Data, first.Data = first.Data[:slice], first.Data[slice:]
	r.send(sets)
	r.send(first) // without its parameter sets, which came before
	o, _ := r.next()
	for ; o.State != transport.StateLive; o, _ = r.next() {
		require.Contains(t, []string{causeStarting.Text, causeWaiting.Text}, o.Reason)
	}
	epoch := o.Epoch
	for i := range maxPending {
		u := c.unit(false)
		for _, data := range [][]byte{{0, 0, 0, 1, 9, 0xf0}, {0, 0, 0, 1, 6, 5, 1, 0x42, 0x80}, sets.Data} {
			r.send(transport.CameraUnit{Codec: transport.H264, PTS: u.PTS, Captured: u.Captured, Arrived: u.Arrived, Data: data})
		}
		r.send(u)
		o, _ := r.next()
		require.Equal(t, transport.StateLive, o.State, "picture %d: %s", i, o.Reason)
		require.Equal(t, epoch, o.Epoch)
	}
}
