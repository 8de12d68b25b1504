//go:build matprofile

package cv

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"
)

func TestLeakOfMatricesOfNets(t *testing.T) {
	before := gocv.MatProfile.Count()
	n := net(t)
	for i := range 20 {
		in, err := n.Input(64, 32+32*(i%2), 10000)
		require.NoError(t, err)
		clear(in)
		_, err = n.Forward(nil)
		require.NoError(t, err)
	}
	n.Close()
	require.Equal(t, before, gocv.MatProfile.Count())
}
