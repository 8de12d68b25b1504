package redact

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

func TestFailsafeLeavesNothingOfThePicture(t *testing.T) {
	im, err := yuv.New(33, 17)
	require.NoError(t, err)
	for i := range im.Y {
		im.Y[i] = byte(7 * i)
	}
	for i := range im.U {
		im.U[i], im.V[i] = byte(3*i), byte(5*i)
	}
	f, err := Failsafe(&Picture{Image: im}, "damaged")
	require.NoError(t, err)
	for _, plane := range [][]byte{f.Image().Y, f.Image().U, f.Image().V} {
		for _, v := range plane {
			require.Equal(t, plane[0], v)
		}
	}
	slate, reason := f.Slate()
	require.True(t, slate)
	require.Equal(t, "damaged", reason)
	require.Len(t, f.Regions(), 1)
	require.Equal(t, im.Bounds(), f.Regions()[0].Rect)
	require.Equal(t, geom.Failsafe, f.Regions()[0].Source)
	require.True(t, NewGate(Cause{Text: "shut"}).Admits(f, time.Now()))
	for _, p := range []*Picture{nil, {}} {
		_, err := Failsafe(p, "")
		require.Error(t, err)
	}
}
