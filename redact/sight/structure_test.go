package sight

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/yuv"
)

func TestStructureTellsScenesApart(t *testing.T) {
	k := newClip(t, 640, 360, 7)
	var before structure
	before.measure(k.frame(t, 200))
	now := func(im *yuv.Image) bool {
		var s structure
		s.measure(im)
		return s.changed(&before)
	}
	others := 0
	for n := range uint32(20) {
		if now(k.frame(t, 200+50*n)) {
			others++
		}
	}
	require.LessOrEqual(t, others, 4, "people who walk about are nearly always the same scene")
	clean := k.frame(t, 200).Clone()
	for name, h := range map[string]how{
		"half the light": {light: 0.5}, "noise": {noise: 25}, "blur": {blur: 2},
	} {
		require.False(t, now(h.bad(clean)), name)
	}
	turned := clean.Clone()
	slices.Reverse(turned.Y)
	require.True(t, now(turned), "upside down")
	require.True(t, now(grey(t, 640, 360, 90, 3)), "covered")
	moved := clean.Clone()
	copy(moved.Y, clean.Y[clean.YStride*90+160:])
	require.True(t, now(moved), "shifted by a quarter")
	var unknown structure
	require.False(t, before.changed(&unknown))
	require.False(t, unknown.changed(&before))
}
