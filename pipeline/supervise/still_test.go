package supervise

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

func TestSnapshotIsWhatViewersSee(t *testing.T) {
	t.Parallel()
	s, c, _ := begin(t, "spares")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st := &stream{s: s}
	st.until(t, "starting ")
	still, err := c.Snapshot(ctx)
	require.NoError(t, err)
	if still.State == transport.StateObscured { // else it was quick
		require.Equal(t, "starting still", string(still.JPEG))
		require.Equal(t, "starting", still.Reason)
	}
	s.send(t, "one")
	st.until(t, "one after")
	still, err = c.Snapshot(ctx)
	require.NoError(t, err)
	require.Equal(t, "still", string(still.JPEG))
	require.Equal(t, transport.StateLive, still.State)
	require.Equal(t, [2]int{64, 48}, [2]int{still.Width, still.Height})
	s.send(t, "hang")
	st.until(t, "hang ")
	still, err = c.Snapshot(ctx)
	require.NoError(t, err)
	require.Equal(t, transport.StateObscured, still.State)
	require.NotEqual(t, "still", string(still.JPEG), "the last picture is not shown any more")
}

func TestSnapshotOfNothingEndsInTime(t *testing.T) {
	t.Parallel()
	_, c, _ := begin(t, "permanent")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := c.Snapshot(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	c.stills.mu.Lock()
	defer c.stills.mu.Unlock()
	require.Empty(t, c.stills.waiting)
}

func TestSnapshotThatIsTooLargeEndsTheRedactor(t *testing.T) {
	t.Parallel()
	s, _, _ := begin(t, "plain")
	s.send(t, "too large a still")
	s.event(t, transport.StateFailed, "talks nonsense")
}
