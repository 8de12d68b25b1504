package decode

import "scrim/redact/yuv"

// halve copies a picture of 4:2:2, whose chroma planes are as high as the luma plane,
// to one of 4:2:0 and of the same size: each row of chroma is the mean of two.
func halve(dst, src *yuv.Image) {
	dst.FullRange = src.FullRange
	for y := range dst.Height {
		copy(dst.Y[y*dst.YStride:][:dst.Width], src.Y[y*src.YStride:])
	}
	w := dst.ChromaWidth()
	for _, p := range [][2][]byte{{dst.U, src.U}, {dst.V, src.V}} {
		for y := range dst.ChromaHeight() {
			a := p[1][2*y*src.CStride:][:w]
			b := a
			if 2*y+1 < dst.Height {
				b = p[1][(2*y+1)*src.CStride:][:w]
			}
			out := p[0][y*dst.CStride:][:w]
			for x := range out {
				out[x] = byte((uint(a[x]) + uint(b[x]) + 1) / 2) //nolint:gosec // a mean of bytes
			}
		}
	}
}
