package cv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models"
)

// Each of these would end the process if it reached OpenCV.
func TestArgumentsThatOpenCVDiesOfAreErrors(t *testing.T) {
	for _, model := range []string{"", "junk", "\x08\x03\x12"} {
		_, err := ReadONNX([]byte(model), []string{"out"})
		require.Error(t, err, "%q", model)
		for _, inside := range []string{"OpenCV(", ".cpp", "in function"} {
			require.NotContains(t, err.Error(), inside, "is for people")
		}
	}
	require.Equal(t, "terminate called", plain("terminate called"))
	require.Equal(t, "Kind", plain("OpenCV(4.6.0) a.cpp:288: error: (-210:Kind)  in function 'f'"))
	require.Equal(t, "No (such) thing", plain("OpenCV(4.6.0) a.cpp:288: error: (-210:Kind) No (such) thing. in function 'f'"))
}

func TestNetRefusesWhatItCannotRun(t *testing.T) {
	n := net(t)
	_, err := n.Forward(nil)
	require.Error(t, err, "no input")
	for _, bad := range [][3]int{{0, 32, 1}, {32, -1, 1}, {32, 32, 0}, {MaxInput + 32, 32, 1}} {
		_, err := n.Input(bad[0], bad[1], bad[2])
		require.Error(t, err)
	}
	_, err = n.Input(32, 32, 1)
	require.NoError(t, err)
	_, err = n.Forward(nil)
	require.ErrorContains(t, err, "larger than expected")
	SetThreads(1)
	_, err = n.Input(8, 8, 10000) // too small for the network's own arithmetic
	require.NoError(t, err)
	_, err = n.Forward(nil)
	require.Error(t, err, "a C++ exception")
	n.Close()
	n.Close()
	_, err = n.Forward(nil)
	require.ErrorIs(t, err, ErrClosed)
	_, err = n.Input(32, 32, 1)
	require.ErrorIs(t, err, ErrClosed)
}

func TestForwardGivesCopies(t *testing.T) {
	n := net(t)
	defer n.Close()
	in, err := n.Input(64, 64, 10000)
	require.NoError(t, err)
	clear(in)
	outs, err := n.Forward(nil)
	require.NoError(t, err)
	require.Len(t, outs, 2)
	require.Len(t, outs[0], 64)
	require.Len(t, outs[1], 4)
	first := append([]float32(nil), outs[0]...)
	for i := range in {
		in[i] = float32(i % 256)
	}
	again, err := n.Forward(outs)
	require.NoError(t, err)
	require.NotEqual(t, first, again[0])
}

// net returns the network that is built in, with two of its outputs.
func net(t *testing.T) *Net {
	t.Helper()
	n, err := ReadONNX(models.Weights(), []string{"cls_8", "cls_32"})
	require.NoError(t, err)
	return n
}
