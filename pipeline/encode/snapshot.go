package encode

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"scrim/redact"
)

// snapshotQualities are tried in turn until the picture is small enough.
var snapshotQualities = []int{85, 70, 50, 30, 15}

// Snapshot is a copy of a redacted frame that is not encoded yet, next to the
// video and without holding it up.
type Snapshot struct{ im *image.YCbCr }

// NewSnapshot copies a frame's picture.
func NewSnapshot(f redact.Frame) (*Snapshot, error) {
	im := f.Image()
	if im == nil {
		return nil, ErrNoFrame
	}
	dst := image.NewYCbCr(im.Bounds(), image.YCbCrSubsampleRatio420)
	luma, chroma := &lumaRange, &chromaRange
	if im.FullRange {
		luma, chroma = &asItIs, &asItIs
	}
	spread(dst.Y, dst.YStride, im.Y, im.YStride, im.Width, im.Height, luma)
	spread(dst.Cb, dst.CStride, im.U, im.CStride, im.ChromaWidth(), im.ChromaHeight(), chroma)
	spread(dst.Cr, dst.CStride, im.V, im.CStride, im.ChromaWidth(), im.ChromaHeight(), chroma)
	return &Snapshot{dst}, nil
}

// Size returns the picture's size in pixels.
func (s *Snapshot) Size() (width, height int) { return s.im.Rect.Dx(), s.im.Rect.Dy() }

// JPEG codes it in at most limit bytes, without any metadata.
func (s *Snapshot) JPEG(limit int) ([]byte, error) {
	var b bytes.Buffer
	for _, q := range snapshotQualities {
		b.Reset()
		if err := jpeg.Encode(&b, s.im, &jpeg.Options{Quality: q}); err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
		if b.Len() <= limit {
			return b.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("snapshot of %d bytes is over the limit of %d", b.Len(), limit)
}

// JPEG samples go from 0 to 255 (JFIF); video's from 16 to 235, or to 240 for
// colours.
var lumaRange, chromaRange, asItIs = func() (y, c, same [256]byte) {
	for i := range 256 {
		y[i] = clamp((i - 16) * 255 / 219)
		c[i] = clamp((i-128)*255/224 + 128)
		same[i] = byte(i) //nolint:gosec // below 256
	}
	return y, c, same
}()

func clamp(v int) byte { return byte(max(0, min(v, 255))) } //nolint:gosec // bounded

func spread(dst []byte, dstStride int, src []byte, srcStride, width, height int, table *[256]byte) {
	for y := range height {
		from, to := src[y*srcStride:][:width], dst[y*dstStride:][:width]
		for x, v := range from {
			to[x] = table[v]
		}
	}
}
