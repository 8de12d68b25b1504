package infer

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// small returns the file of a small network, and that with something replaced.
func small(t testing.TB, was, is []byte) []byte {
	t.Helper()
	onnx := made(5, 16, 16, 16)
	if was != nil {
		require.Contains(t, string(onnx), string(was))
	}
	return bytes.Replace(onnx, was, is, 1)
}

func TestReadRefusesOtherNetworks(t *testing.T) {
	_, err := Read(small(t, nil, nil))
	require.NoError(t, err)
	nan, huge := make([]byte, 4), make([]byte, 4)
	binary.LittleEndian.PutUint32(nan, math.Float32bits(float32(math.NaN())))
	binary.LittleEndian.PutUint32(huge, math.Float32bits(1e9))
	whole := small(t, nil, nil)
	first := bytes.Index(whole, []byte("\x4a\xc0\x0d")) + 3 // raw data of 1728 bytes: the first layer's
	poisoned := func(value []byte) []byte {
		onnx := bytes.Clone(whole)
		copy(onnx[first:], value)
		return onnx
	}
	m := newMaker(1)
	v := m.node("Relu", "", nil, m.conv("input", 3, 16, 3, 2, 1))
	m.head(m.unit(v, 16, 16), 16, 8)
	fine := m.file()
	loop := newMaker(1)
	loop.head(loop.node("MaxPool", "loop", map[string]any{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}}, "loop"), 16, 8)
	for name, onnx := range map[string][]byte{
		"nothing":          nil,
		"junk":             []byte("this is no model"),
		"cut off":          whole[:len(whole)/2],
		"no graph":         {8, 6},
		"another operator": small(t, []byte("MaxPool"), []byte("AvgPool")),
		"another output":   small(t, []byte("cls_16"), []byte("cls_17")),
		"another resize":   small(t, []byte("nearest"), []byte("linear_")),
		"another pad":      small(t, []byte("\x0a\x04pads\x40\x01"), []byte("\x0a\x04pads\x40\x02")),
		"NaN":              poisoned(nan),
		"huge weight":      poisoned(huge),
		"wrong stride":     fine,
		"loop":             loop.file(),
		"too many nodes":   sub(nil, 7, bytes.Repeat([]byte{1<<3 | 2, 0}, maxNodes+1)),
		"huge dimensions":  sub(nil, 7, sub(nil, 5, number(number(nil, 1, 1<<40), 1, 1<<40))),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(onnx)
			require.ErrorIs(t, err, ErrModel)
			require.Less(t, len(err.Error()), 200)
		})
	}
}

// The values of a network with large weights leave all bounds: that is an error
// and not a picture without faces.
func TestValuesOutOfRangeAreAnError(t *testing.T) {
	onnx := made(6, 16, 16, 16)
	// All weights become 30000.
	large := make([]byte, 4)
	binary.LittleEndian.PutUint32(large, math.Float32bits(30000))
	for _, size := range []string{"\x4a\x80\x08", "\x4a\xc0\x04"} { // 1024 and 576 bytes
		for rest := onnx; ; {
			i := bytes.Index(rest, []byte(size))
			if i < 0 {
				break
			}
			rest = rest[i+3:]
			for k := 0; k < 576; k += 4 {
				copy(rest[k:], large)
			}
		}
	}
	_, err := Read(onnx)
	require.ErrorIs(t, err, ErrRange)
	onPaths(t, onnx, func(m *Model) {
		_, err := m.NewNet().Run(picture(64, 64, true), image.Rect(0, 0, 64, 64), nil)
		require.ErrorIs(t, err, ErrRange)
	})
}

// Whatever is in a file: it is refused, or it runs within its bounds.
func FuzzRead(f *testing.F) {
	onnx := made(7, 16, 16, 16)
	f.Add(onnx)
	f.Add(made(8, 8, 16, 20))
	f.Add(onnx[:len(onnx)/3])
	f.Add([]byte{})
	f.Add(sub(nil, 7, sub(nil, 5, number(number(nil, 1, 3), 2, 1))))
	p := picture(48, 32, true)
	f.Fuzz(func(t *testing.T, onnx []byte) {
		m, err := Read(onnx)
		if err != nil {
			return
		}
		for _, r := range []image.Rectangle{image.Rect(0, 0, 32, 32), image.Rect(-16, -2, 80, 62)} {
			outs, err := m.NewNet().Run(p, r, nil)
			if err == nil {
				require.Len(t, outs, 9)
			}
		}
	})
}
