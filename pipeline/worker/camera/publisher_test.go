package camera

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// viewer checks what comes out as a decoder sees it, up to a unit with the data.
type viewer struct {
	s    *site
	last *transport.RedactedUnit
}

func (st *viewer) until(t *testing.T, prefix string) *transport.RedactedUnit {
	t.Helper()
	for deadline := time.After(testTimeout); ; {
		select {
		case u := <-st.s.out:
			if l := st.last; l == nil || u.Epoch != l.Epoch {
				require.True(t, u.Key, "%q begins an epoch", u.Data)
				require.EqualValues(t, 1, u.Seq)
				require.True(t, l == nil || u.Epoch > l.Epoch)
			} else {
				require.Equal(t, l.Seq+1, u.Seq)
			}
			require.True(t, st.last == nil || u.PTS > st.last.PTS, "time goes back at %q", u.Data)
			st.last = u
			if strings.HasPrefix(string(u.Data), prefix) {
				return u
			}
		case <-deadline:
			t.Fatalf("no output %q; log:\n%s", prefix, st.s.log)
		}
	}
}

// live is a redactor whose picture viewers have.
func live(t *testing.T) (*viewer, *Camera) {
	t.Helper()
	s, c, _ := begin(t, "spares")
	st := &viewer{s: s}
	st.until(t, "starting ")
	s.send(t, "one")
	st.until(t, "one after")
	return st, c
}

// broken gives a live redactor an order, and returns the slate that comes then.
func (st *viewer) broken(t *testing.T, order, slate string) *transport.RedactedUnit {
	t.Helper()
	begun := time.Now()
	st.s.send(t, order)
	u := st.until(t, slate)
	t.Logf("slate %v after the order to %s", time.Since(begun), order)
	return u
}

// recovers sends a unit and waits for the picture that is made of it.
func (st *viewer) recovers(t *testing.T, picture string) {
	t.Helper()
	st.s.send(t, "two")
	st.until(t, picture)
}

func TestSlatesTakeThePlaceOfARedactorThatDies(t *testing.T) {
	t.Parallel()
	st, c := live(t)
	s := st.s
	u := st.broken(t, "crash", "starting ")
	require.Equal(t, transport.StateObscured, u.State)
	require.Contains(t, u.Reason, "status 134")
	e := s.event(t, transport.StateObscured, "status 134")
	require.Equal(t, transport.FaultCrash, e.Fault)
	st.recovers(t, "two after redactor restarted")
	s.event(t, transport.StateLive, "")
	require.EqualValues(t, 1, c.Status().Counters.Faults[transport.FaultCrash])
	require.Empty(t, c.Status().Fault)
}

func TestSlatesAlternateAndGoOnWhileNothingStarts(t *testing.T) {
	t.Parallel()
	s, c, done := begin(t, "spares, permanent")
	require.ErrorIs(t, <-done, ErrPermanent)
	ctx, cancel := context.WithCancel(t.Context())
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		c.ReportFailed(ctx)
	}()
	st := &viewer{s: s}
	for _, want := range []string{"failed 0", "failed 1", "failed 0"} {
		st.until(t, want)
	}
	cancel()
	<-reported
	got := c.Status()
	require.Equal(t, transport.StateFailed, got.State)
	require.Equal(t, transport.FaultConfig, got.Fault)
	require.EqualValues(t, 1, got.Counters.Faults[transport.FaultConfig])
}

func TestProcessThatStandsStillIsCoveredForAndKilled(t *testing.T) {
	t.Parallel()
	st, c := live(t)
	s := st.s
	st.broken(t, "stop", "hang ")
	e := s.event(t, transport.StateObscured, "does not respond")
	require.Equal(t, transport.FaultHang, e.Fault)
	s.event(t, transport.StateObscured, "; killed")
	st.recovers(t, "two after redactor restarted")
	require.EqualValues(t, 1, c.Status().Counters.Faults[transport.FaultHang], "once, for both reasons")
}

func TestEncoderThatHangsIsCoveredForUntilItIsBack(t *testing.T) {
	t.Parallel()
	st, _ := live(t)
	s := st.s
	st.broken(t, "encoder hangs", "hang ")
	s.event(t, transport.StateObscured, "encoder hangs")
	s.send(t, "encoder is back")
	st.until(t, "slate") // the key frame that it is asked for
	st.recovers(t, "two")
	s.event(t, transport.StateLive, "")
}

func TestLateOutputOfAProcessThatStoodStillIsNotShown(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	require.Equal(t, []string{"first"}, r.all())
	r.pass(slateSilence)
	require.Empty(t, r.all())
	r.pass(tickInterval)
	require.Equal(t, []string{"hang"}, r.all())
	require.Equal(t, []any{ipc.Keyframe{Fence: 1}}, r.commands())

	r.give(id, 5, 0, false, "under way")
	r.give(id, 5, 0, true, "under way, by chance a key frame")
	r.give(id, 5, 1, false, "of no use without a key frame")
	require.Empty(t, r.all())
	r.beats(id, slateInterval)
	require.Equal(t, []string{"hang"}, r.all())
	r.beats(id, fenceInterval-slateInterval)
	require.Equal(t, []any{ipc.Keyframe{Fence: 1}}, r.commands(), "it may not have heard")
	r.all()
	r.give(id, 5, 1, true, "back")
	r.give(id, 5, 1, false, "on")
	require.Equal(t, []string{"back", "on"}, r.all())

	r.end(id, ErrPermanent)
	r.give(id, 5, 1, true, "of a dead one")
	require.Empty(t, r.all())
	require.Equal(t, transport.StateFailed, r.lastEvent().State, "there is no slate for that")
}

// It has read the fence, begins a picture and hangs again: that is as old.
func TestPictureFromBeforeASecondHangIsNotShown(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.hangs()
	r.do(messageReceived{id, &ipc.Heartbeat{}, nil})
	require.Equal(t, []any{ipc.Keyframe{Fence: 1}}, r.commands())
	r.runnable = true
	r.hangs()
	require.Equal(t, []any{ipc.Keyframe{Fence: 2}}, r.commands())
	r.give(id, 5, 1, true, "old")
	require.NotContains(t, r.all(), "old")
	r.give(id, 5, 2, true, "back")
	require.Contains(t, r.all(), "back")
}

func TestPictureFromWithinALongHangIsNotShown(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.runnable = true
	r.hangs()
	r.pass(10 * time.Second)
	require.Empty(t, r.killed)
	r.all()
	r.give(id, 5, 1, true, "begun when it had read the first fence, 10 s ago")
	require.Empty(t, r.all())
	r.give(id, 5, r.m.view.minFence, true, "back")
	require.Equal(t, []string{"back"}, r.all())
}

func TestFenceOfOneLifeIsNotThatOfTheNext(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.hangs()
	r.end(id, errSilent)
	r.pass(minRestart - tickInterval)
	r.pass(2 * tickInterval)
	next := r.up()
	r.give(id, 5, 1, true, "of the one before")
	r.give(next, 6, 0, true, "next")
	require.Equal(t, []string{"first", "hang", "starting", "starting", "next"}, r.all())
}

func TestTimeInWhichTheWorkerItselfStoodStillIsNoFault(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.do(tick{})
	r.now = r.now.Add(time.Minute)
	r.do(tick{})
	require.Equal(t, []string{"first"}, r.all())
	r.pass(20 * tickInterval)
	require.Contains(t, r.all(), "hang")
}

func TestSlatesOfTheCamerasSizeStay(t *testing.T) {
	p := newPreparedSlates()
	widths := func() (out []int) {
		for _, s := range p.list(ipc.SlateStarting, false) {
			out = append(out, s.Width)
		}
		return out
	}
	add := func(part, width int, sized bool) {
		p.keep(slate{ipc.PreparedSlate{Kind: ipc.SlateStarting, Part: part, Width: width}, nil}, sized)
	}
	add(0, 100, true)
	add(1, 100, true)
	require.Equal(t, []int{100, 100}, widths())
	add(0, 1280, false) // by one that does not know the size yet
	add(1, 1280, false)
	require.Equal(t, []int{100, 100}, widths())
	add(0, 200, true)
	add(1, 200, true)
	add(2, 200, true)
	require.Equal(t, []int{200, 200}, widths())
}

// While nothing runs the slates may change: a redactor that dies young has made
// some of the camera's new size.
func TestSlatesOfAnotherFormBeginAnEpoch(t *testing.T) {
	r, id := bench(t)
	r.give(id, 5, 0, true, "first")
	r.end(id, errSilent)
	require.Equal(t, []string{"first", "starting"}, []string{string(r.out[0].Data), string(r.out[1].Data)})
	last := r.out[1]
	require.True(t, last.Key)
	r.all()
	for _, form := range []ipc.PreparedSlate{
		{Codec: "avc1.42c01f", Width: 128, Height: 48}, {Codec: "avc1.42c01f", Width: 128, Height: 96}, {Codec: "avc1.42c028", Width: 128, Height: 96},
	} {
		form.Kind = ipc.SlateStarting
		r.m.slates.keep(slate{form, []byte("starting")}, true)
		for n := range 2 {
			r.pass(slateInterval)
			require.Len(t, r.out, 1)
			u := r.out[0]
			r.all()
			require.Equal(t, form.Width, u.Width)
			require.Equal(t, n == 0, u.Epoch > last.Epoch, "%+v", form)
			require.True(t, u.Key)
			require.Greater(t, u.PTS, last.PTS)
			require.True(t, u.Epoch > last.Epoch && u.Seq == 1 || u.Epoch == last.Epoch && u.Seq == last.Seq+1)
			last = u
		}
	}
}

func TestProcessThatIsContinuedGoesOnWithAKeyFrame(t *testing.T) {
	t.Parallel()
	st, _ := live(t)
	s := st.s
	pid := s.pid()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	st.until(t, "hang ")
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	s.send(t, "two")
	for u := st.until(t, ""); string(u.Data) != "two" && string(u.Data) != "two after redactor restarted true"; u = st.until(t, "") {
		require.Equal(t, transport.StateObscured, u.State) // the latter when this machine was too slow
	}
}

// pid is the process of the redactor that came up last; 0: none has.
func (s *site) pid() (pid int) {
	for _, l := range logged(s.log, `msg="redactor is up"`) {
		_, after, _ := strings.Cut(l, " pid=")
		_, _ = fmt.Sscan(after, &pid)
	}
	return pid
}
