package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/transport"
)

func TestFacesFoundInDifferentWaysCountOnce(t *testing.T) {
	at := func(x, y, score float64, r geom.Rotation) face.Face {
		return face.Face{Box: geom.Box{X: x, Y: y, W: 20, H: 20}, Score: score, Rotation: r}
	}
	weak := at(200, 0, 0.2, geom.Turned90)
	weak.Weak = true
	require.Equal(t, map[geom.Rotation]int{geom.Turned180: 1, geom.Upright: 1}, lie([]face.Face{
		at(0, 0, 0.7, geom.Upright), at(0, 15, 0.9, geom.Turned180), at(100, 0, sureFace, geom.Upright), at(150, 0, 0.5, geom.Turned90), weak,
	}))
	require.Empty(t, lie(nil))
}

func TestOnlyKeyFramesAreLookedAt(t *testing.T) {
	for _, data := range [][]byte{nil, {0, 0, 0, 1, 9, 16}, {0, 0, 0, 1, 0x41, 1, 2, 3}, make([]byte, 100)} {
		_, err := look(transport.CameraUnit{Codec: transport.H264, Data: data}, nil)
		require.Error(t, err)
	}
}
