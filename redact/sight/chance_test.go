package sight

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// dreamer is a detector that finds faces of all sizes everywhere, whatever it sees.
type dreamer struct{ redact.PartDetector }

func (d dreamer) DetectPart(part *yuv.Image, _ image.Point, _, _ int) (faces []face.Face, err error) {
	for size := 12.0; size < float64(part.Height); size *= 1.4 {
		for y := 0.0; y < float64(part.Height); y += size / 3 {
			for x := 0.0; x < float64(part.Width); x += size / 3 {
				faces = append(faces, face.Face{Box: geom.Box{X: x, Y: y, W: size * 0.8, H: size}, Score: 0.5})
			}
		}
	}
	return faces, nil
}

func TestDetectorThatFindsFacesEverywhereSeesNone(t *testing.T) {
	s := newSight(t, Options{Detector: dreamer{open(t, detect.Config{Size: 640})}, NeedPixels: 48})
	c := newClip(t, 640, 360, 3)
	v, err := s.Judge(begin, c.frame(t, 1))
	require.NoError(t, err)
	require.False(t, v.Proved)
	require.NotEmpty(t, v.Why)
}
