package sight

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/condition"
	"scrim/redact/detect"
)

// What a camera's coding leaves of a dim, noisy picture looks clean: flat blocks.
func TestDimPictureWithoutGrainIsNotProved(t *testing.T) {
	c := newClip(t, 640, 360, 3)
	for _, light := range []float64{1, 0.5, 0.2, 0.1} {
		im := c.frame(t, 1).Clone()
		for i, y := range im.Y {
			im.Y[i] = byte(16 + max(float64(y)-16, 0)*light)
		}
		s := newSight(t, Options{Detector: open(t, detect.Config{Size: 640}), NeedPixels: 48})
		v, err := s.Judge(begin, im)
		require.NoError(t, err)
		var p parts
		p.measure(im)
		require.Equal(t, p.bright < dimLevel, p.smeared(condition.Measure(im).Noise))
		require.Equal(t, light >= 0.5, v.Proved, "%g of the light: %s", light, v.Why)
		if !v.Proved {
			require.Equal(t, WhyTooDark, v.Why)
		}
	}
}
