package camera

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// away is a connectionOutage with a log, and the time of a test.
type away struct {
	connectionOutage
	at  time.Time
	log *lockedBuffer
}

func newAway() *away {
	log, b := logs()
	return &away{connectionOutage{log: log}, time.Unix(1_700_000_000, 0), b}
}

// tries has attempts fail for a time, one every 1.2 seconds.
func (a *away) tries(d time.Duration, reason string) (attempts int) {
	const each = 1200 * time.Millisecond
	for end := a.at.Add(d); a.at.Before(end); a.at = a.at.Add(each) {
		a.attemptFailed(a.at, reason, each)
		attempts++
	}
	return attempts
}

// comes has units come for a time.
func (a *away) comes(d time.Duration) {
	const each = 40 * time.Millisecond
	for end := a.at.Add(d); a.at.Before(end); a.at = a.at.Add(each) {
		a.unitArrived(a.at)
	}
}

func TestCameraThatIsAwayIsLoggedAtGrowingIntervals(t *testing.T) {
	a := newAway()
	attempts := a.tries(24*time.Hour, "connection refused")
	lines := logged(a.log, "level=WARN", `msg="no video from the camera"`, `error="connection refused" retry_in=1.2s`)
	require.Len(t, lines, 3+23, "at once, after 1 and 10 minutes, and every hour")
	require.NotContains(t, lines[0], "attempts")
	require.Contains(t, lines[1], "away=1m0s attempts=50\n")
	require.Contains(t, lines[2], "away=10m0s attempts=450\n")
	require.Contains(t, lines[3], "away=1h0m0s attempts=2500\n")
	require.Contains(t, lines[4], "away=2h0m0s attempts=3000\n")
	require.Len(t, logged(a.log, "level=DEBUG", `msg="no video from the camera"`), attempts-len(lines))
	require.Len(t, logged(a.log, "level=INFO"), 0)
	a.comes(2 * calm)
	require.Len(t, logged(a.log, "level=INFO", `msg="video from the camera again" away=24h0m0s`), 1)
	require.Len(t, logged(a.log, "level=INFO"), 1)
	a.tries(10*time.Second, "connection refused")
	require.Len(t, logged(a.log, "level=WARN"), len(lines)+1, "another time")
}

func TestAnotherReasonIsLoggedAtOnce(t *testing.T) {
	a := newAway()
	a.tries(10*time.Second, "connection refused")
	a.tries(10*time.Second, "wrong password")
	require.Len(t, logged(a.log, "level=WARN"), 2)
	require.Len(t, logged(a.log, "level=WARN", "wrong password"), 1)
}

// A camera that says something else each time, or that comes for a moment each time,
// does not fill the log either.
func TestWhatChangesAllTheTimeIsLoggedAtGrowingIntervals(t *testing.T) {
	for what, life := range map[string]func(a *away, i int){
		"reason": func(a *away, i int) { a.tries(time.Second, fmt.Sprint("reason ", i)) },
		"comes and goes": func(a *away, _ int) {
			a.tries(time.Second, "connection lost")
			a.comes(time.Second)
		},
	} {
		a := newAway()
		begun := a.at
		for i := 0; a.at.Sub(begun) < 5*time.Hour; i++ {
			life(a, i)
		}
		warnings, infos := logged(a.log, "level=WARN"), logged(a.log, "level=INFO")
		require.LessOrEqual(t, len(warnings), 7*(1+maxBetween), what)
		require.GreaterOrEqual(t, len(warnings), 7, what)
		require.Less(t, len(infos), len(warnings), what)
		require.Contains(t, lastOf(a.log, "level=WARN", "level=INFO"), "level=WARN", "that it is away is the last word")
		a.comes(2 * calm)
		require.Contains(t, lastOf(a.log, "level=WARN", "level=INFO"), "again", "until it has been there for a while")
	}
}

// lastOf returns the last line of a log that has one of the texts.
func lastOf(log fmt.Stringer, texts ...string) (last string) {
	for l := range strings.Lines(log.String()) {
		for _, t := range texts {
			if strings.Contains(l, t) {
				last = l
			}
		}
	}
	return last
}

func TestCameraThatComesBackIsLoggedOnce(t *testing.T) {
	a := newAway()
	a.comes(time.Second)
	require.Empty(t, a.log.String())
	a.tries(12*time.Second, "connection refused")
	a.comes(5 * calm)
	require.Len(t, logged(a.log, "level=INFO"), 1)
	require.Len(t, logged(a.log, `msg="video from the camera again" away=12s`), 1)
	require.Zero(t, a.repeat, "nothing is left to be told")
}

// The log has the whole of an error, above all the advice at its end.
func TestErrorOfACameraIsInTheLogWithItsAdvice(t *testing.T) {
	const pinned = "camera door: connecting to rtsps://camera-17.example.org:322/Streaming/Channels/101: its certificate has the SHA-256 " +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, which is not the pinned one; check for an " +
		"attacker in between; if the camera has a new certificate, read its fingerprint on the camera itself and set `tls.fingerprint` to that value"
	s, _, _ := begin(t, "good")
	for _, text := range []string{pinned, strings.Repeat("long ", 10_000)} {
		s.send(t, "one")
		s.fail <- errors.New(text)
	}
	require.Eventually(t, func() bool { return len(logged(s.log, "no video from the camera")) == 2 }, testTimeout, time.Millisecond)
	lines := logged(s.log, "no video from the camera")
	require.Contains(t, lines[0], `error="`+pinned+`" retry_in=`)
	require.Less(t, len(lines[1]), maxLogError+200)
	require.Len(t, logged(s.log, "video from the camera again"), 1)
}

// night is a pictureOutage with a log, and the time of a test.
type night struct {
	pictureOutage
	at  time.Time
	s   transport.Status
	log *lockedBuffer
}

func newNight() *night {
	log, b := logs()
	return &night{pictureOutage: pictureOutage{log: log}, at: time.Unix(1_700_000_000, 0), log: b}
}

// lasts has a state last.
func (n *night) lasts(d time.Duration, state transport.State, reason string) {
	n.s.State, n.s.Reason = state, reason
	for end := n.at.Add(d); n.at.Before(end); n.at = n.at.Add(statusInterval) {
		if state == transport.StateLive {
			n.s.Counters.Pictures++
		}
		n.check(n.at, &n.s)
	}
}

func TestLongPictureOutageIsLoggedAtGrowingIntervals(t *testing.T) {
	n := newNight()
	n.lasts(time.Minute, transport.StateLive, "")
	n.lasts(outageTime, transport.StateObscured, "self-test failed")
	require.Empty(t, n.log.String(), "a moment is none")
	n.lasts(3*time.Hour, transport.StateObscured, "self-test failed")
	lines := logged(n.log, "level=WARN", `msg="no live picture" state=obscured`, `reason="self-test failed"`)
	require.Len(t, lines, 1+3+2, "after 10 seconds, 1, 10 and 60 minutes, and every hour")
	require.Contains(t, lines[0], "none_for=10s")
	require.Contains(t, lines[2], "none_for=10m0s")
	require.Contains(t, lines[5], "none_for=3h0m0s")
	n.lasts(time.Second, transport.StateFailed, "another")
	require.Len(t, logged(n.log, "level=WARN", "state=failed", "reason=another"), 1)
	n.lasts(2*calm, transport.StateLive, "")
	require.Len(t, logged(n.log, "level=INFO", "live picture restored", "none_for=3h0m11s"), 1)
}

func TestPictureOutageOfWhichTheLogSpeaksAnywayIsNotLoggedTwice(t *testing.T) {
	n := newNight()
	for range 1000 { // a camera that is away
		n.noteLogged(n.at, "camera unreachable", time.Second)
		n.lasts(2*time.Second, transport.StateObscured, "camera unreachable")
	}
	n.noteLogged(n.at, "wrong user or password", 15*time.Minute)
	n.lasts(15*time.Minute, transport.StateObscured, "wrong user or password")
	require.Empty(t, n.log.String())
	n.lasts(15*time.Minute, transport.StateObscured, "wrong user or password")
	require.NotEmpty(t, logged(n.log, "level=WARN"), "nobody speaks of it any more")

	n = newNight()
	n.noteLogged(n.at, "camera unreachable", time.Second)
	n.lasts(outageTime+time.Second, transport.StateObscured, "no key frame")
	require.Len(t, logged(n.log, "level=WARN", `reason="no key frame"`), 1, "that is another reason")
}

func TestPictureOutageEndsWithEveryPicture(t *testing.T) {
	n := newNight()
	for range 100 { // it is never seen to be live
		n.s.Counters.Pictures++
		n.lasts(outageTime-time.Second, transport.StateObscured, "packet loss")
	}
	require.Empty(t, n.log.String())
}

// What the redactor itself says is no error of anybody's.
func TestCameraThatStaysObscuredIsAWarning(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	for end := r.now.Add(2*outageTime + statusInterval); r.now.Before(end); r.beats(id, 200*time.Millisecond) {
		r.do(messageReceived{id, &ipc.Output{
			RedactedUnit: transport.RedactedUnit{
				Epoch: 1, Key: true, Codec: "c", Width: 64, Height: 48, State: transport.StateObscured, Reason: "self-test failed",
			}, Fault: transport.FaultSelfTest,
		}, []byte("slate")})
	}
	require.Len(t, r.lines("level=WARN", `reason="self-test failed"`, "fault=selftest"), 1)
}

func TestEndOfARedactorIsKnownToTheLog(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.end(id, errors.New("redactor killed by signal SIGKILL"))
	known := func(reason string) bool { return r.m.pictureOutage.isLogged(r.now, reason) }
	require.True(t, known(r.lastEvent().Reason))
	r.do(sourceEnded{"for the log", publicReason(refusal{}), time.Second, false})
	require.True(t, known(publicReason(refusal{})), "with the text that viewers get")
	require.False(t, known("redactor is starting"))
}
