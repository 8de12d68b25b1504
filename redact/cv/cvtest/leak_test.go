//go:build matprofile

package cvtest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"
)

func TestLeakOfScaledMatrices(t *testing.T) {
	before := gocv.MatProfile.Count()
	s, err := NewScaler(32, 24)
	require.NoError(t, err)
	p := plane(64, 48, 70, func(x, y int) byte { return byte(x * y) })
	for range 20 {
		_, err = s.Scale(p)
		require.NoError(t, err)
		_, err = s.Scale(Plane{})
		require.Error(t, err)
	}
	require.Equal(t, before+1, gocv.MatProfile.Count(), "the scaler's own")
	s.Close()
	require.Equal(t, before, gocv.MatProfile.Count())
}
