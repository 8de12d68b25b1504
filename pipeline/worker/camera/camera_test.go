package camera

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// still is a camera that does nothing.
func still(t *testing.T, before *Camera) *Camera {
	t.Helper()
	s := &site{out: make(chan *transport.RedactedUnit, 10), log: &lockedBuffer{}}
	c, err := New(Options{
		Redactor: ipc.Config{Site: "test", Camera: "door"}, Program: "none", Source: s, Sink: s,
		Delay: func(error) time.Duration { return 0 }, Before: before, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return c
}

func TestNoticeStandsBesideTheRedactorsWarning(t *testing.T) {
	c := still(t, nil)
	c.Notice("configuration\nis refused")
	require.Equal(t, "configuration is refused", c.Status().Warning)
	c.machine.status.redactorReady(&ipc.Hello{Warning: "the detector is slow"})
	require.Equal(t, "the detector is slow; configuration is refused", c.Status().Warning)
	c.Notice("")
	require.Equal(t, "the detector is slow", c.Status().Warning)
}

func TestCameraRunsOnce(t *testing.T) {
	c := still(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, c.Run(ctx))
	require.ErrorContains(t, c.Run(ctx), "has run already")
}

// Viewers refuse what comes of an epoch that is over, and go by PTS, also where a
// clock was set back in between. They see a slate at once.
func TestCameraGoesOnWhereTheOneBeforeHasEnded(t *testing.T) {
	first := still(t, nil)
	now := time.Now()
	first.machine.stream.lastEpoch = uint64(now.Add(time.Hour).UnixMilli()) //nolint:gosec // positive
	first.machine.slates.keep(slate{ipc.PreparedSlate{Kind: ipc.SlateStarting, Codec: "avc1.42c01f", Width: 64, Height: 48}, []byte("slate")}, true)
	shows := func(c *Camera, now time.Time) *transport.RedactedUnit {
		for _, a := range c.machine.step(now, tick{}) {
			if p, ok := a.(publish); ok {
				return p.unit
			}
		}
		t.Fatal("no slate")
		return nil
	}
	before := shows(first, now)
	second := still(t, first)
	after := shows(second, now.Add(slateInterval))
	require.Equal(t, "slate", string(after.Data))
	require.True(t, after.Key)
	require.Equal(t, transport.StateObscured, after.State)
	require.Greater(t, after.Epoch, before.Epoch)
	require.Equal(t, uint64(1), after.Seq)
	require.Greater(t, after.PTS, before.PTS)
}
