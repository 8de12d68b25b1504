package files

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/selftest"
	"scrim/redact/yuv"
)

func TestSelfTestPassesWithTheRealParts(t *testing.T) {
	d := realDetector(t)
	o, err := obscure.New(obscure.Options{})
	require.NoError(t, err)
	r, err := New(Options{Detector: d, Obscurer: o, Lookahead: 30})
	require.NoError(t, err)
	require.NoError(t, r.SelfTest(ipc.Files{Sizes: []int{640, 1280}, Detect: ipc.DetectConfig{Threshold: 0.3}}))
}

// idle is an obscurer that does nothing.
type idle struct{}

func (idle) Apply(*yuv.Image, []geom.Region) error { return nil }

func TestSelfTestNoticesPartsThatDoNothing(t *testing.T) {
	c := ipc.Files{Sizes: []int{640}, Detect: ipc.DetectConfig{Threshold: 0.3}}
	r, err := New(Options{Detector: &scripted{}, Obscurer: idle{}})
	require.NoError(t, err)
	require.ErrorIs(t, r.SelfTest(c), selftest.ErrNotFound)
	r, err = New(Options{Detector: realDetector(t), Obscurer: idle{}})
	require.NoError(t, err)
	require.ErrorIs(t, r.SelfTest(c), selftest.ErrVisible)
}
