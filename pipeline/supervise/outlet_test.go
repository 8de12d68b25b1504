package supervise

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// faultBound is within what time a fault must end in a slate.
const faultBound = 500 * time.Millisecond

// However late a beat and a look are, the sum is within the bound.
func TestFaultOfAProcessEndsInASlateWithinHalfASecond(t *testing.T) {
	require.LessOrEqual(t, quiet+2*coverTick, faultBound, "a process that stands still right after a beat")
	require.LessOrEqual(t, encoding+wire.BeatInterval+2*coverTick, faultBound, "an encoder that hangs right after one")
	require.GreaterOrEqual(t, quiet, 4*wire.BeatInterval, "a beat that is late is no fault")
	require.Less(t, quiet, silence, "viewers are told before the process is killed")
}

// stream checks what comes out as a decoder sees it, up to a unit with the data.
type stream struct {
	s    *site
	last *transport.RedactedUnit
}

func (st *stream) until(t *testing.T, prefix string) *transport.RedactedUnit {
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

// live is a redactor of which viewers have a picture.
func live(t *testing.T) (*stream, *Camera) {
	t.Helper()
	s, c, _ := begin(t, "spares")
	st := &stream{s: s}
	st.until(t, "starting ")
	s.send(t, "one")
	st.until(t, "one after")
	return st, c
}

// broken gives a live redactor an order, and returns the slate that comes then.
func (st *stream) broken(t *testing.T, order, slate string) *transport.RedactedUnit {
	t.Helper()
	begun := time.Now()
	st.s.send(t, order)
	u := st.until(t, slate)
	t.Logf("slate %v after the order to %s", time.Since(begun), order)
	return u
}

// recovers sends a unit and waits for the picture that is made of it.
func (st *stream) recovers(t *testing.T, picture string) {
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
	mourned := make(chan struct{})
	go func() {
		defer close(mourned)
		c.Mourn(ctx)
	}()
	st := &stream{s: s}
	for _, want := range []string{"failed 0", "failed 1", "failed 0"} {
		st.until(t, want)
	}
	cancel()
	<-mourned
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
	e := s.event(t, transport.StateObscured, "sends nothing")
	require.Equal(t, transport.FaultHang, e.Fault)
	s.event(t, transport.StateObscured, "was killed")
	st.recovers(t, "two after redactor restarted")
	require.EqualValues(t, 1, c.Status().Counters.Faults[transport.FaultHang], "once, for both reasons")
}

func TestEncoderThatHangsIsCoveredForUntilItIsBack(t *testing.T) {
	t.Parallel()
	st, _ := live(t)
	s := st.s
	st.broken(t, "encoder hangs", "hang ")
	s.event(t, transport.StateObscured, "encoder does not come back")
	s.send(t, "encoder is back")
	st.until(t, "slate") // the key frame that it is asked for
	st.recovers(t, "two")
	s.event(t, transport.StateLive, "")
}

// bench is a camera whose outlet a test drives.
func bench(t *testing.T) (*Camera, *site, *process) {
	t.Helper()
	s := &site{out: make(chan *transport.RedactedUnit, 100), events: make(chan transport.Event, 100), log: &lockedBuffer{}}
	c := &Camera{o: Options{Redactor: wire.Config{Site: "test", Camera: "door"}, Sink: s}, queue: newQueue()}
	c.state, c.out = newState(c), newOutlet(c)
	for _, class := range []wire.SpareClass{wire.SpareStarting, wire.SpareHang} {
		c.out.spare(wire.Spare{Class: class, Codec: "avc1.42c01f", Width: 64, Height: 48}, []byte(class), true)
	}
	p := &process{c: c}
	c.out.begin(p)
	c.out.greeted(p)
	return c, s, p
}

func (s *site) all() (data []string) {
	for len(s.out) > 0 {
		u := <-s.out
		data = append(data, string(u.Data))
	}
	return data
}

func give(o *outlet, p *process, epoch, fence uint64, key bool, data string) {
	o.unit(p, &wire.Output{Fence: fence, Record: &wire.Record{}}, &transport.RedactedUnit{
		Epoch: epoch, PTS: 1, Key: key, Width: 64, Height: 48, State: transport.StateLive, Data: []byte(data),
	})
}

func TestLateOutputOfAProcessThatStoodStillIsNotShown(t *testing.T) {
	c, s, p := bench(t)
	o := c.out
	give(o, p, 5, 0, true, "first")
	now := time.Now()
	o.tick(now)
	require.Equal(t, []string{"first"}, s.all())
	o.mu.Lock()
	o.heard = now.Add(-quiet - 1)
	o.mu.Unlock()
	o.tick(now)
	require.Equal(t, []string{"hang"}, s.all())
	it, ok := c.queue.take()
	require.True(t, ok)
	require.Equal(t, wire.Keyframe{Fence: 1}, it.head)

	give(o, p, 5, 0, false, "under way")
	give(o, p, 5, 0, true, "under way, by chance a key frame")
	give(o, p, 5, 1, false, "of no use without a key frame")
	require.Empty(t, s.all())
	o.tick(now.Add(slateInterval))
	require.Equal(t, []string{"hang"}, s.all())
	o.tick(now.Add(fenceInterval))
	it, ok = c.queue.take()
	require.True(t, ok, "it may not have heard")
	require.Equal(t, wire.Keyframe{Fence: 1}, it.head)
	s.all()
	give(o, p, 5, 1, true, "back")
	give(o, p, 5, 1, false, "on")
	require.Equal(t, []string{"back", "on"}, s.all())

	o.ended(coverFor(ErrPermanent))
	give(o, p, 5, 1, true, "of a dead one")
	require.Empty(t, s.all())
	require.Equal(t, transport.StateFailed, c.Status().State, "there is no slate for that")
}

func TestFenceOfOneLifeIsNotThatOfTheNext(t *testing.T) {
	c, s, p := bench(t)
	give(c.out, p, 5, 0, true, "first")
	c.out.mu.Lock()
	c.out.stand(cover{wire.SpareHang, transport.FaultHang, "still"}, time.Now())
	c.out.mu.Unlock()
	c.out.ended(coverFor(errSilent))
	next := &process{c: c}
	c.out.begin(next)
	give(c.out, p, 5, 1, true, "of the one before")
	give(c.out, next, 6, 0, true, "next")
	require.Equal(t, []string{"first", "hang", "starting", "next"}, s.all())
}

func TestTimeInWhichTheWorkerItselfStoodStillIsNoFault(t *testing.T) {
	c, s, p := bench(t)
	give(c.out, p, 5, 0, true, "first")
	now := time.Now()
	c.out.tick(now)
	c.out.tick(now.Add(time.Minute))
	require.Equal(t, []string{"first"}, s.all())
	for i := range 20 {
		c.out.tick(now.Add(time.Minute + time.Duration(i)*coverTick))
	}
	require.Contains(t, s.all(), "hang")
}

func TestSparesOfTheCamerasSizeStay(t *testing.T) {
	c, _, _ := bench(t)
	o := c.out
	widths := func() (out []int) {
		for _, s := range o.spares[wire.SpareStarting] {
			out = append(out, s.Width)
		}
		return out
	}
	add := func(part, width int, greeted bool) {
		o.spare(wire.Spare{Class: wire.SpareStarting, Part: part, Width: width}, nil, greeted)
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

// While nothing runs the spares may change: a redactor that dies young has made
// some of the camera's new size.
func TestSparesOfAnotherFormBeginAnEpoch(t *testing.T) {
	c, s, p := bench(t)
	o := c.out
	give(o, p, 5, 0, true, "first")
	now := time.Now()
	o.ended(coverFor(errSilent))
	st := &stream{s: s}
	last := st.until(t, "starting")
	for i, form := range []wire.Spare{
		{Codec: "avc1.42c01f", Width: 128, Height: 48}, {Codec: "avc1.42c01f", Width: 128, Height: 96}, {Codec: "avc1.42c028", Width: 128, Height: 96},
	} {
		form.Class = wire.SpareStarting
		o.spare(form, []byte("starting"), true)
		for n := range 2 {
			o.tick(now.Add(time.Duration(1+2*i+n) * 2 * slateInterval))
			u := st.until(t, "starting")
			require.Equal(t, form.Width, u.Width)
			require.Equal(t, n == 0, u.Epoch > last.Epoch, "%+v", form)
			last = u
		}
	}
}

func TestProcessThatIsContinuedGoesOnWithAKeyFrame(t *testing.T) {
	t.Parallel()
	st, c := live(t)
	s := st.s
	c.out.mu.Lock()
	pid := c.out.life.cmd.Process.Pid
	c.out.mu.Unlock()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	st.until(t, "hang ")
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	s.send(t, "two")
	for u := st.until(t, ""); string(u.Data) != "two" && string(u.Data) != "two after redactor restarted true"; u = st.until(t, "") {
		require.Equal(t, transport.StateObscured, u.State) // the latter when this machine was too slow
	}
}
