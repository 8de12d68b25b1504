//go:build matprofile

package detect

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"

	"scrim/redact/yuv"
)

func TestLeakOfMatrices(t *testing.T) {
	before := gocv.MatProfile.Count()
	for _, c := range []Config{
		{Size: 320, Threshold: 0.3, Engine: EngineOpenCV},
		{Size: 192, Threshold: 0.3, Tiles: true, SkipUnchanged: true, Engine: EngineOpenCV},
		{Size: 192, Threshold: 0.3, Tiles: true, SkipUnchanged: true, Engine: EngineScrim},
	} {
		d, err := Open(c)
		require.NoError(t, err)
		for i := range 10 {
			im, err := yuv.New(320+i, 180)
			require.NoError(t, err)
			for k := range 3 { // crops, too
				im.Y[60*k*im.YStride+100*k] = byte(200 * (k & 1))
				im.Y[80*im.YStride+50] = byte(120 * k)
				_, err = d.Detect(im)
				require.NoError(t, err)
			}
		}
		require.NoError(t, d.Close())
		require.NoError(t, d.Close())
	}
	require.Equal(t, before, gocv.MatProfile.Count())
}
