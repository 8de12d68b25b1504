package infer

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/cv"
)

func TestQuick(t *testing.T) {
	for _, f := range []string{"face_detection_yunet_n.onnx", "face_detection_yunet_2023mar.onnx"} {
		raw, err := os.ReadFile(filepath.Join(os.Getenv("SCRIM_MODELS"), f))
		require.NoError(t, err)
		var names []string
		for _, k := range []string{"cls", "obj", "bbox"} {
			for _, s := range strides {
				names = append(names, fmt.Sprintf("%s_%d", k, s))
			}
		}
		net, err := cv.ReadONNX(raw, names)
		require.NoError(t, err)
		for _, size := range [][2]int{{640, 384}, {64, 64}, {96, 64}, {224, 160}} {
			w, h := size[0], size[1]
			p := &Picture{Width: w, Height: h, YStride: w, CStride: w / 2, Y: make([]byte, w*h), U: make([]byte, w*h/4), V: make([]byte, w*h/4), Full: true}
			r := rand.New(rand.NewPCG(1, 2))
			for i := range p.Y {
				p.Y[i] = byte(r.IntN(256)) & byte(i)
			}
			for i := range p.U {
				p.U[i], p.V[i] = 128, 128
			}
			blob, err := net.Input(w, h, 10*w*h)
			require.NoError(t, err)
			for c := range 3 {
				for i, y := range p.Y {
					blob[c*w*h+i] = float32(y)
				}
			}
			want, err := net.Forward(nil)
			require.NoError(t, err)
			for _, pt := range paths {
				m, err := read(raw, pt)
				require.NoError(t, err)
				got, err := m.NewNet().Run(p, image.Rect(0, 0, w, h), nil)
				require.NoError(t, err)
				for i := range want {
					worst, size := 0.0, 0.0
					for k := range want[i] {
						worst = max(worst, math.Abs(float64(want[i][k]-got[i][k])))
						size = max(size, math.Abs(float64(want[i][k])))
					}
					t.Logf("%s %d×%d %-14s %s: off by %.2g of %.2g", f[15:20], w, h, pt.name, names[i], worst, size)
				}
			}
		}
	}
}

func BenchmarkRun(b *testing.B) {
	raw, err := os.ReadFile(filepath.Join(os.Getenv("SCRIM_MODELS"), "face_detection_yunet_n.onnx"))
	require.NoError(b, err)
	w, h := 640, 384
	p := &Picture{Width: w, Height: h, YStride: w, CStride: w / 2, Y: make([]byte, w*h), U: make([]byte, w*h/4), V: make([]byte, w*h/4), Full: true}
	for _, pt := range paths {
		b.Run(pt.name, func(b *testing.B) {
			m, err := read(raw, pt)
			require.NoError(b, err)
			n := m.NewNet()
			var outs [][]float32
			b.ReportAllocs()
			for b.Loop() {
				if outs, err = n.Run(p, image.Rect(0, 0, w, h), outs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
