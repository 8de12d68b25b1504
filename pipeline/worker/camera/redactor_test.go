package camera

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// What waits for a processor on a busy machine is not helped by another that does.
func TestRedactorThatStarvesIsCoveredForAndNotKilled(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.runnable = true
	r.pass(slateSilence + tickInterval)
	require.Equal(t, []string{"first", "hang"}, r.all())
	e := r.lastEvent()
	require.Equal(t, transport.FaultOverload, e.Fault)
	require.Contains(t, e.Reason, "too slow")
	r.pass(starveTime - time.Second)
	require.Empty(t, r.killed)
	r.give(id, 5, r.m.view.minFence, true, "back")
	require.Contains(t, r.all(), "back")
	require.EqualValues(t, 1, r.m.status.at(r.now).Counters.Faults[transport.FaultOverload])

	r.pass(starveTime + tickInterval)
	require.Equal(t, []int{id}, r.killed, "not even that forever")
	require.Equal(t, transport.FaultOverload, r.lastEvent().Fault)
}

func TestRedactorThatHangsIsKilledEvenIfItStarvedBefore(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.runnable = true
	r.pass(2 * killSilence)
	r.runnable = false
	require.Empty(t, r.killed)
	r.pass(killSilence + examineInterval)
	require.Equal(t, []int{id}, r.killed)
	require.Equal(t, transport.FaultHang, r.lastEvent().Fault)
	r, id = bench(t)
	r.give(id, 5, 0, true, "first")
	r.pass(killSilence)
	require.Empty(t, r.killed)
	r.pass(tickInterval)
	require.Equal(t, []int{id}, r.killed, "it never waited for a processor")
}

func TestRedactorThatDoesNotComeUpIsKilledUnlessItStarves(t *testing.T) {
	for _, runnable := range []bool{false, true} {
		r := newRig(t, false)
		r.do(runStarted{true}, processStarted{1, 1})
		r.runnable = runnable
		r.pass(helloTimeout)
		require.Empty(t, r.killed)
		r.pass(killSilence)
		require.Equal(t, !runnable, len(r.killed) == 1)
		r.pass(starveTime - helloTimeout)
		require.Equal(t, []int{1}, r.killed)
	}
}

func TestRedactorThatSpinsIsKilled(t *testing.T) {
	r, id := bench(t)
	r.beats(id, 2*time.Second)
	r.used = 2 * spinCPU
	r.beats(id, spinTime-time.Second)
	require.Empty(t, r.killed)
	r.beats(id, 2*time.Second)
	require.Equal(t, []int{id}, r.killed)
}

// That it is runnable all the time is no sign of a machine that is too slow.
func TestSilentRedactorThatHasAProcessorIsKilledLikeAnyOther(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.beats(id, 3*usageInterval)
	r.runnable = true
	begun := r.now
	for len(r.killed) == 0 {
		r.used += tickInterval
		r.pass(tickInterval)
	}
	require.Less(t, r.now.Sub(begun), 2*killSilence)
	require.Equal(t, transport.FaultHang, r.lastEvent().Fault)

	r, id = bench(t)
	r.give(id, 5, 0, true, "first")
	r.runnable = true
	for range 10 * time.Second / tickInterval { // it gets half of one
		r.used += tickInterval / 2
		r.pass(tickInterval)
	}
	require.Empty(t, r.killed)
	require.Equal(t, transport.FaultOverload, r.lastEvent().Fault)
}

// It is found out while a slate is due: what follows comes after that.
func TestSlatesOfARedactorThatSpinsStayInOrder(t *testing.T) {
	r, id := bench(t)
	r.give(id, 1, 0, true, "a")
	p := &promises{t: t, r: r}
	for len(r.killed) == 0 { // its encoder hangs
		r.used += 45 * time.Millisecond
		r.do(messageReceived{id, &ipc.Heartbeat{Encoding: int64(time.Second)}, nil})
		r.pass(tickInterval)
		p.all()
	}
}

func TestRestartsWaitLongerAndLongerUnlessOneHasWorked(t *testing.T) {
	r := newRig(t, false)
	r.do(runStarted{true})
	restarts := func() (after time.Duration) {
		begun, n := r.now, len(r.starts)
		r.end(r.starts[n-1].id, errors.New("crash"))
		for len(r.starts) == n {
			r.pass(tickInterval)
		}
		return r.now.Sub(begun)
	}
	for _, want := range []time.Duration{minRestart, 2 * minRestart, 4 * minRestart} {
		require.Equal(t, want, restarts())
	}
	for range 5 {
		restarts()
	}
	require.Equal(t, maxRestart, restarts())
	id := r.up()
	r.beats(id, healthyTime+time.Second)
	require.Equal(t, maxRestart, restarts(), "it has made nothing")
	id = r.up()
	r.beats(id, healthyTime+time.Second)
	r.give(id, 1, 0, true, "picture")
	require.Equal(t, tickInterval, restarts(), "at once")
	require.Equal(t, minRestart, restarts())
}

func TestCameraThatBeginsToSendIsStartedFirst(t *testing.T) {
	r := newRig(t, false)
	r.do(runStarted{true})
	require.Equal(t, []startProcess{{1, false}}, r.starts)
	r.arrives(1, false, "connected")
	r.arrives(2, false, "")
	require.Equal(t, 1, r.hurried)
	r.do(processStarted{1, 1})
	r.end(1, errors.New("crash"))
	r.pass(minRestart)
	require.Equal(t, startProcess{2, true}, r.starts[1])
	r.arrives(3, false, "")
	require.Equal(t, 1, r.hurried)
}

// Another at once would only take more of the processors that are missing.
func TestRestartWaitsAfterOneThatStarved(t *testing.T) {
	r, id := bench(t)
	r.runnable = true
	for delay := minRestart; delay <= 4*minRestart; delay *= 2 {
		r.give(id, 1, 0, true, "a")
		r.killed = nil
		r.pass(starveTime + 2*tickInterval)
		require.Equal(t, []int{id}, r.killed)
		r.end(id, errors.New("killed"))
		require.Equal(t, delay, r.m.redactor.restartDelay)
		r.pass(delay + tickInterval)
		id = r.up()
	}
}

// A camera that was never there costs a slate that all share, and no process.
func TestCameraThatHasSentNothingNeedsNoRedactor(t *testing.T) {
	r := newRig(t, true)
	r.do(runStarted{true}, connecting{})
	require.Equal(t, transport.StateStarting, r.status.State)
	r.pass(time.Second)
	r.do(sourceEnded{"dial tcp: connection refused", "no answer", time.Second, false})
	require.Equal(t, transport.StateOffline, r.status.State, "also while slates are to come")
	shared := []slate{
		{ipc.PreparedSlate{Kind: ipc.SlateOffline, Codec: "avc1.42c01f", Width: 64, Height: 48}, []byte("offline")},
		{ipc.PreparedSlate{Kind: ipc.SlateStarting, Codec: "avc1.42c01f", Width: 64, Height: 48}, []byte("starting")},
		{ipc.PreparedSlate{Kind: ipc.SlateOffline, Snapshot: true, Codec: "jpeg", Width: 64, Height: 48}, []byte("offline still")},
	}
	ch := r.waits()
	r.do(sharedSlatesDone{shared, false})
	require.Equal(t, "offline still", given(ch))
	r.pass(time.Minute)
	require.Empty(t, r.starts)
	require.Len(t, r.out, 240)
	require.Equal(t, transport.StateOffline, r.lastEvent().State)
	require.Equal(t, transport.StateOffline, r.out[0].State)
	require.Equal(t, "no answer", r.out[0].Reason)
	r.all()
	r.arrives(1, false, "connected")
	require.Equal(t, []startProcess{{1, true}}, r.starts)
	r.do(tick{})
	require.Equal(t, []string{"starting"}, r.all())
	r.up()
	r.arrives(2, false, "")
	r.makes(1, 5, 2, 0, true, "live")
	require.Equal(t, []string{"live"}, r.all())
}

func TestCameraWithOtherSettingsDoesNotWaitForItsFirstUnit(t *testing.T) {
	for _, sent := range []bool{false, true} {
		before, after := newRig(t, true), newRig(t, true)
		before.do(runStarted{true})
		if sent {
			before.arrives(1, false, "connected")
		}
		after.m.continueFrom(before.m)
		after.do(runStarted{true})
		require.Equal(t, sent, len(after.starts) == 1)
	}
}

// Where the one for the shared slates does not come up, its own has to say what is wrong.
func TestCameraHasARedactorWhereThatOfTheSharedSlatesFails(t *testing.T) {
	r := newRig(t, true)
	r.do(runStarted{true})
	require.Empty(t, r.starts)
	r.do(sharedSlatesDone{failed: true}, sharedSlatesDone{failed: true})
	require.Len(t, r.starts, 1)
}

func TestSharedSlatesReplaceNoneOfTheCamerasOwn(t *testing.T) {
	r, _ := bench(t)
	r.m.slates.keep(slate{ipc.PreparedSlate{Kind: ipc.SlateHang, Part: 1, Width: 64, Height: 48, Codec: "c"}, []byte("own")}, true)
	r.do(sharedSlatesDone{[]slate{{ipc.PreparedSlate{Kind: ipc.SlateHang, Width: 1280, Height: 720, Codec: "c"}, []byte("shared")}}, false})
	for range ipc.SlateParts {
		require.NotEqual(t, "shared", string(r.m.slates.next(ipc.SlateHang).data))
	}
}

// Pictures that the camera sends and nobody sees are told of.
func TestStatusSaysHowManyPicturesThereShouldBe(t *testing.T) {
	r, id := bench(t)
	for n := range uint64(80) {
		r.arrives(n+1, false, "")
		r.do(messageReceived{id, &ipc.Heartbeat{}, nil})
		if n%2 == 0 {
			r.makes(id, 5, n+1, 0, n == 0, "live")
		}
		r.pass(50 * time.Millisecond)
	}
	s := r.m.status.at(r.now)
	require.InDelta(t, 20, s.ExpectedFPS, 1)
	require.InDelta(t, 10, s.FPS, 1)
	r.pass(2 * fpsWindow)
	require.Zero(t, r.m.status.at(r.now).ExpectedFPS)
}

// The camera is read, and its redactor watched, whatever the bus does; what is shown
// afterwards begins with a key frame.
func TestBusThatStandsKeepsNothingElseWaiting(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 5, 1, 0, true, "first")
	require.Len(t, r.unsent, 0)
	r.stands = true
	for n := range uint64(10 * maxUnsentUnits) {
		r.arrives(n+2, false, "")
		r.makes(id, 5, n+2, 0, false, "on")
		r.beats(id, 40*time.Millisecond)
	}
	require.Len(t, r.all(), 1+maxUnsentUnits)
	require.EqualValues(t, 1+10*maxUnsentUnits, r.m.status.at(r.now).Counters.UnitsIn)
	require.Len(t, r.lines("redacted video cannot be sent"), 2, "at once, and after 10 s")
	r.commands()
	r.stands = false
	answers := r.unsent
	r.unsent = nil
	r.do(answers...)
	require.Equal(t, []any{ipc.Keyframe{}}, r.commands())
	r.makes(id, 5, 400, 0, false, "goes on from what was dropped")
	r.makes(id, 5, 401, 0, true, "key")
	r.makes(id, 5, 402, 0, false, "on")
	require.Equal(t, []string{"key", "on"}, r.all())

	r.stands = true
	for n := range uint64(maxUnsentUnits) {
		r.makes(id, 5, 403+n, 0, false, "on")
	}
	r.end(id, errors.New("crash"))
	require.Equal(t, transport.FaultCrash, r.m.status.at(r.now).Fault, "the state is not that of what was sent last")
}

func TestRedactorThatUsesTimeAndSendsNothingSpins(t *testing.T) {
	at := time.Now()
	var l cpuWatchdog
	require.False(t, l.isSpinning(at, 0, time.Hour))
	require.False(t, l.isSpinning(at.Add(time.Minute), 0, time.Hour+spinCPU), "it may")
	require.False(t, l.isSpinning(at.Add(spinTime), 0, 2*time.Hour), "many processors at once")
	require.True(t, l.isSpinning(at.Add(2*spinTime), 0, 2*time.Hour))
	require.False(t, l.isSpinning(at.Add(2*spinTime), 1, 2*time.Hour), "it has sent something")
	require.False(t, l.isSpinning(at.Add(time.Hour), 1, 2*time.Hour), "it waits")
}
