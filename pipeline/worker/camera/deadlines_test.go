package camera

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

// faultBound is within what time a fault must end in a slate.
const faultBound = 500 * time.Millisecond

// A redactor that stands still right after a heartbeat: slates are shown and go on, then it
// is killed, however late ticks are.
func TestFaultOfAProcessEndsInASlateWithinHalfASecond(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	for n := range 2000 {
		interval := func() time.Duration { return tickInterval }
		switch n {
		case 0:
		case 1:
			interval = func() time.Duration { return lateTick }
		default:
			interval = func() time.Duration { return 1 + time.Duration(random.Int64N(int64(lateTick))) }
		}
		r, id := bench(t)
		r.give(id, 1, 0, true, "a")
		r.do(messageReceived{id, &ipc.Heartbeat{}, nil})
		began, published, slates := r.now, r.now, 0
		r.out, r.examined = nil, time.Time{}
		for len(r.killed) == 0 && r.now.Sub(began) < time.Minute {
			r.now = r.now.Add(interval())
			r.do(tick{})
			if len(r.out) == 0 {
				continue
			}
			if slates++; n == 0 && slates == 1 {
				require.Greater(t, r.examined, began, "whether it starves is known before viewers see a slate")
				require.Less(t, r.examined, r.now, "whether it starves is known before viewers see a slate")
			}
			require.LessOrEqual(t, r.now.Sub(published), faultBound, "slate %d, ticks %d", slates, n)
			require.NotNil(t, r.m.view.fallback)
			r.out, published = nil, r.now
		}
		require.Greater(t, slates, 1, "slates go on before the process is killed, ticks %d", n)
		require.LessOrEqual(t, r.now.Sub(began), killSilence+lateTick, "ticks %d", n)
	}
}

func TestHeartbeatsThatAreLateAreNoFault(t *testing.T) {
	r, id := bench(t)
	r.give(id, 1, 0, true, "a")
	for range 20 {
		r.pass(3*ipc.HeartbeatInterval + 2*tickInterval)
		require.Nil(t, r.m.view.fallback)
		r.do(messageReceived{id, &ipc.Heartbeat{}, nil})
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
