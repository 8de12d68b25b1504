package camera

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

// faultBound is within what time a fault must end in a slate.
const faultBound = 500 * time.Millisecond

// However late a beat and a look are, the sum is within the bound.
func TestFaultOfAProcessEndsInASlateWithinHalfASecond(t *testing.T) {
	require.LessOrEqual(t, slateSilence+lateTick, faultBound, "a process that stands still right after a heartbeat, or an encoder")
	require.Less(t, slateInterval+lateTick, faultBound, "slates go on")
	require.GreaterOrEqual(t, slateSilence, 3*ipc.HeartbeatInterval+2*tickInterval, "heartbeats that are late are no fault")
	require.Less(t, slateSilence, killSilence, "viewers are told before the process is killed")
	require.Less(t, examineSilence+tickInterval, slateSilence, "and then it is known whether it starves")
	require.Greater(t, standstill, lateTick, "time is not taken off where ticks are late")
}

func TestSlateIsInTimeWhereTicksAreLate(t *testing.T) {
	for _, each := range []time.Duration{tickInterval, 60 * time.Millisecond, 100 * time.Millisecond, 120 * time.Millisecond, lateTick} {
		r, id := bench(t)
		r.give(id, 1, 0, true, "a")
		begun := r.now
		ticks := func(until func() bool) time.Duration {
			for !until() && r.now.Sub(begun) < time.Minute {
				r.now = r.now.Add(each)
				r.do(tick{})
			}
			return r.now.Sub(begun)
		}
		require.LessOrEqual(t, ticks(func() bool { return r.m.view.fallback != nil }), faultBound, "ticks every %v", each)
		require.LessOrEqual(t, ticks(func() bool { return len(r.killed) > 0 }), killSilence+lateTick, "ticks every %v", each)
	}
}

func TestRedactorThatDoesNotComeUpIsNoticedBetweenStandstills(t *testing.T) {
	r := newRig(t, false)
	r.do(runStarted{true}, processStarted{1, 1})
	begun := r.now
	for len(r.killed) == 0 {
		r.now = r.now.Add(2 * standstill)
		r.do(tick{})
	}
	require.LessOrEqual(t, r.now.Sub(begun), helloTimeout+4*standstill)
}

func TestProgramThatStandsStillAgainAndAgainNoticesAProcessThatDoes(t *testing.T) {
	r, id := bench(t)
	r.give(id, 1, 0, true, "a")
	begun := r.now
	for len(r.killed) == 0 {
		r.now = r.now.Add(2 * standstill)
		r.do(tick{})
	}
	require.LessOrEqual(t, r.now.Sub(begun), killSilence+4*standstill)
}
