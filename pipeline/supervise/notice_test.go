package supervise

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
)

// idle is a camera that does nothing.
func idle(t *testing.T, after uint64) *Camera {
	t.Helper()
	s := &site{}
	c, err := New(Options{
		Redactor: wire.Config{Site: "test", Camera: "door"}, Program: "none", Source: s, Sink: s,
		Delay: func(error) time.Duration { return 0 }, After: after, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return c
}

func TestNoticeStandsBesideTheRedactorsWarning(t *testing.T) {
	c := idle(t, 0)
	c.Notice("configuration\nis refused")
	require.Equal(t, "configuration is refused", c.Status().Warning)
	c.state.hello(wire.Hello{Warning: "last resort"})
	require.Equal(t, "last resort; configuration is refused", c.Status().Warning)
	c.Notice("")
	require.Equal(t, "last resort", c.Status().Warning)
}

// Viewers refuse what comes of an epoch that is over, also where a clock was set
// back in between.
func TestCameraGoesOnAfterTheEpochsOfTheOneBefore(t *testing.T) {
	last := uint64(time.Now().Add(time.Hour).UnixMilli()) //nolint:gosec // positive
	c := idle(t, last)
	require.Equal(t, last+1, c.nextEpoch())
}
