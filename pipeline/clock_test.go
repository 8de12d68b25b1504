package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/transport"
)

const tick = transport.ClockRate / 30

func TestOutputKeepsTheCamerasSpacingUnderJitter(t *testing.T) {
	var c clock
	start := time.Unix(1_700_000_000, 0)
	last := c.picture(1000, start)
	for i := int64(1); i < 300; i++ {
		jitter := time.Duration(i%7-3) * 5 * time.Millisecond
		pts := c.picture(1000+i*tick, start.Add(time.Duration(i)*time.Second/30+jitter))
		require.InDelta(t, tick, pts-last, 0.05*tick)
		last = pts
	}
}

func TestOutputFollowsTheWallClockWhenTheCamerasJumps(t *testing.T) {
	var c clock
	start := time.Unix(1_700_000_000, 0)
	c.picture(1000, start)
	now := start.Add(time.Second / 30)
	require.InDelta(t, wall(now), c.picture(1000+1<<40, now), tick)
	now = now.Add(time.Second / 30)
	require.InDelta(t, wall(now), c.picture(5, now), tick)
}

func TestOutputNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c clock
		now := time.Unix(1_700_000_000, 0)
		last := int64(0)
		for range rapid.IntRange(1, 50).Draw(t, "pictures") {
			now = now.Add(time.Duration(rapid.Int64Range(-1e9, 1e9).Draw(t, "step")))
			var pts int64
			if rapid.Bool().Draw(t, "slate") {
				pts = c.slate(now)
			} else {
				pts = c.picture(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "pts"), now)
			}
			if pts <= last {
				t.Fatalf("pts %d after %d", pts, last)
			}
			last = pts
		}
	})
}
