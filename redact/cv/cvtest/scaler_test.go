package cvtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/cv"
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
func TestPlanesThatOpenCVDiesOfAreErrors(t *testing.T) {
	s, err := NewScaler(4, 4)
	require.NoError(t, err)
	for name, p := range map[string]Plane{
		"empty":         {},
		"no memory":     {Width: 4, Height: 4, Stride: 4},
		"short":         {Pix: make([]byte, 15), Width: 4, Height: 4, Stride: 4},
		"narrow rows":   {Pix: make([]byte, 99), Width: 4, Height: 4, Stride: 3},
		"negative":      {Pix: make([]byte, 99), Width: -4, Height: 4, Stride: 4},
		"out of bounds": {Pix: make([]byte, 99), Width: cv.MaxInput + 1, Height: 4, Stride: cv.MaxInput + 1},
	} {
		_, err := s.Scale(p)
		require.Error(t, err, name)
	}
	s.Close()
	s.Close()
	_, err = s.Scale(plane(4, 4, 4, func(int, int) byte { return 0 }))
	require.ErrorIs(t, err, cv.ErrClosed)
	for _, size := range [][2]int{{0, 4}, {4, 0}, {-1, 4}, {cv.MaxInput + 1, 1}} {
		_, err := NewScaler(size[0], size[1])
		require.Error(t, err)
	}
}
