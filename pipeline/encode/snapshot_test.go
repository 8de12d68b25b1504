package encode

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact"
)

func TestSnapshotIsAJPEGOfTheFrame(t *testing.T) {
	slate, err := redact.NewSlate(321, 181)
	require.NoError(t, err)
	s, err := NewSnapshot(slate.Frame("why not"))
	require.NoError(t, err)
	data, err := s.JPEG(1 << 20)
	require.NoError(t, err)
	im, err := jpeg.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 321, 181), im.Bounds())
	require.InDelta(t, (40-16)*255/219, im.(*image.YCbCr).Y[0], 2, "of full range, as JPEGs are")
	require.NotContains(t, string(data), "Exif")
	small, err := s.JPEG(len(data) - 1)
	require.NoError(t, err, "at less quality")
	require.Less(t, len(small), len(data))
	_, err = s.JPEG(10)
	require.ErrorContains(t, err, "over the limit")
}

func TestNoFrameIsNoSnapshot(t *testing.T) {
	_, err := NewSnapshot(redact.Frame{})
	require.ErrorIs(t, err, ErrNoFrame)
}
