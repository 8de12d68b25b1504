package supervise

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// night is a darkness with a log, and the time of a test.
type night struct {
	darkness
	at  time.Time
	s   transport.Status
	log *lockedBuffer
}

func newNight() *night {
	log, b := debugLog()
	return &night{darkness: darkness{log: log}, at: time.Unix(1_700_000_000, 0), log: b}
}

// lasts has a state last.
func (n *night) lasts(d time.Duration, state transport.State, reason string) {
	n.s.State, n.s.Reason = state, reason
	for end := n.at.Add(d); n.at.Before(end); n.at = n.at.Add(statusInterval) {
		if state == transport.StateLive {
			n.s.Counters.Pictures++
		}
		n.look(n.at, n.s)
	}
}

func TestLongDarknessIsLoggedAtGrowingIntervals(t *testing.T) {
	n := newNight()
	n.lasts(time.Minute, transport.StateLive, "")
	n.lasts(darkTime, transport.StateObscured, "self-test failed")
	require.Empty(t, n.log.String(), "a moment is none")
	n.lasts(3*time.Hour, transport.StateObscured, "self-test failed")
	lines := logged(n.log, "level=WARN", `msg="viewers get no picture" state=obscured`, `reason="self-test failed"`)
	require.Len(t, lines, 1+3+2, "after 10 seconds, 1, 10 and 60 minutes, and every hour")
	require.Contains(t, lines[0], "none_for=10s")
	require.Contains(t, lines[2], "none_for=10m0s")
	require.Contains(t, lines[5], "none_for=3h0m0s")
	n.lasts(time.Second, transport.StateFailed, "another")
	require.Len(t, logged(n.log, "level=WARN", "state=failed", "reason=another"), 1)
	n.lasts(2*calm, transport.StateLive, "")
	require.Len(t, logged(n.log, "level=INFO", "viewers get pictures again", "none_for=3h0m11s"), 1)
}

func TestDarknessOfWhichTheLogSpeaksAnywayIsNotLoggedTwice(t *testing.T) {
	n := newNight()
	for range 1000 { // a camera that is away
		n.logged(n.at, "camera unreachable", time.Second)
		n.lasts(2*time.Second, transport.StateObscured, "camera unreachable")
	}
	n.logged(n.at, "wrong user or password", 15*time.Minute)
	n.lasts(15*time.Minute, transport.StateObscured, "wrong user or password")
	require.Empty(t, n.log.String())
	n.lasts(15*time.Minute, transport.StateObscured, "wrong user or password")
	require.NotEmpty(t, logged(n.log, "level=WARN"), "nobody speaks of it any more")

	n = newNight()
	for i := range 10 * maxKnown {
		n.logged(n.at, string(rune('a'+i)), time.Hour)
	}
	require.Len(t, n.known, maxKnown)
	n.logged(n.at, "camera unreachable", time.Second)
	n.lasts(darkTime+time.Second, transport.StateObscured, "no key frame")
	require.Len(t, logged(n.log, "level=WARN", `reason="no key frame"`), 1, "that is another reason")
}

func TestDarknessEndsWithEveryPicture(t *testing.T) {
	n := newNight()
	for range 100 { // it is never seen to be live
		n.s.Counters.Pictures++
		n.lasts(darkTime-time.Second, transport.StateObscured, "packet loss")
	}
	require.Empty(t, n.log.String())
}

// What the redactor itself says is no error of anybody's.
func TestCameraThatStaysObscuredIsAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &lockedBuffer{}
		c := idle(t, nil)
		c.dark.log = slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelWarn}))
		ctx, cancel := context.WithCancel(t.Context())
		var watch sync.WaitGroup
		watch.Go(func() { _ = c.watchDarkness(ctx) })
		defer watch.Wait()
		defer cancel()
		c.state.covered(&transport.RedactedUnit{}, cover{fault: transport.FaultSelfTest, reason: "self-test failed"}, nil)
		time.Sleep(2*darkTime + statusInterval)
		require.Len(t, logged(b, "level=WARN", `reason="self-test failed"`, "fault=selftest"), 1)
	})
}

func TestEndOfARedactorIsKnownToTheLog(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	s, c, _ := beginWith(t, func(*Options) {}, exe, fakeArg, "good")
	s.send(t, "killed")
	e := s.event(t, transport.StateFailed, "SIGKILL")
	known := func(reason string) func() bool {
		return func() bool {
			c.dark.mu.Lock()
			defer c.dark.mu.Unlock()
			return c.dark.isKnown(time.Now(), reason)
		}
	}
	require.Eventually(t, known(e.Reason), testTimeout, time.Millisecond)
	s.fail <- refusal{}
	require.Eventually(t, known(publicReason(refusal{})), testTimeout, time.Millisecond, "with the text that viewers get")
	require.False(t, known("redactor is starting")())
}
