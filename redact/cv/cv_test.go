package cv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models"
)

func plane(width, height, stride int, value func(x, y int) byte) Plane {
	p := Plane{Pix: make([]byte, stride*height), Width: width, Height: height, Stride: stride}
	for y := range height {
		for x := range stride {
			if x < width {
				p.Pix[y*stride+x] = value(x, y)
			} else {
				p.Pix[y*stride+x] = 255 // must never be read
			}
		}
	}
	return p
}

func TestScaleAveragesAreasAndIgnoresTheGapBetweenRows(t *testing.T) {
	s, err := NewScaler(4, 2)
	require.NoError(t, err)
	defer s.Close()
	for _, stride := range []int{8, 13, 64} {
		got, err := s.Scale(plane(8, 4, stride, func(x, y int) byte { return byte(10*(x/2) + 100*(y/2)) }))
		require.NoError(t, err)
		require.Equal(t, []byte{0, 10, 20, 30, 100, 110, 120, 130}, got, "rows of %d bytes", stride)
	}
	got, err := s.Scale(plane(4, 2, 7, func(x, y int) byte { return byte(x + 4*y) }))
	require.NoError(t, err)
	require.Equal(t, []byte{0, 1, 2, 3, 4, 5, 6, 7}, got, "same size")
	got, err = s.Scale(plane(2, 1, 2, func(int, int) byte { return 9 }))
	require.NoError(t, err)
	require.Equal(t, []byte{9, 9, 9, 9, 9, 9, 9, 9}, got, "larger")
}

// Each of these would end the process if it reached OpenCV.
func TestArgumentsThatOpenCVDiesOfAreErrors(t *testing.T) {
	s, err := NewScaler(4, 4)
	require.NoError(t, err)
	for name, p := range map[string]Plane{
		"empty":         {},
		"no memory":     {Width: 4, Height: 4, Stride: 4},
		"short":         {Pix: make([]byte, 15), Width: 4, Height: 4, Stride: 4},
		"narrow rows":   {Pix: make([]byte, 99), Width: 4, Height: 4, Stride: 3},
		"negative":      {Pix: make([]byte, 99), Width: -4, Height: 4, Stride: 4},
		"out of bounds": {Pix: make([]byte, 99), Width: MaxInput + 1, Height: 4, Stride: MaxInput + 1},
	} {
		_, err := s.Scale(p)
		require.Error(t, err, name)
	}
	s.Close()
	s.Close()
	_, err = s.Scale(plane(4, 4, 4, func(int, int) byte { return 0 }))
	require.ErrorIs(t, err, ErrClosed)
	for _, size := range [][2]int{{0, 4}, {4, 0}, {-1, 4}, {MaxInput + 1, 1}} {
		_, err := NewScaler(size[0], size[1])
		require.Error(t, err)
	}
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
