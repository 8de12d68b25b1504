package passthrough

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// clip is a video of people as a camera codes it.
func clip(t *testing.T, frames int) *simcam.Clip {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	people := scene.Options{Width: 320, Height: 180, FPS: 10, People: 2, Seed: 1}
	o := simcam.RecordOptions{Path: path, Scene: people, Frames: frames, AsCamera: true}
	require.NoError(t, simcam.Record(t.Context(), o, func(simcam.Recorded) error { return nil }))
	c, err := simcam.OpenClip(path, 0)
	require.NoError(t, err)
	require.Len(t, c.Units, frames)
	return c
}

func newTranscoder(t *testing.T) *Transcoder {
	t.Helper()
	tr, err := New()
	require.NoError(t, err)
	t.Cleanup(tr.Close)
	return tr
}

func TestEveryPictureIsDecodedAndEncoded(t *testing.T) {
	const frames = 25
	c, tr := clip(t, frames), newTranscoder(t)
	in := 0
	for i := range c.Units {
		require.NoError(t, tr.Unit(c.Units[i].Data, c.Units[i].PTS))
		in += len(c.Units[i].Data)
	}
	require.NoError(t, tr.Flush())
	require.Equal(t, frames, tr.Frames, "the baseline may leave no picture out, or it is no baseline")
	require.Empty(t, tr.pts, "a picture's time is forgotten once it is encoded")
	// The same pictures by the same encoder take about as many bytes.
	require.InEpsilon(t, in, tr.Bytes, 0.6)
}

func TestTimesThatDoNotGrowAreBent(t *testing.T) {
	c, tr := clip(t, 12), newTranscoder(t)
	for i := range c.Units {
		require.NoError(t, tr.Unit(c.Units[i].Data, 1000))
	}
	require.NoError(t, tr.Flush())
	require.Equal(t, 12, tr.Frames)
	require.EqualValues(t, 1011, tr.last)
}

func TestNothingInIsNothingOut(t *testing.T) {
	tr := newTranscoder(t)
	require.NoError(t, tr.Flush())
	require.Zero(t, tr.Frames)
}
