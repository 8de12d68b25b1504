package supervise

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
	"scrim/transport"
)

func TestSnapshotIsWhatViewersSee(t *testing.T) {
	t.Parallel()
	s, c, _ := begin(t, "spares")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st := &stream{s: s}
	st.until(t, "starting ")
	still, err := c.Snapshot(ctx)
	require.NoError(t, err)
	if still.State == transport.StateObscured { // else it was quick
		require.Equal(t, "starting still", string(still.JPEG))
		require.Equal(t, "starting", still.Reason)
	}
	s.send(t, "one")
	st.until(t, "one after")
	still, err = c.Snapshot(ctx)
	for err == nil && still.Reason == "redactor sends nothing" { // a slow machine
		still, err = c.Snapshot(ctx)
	}
	require.NoError(t, err)
	require.Equal(t, "still", string(still.JPEG))
	require.Equal(t, transport.StateLive, still.State)
	require.Equal(t, [2]int{64, 48}, [2]int{still.Width, still.Height})
	s.send(t, "hang")
	st.until(t, "hang ")
	still, err = c.Snapshot(ctx)
	require.NoError(t, err)
	require.Equal(t, transport.StateObscured, still.State)
	require.NotEqual(t, "still", string(still.JPEG), "the last picture is not shown any more")
}

func TestSnapshotOfNothingEndsInTime(t *testing.T) {
	t.Parallel()
	_, c, _ := begin(t, "permanent")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := c.Snapshot(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	c.stills.mu.Lock()
	defer c.stills.mu.Unlock()
	require.Empty(t, c.stills.waiting)
}

func TestSnapshotThatIsTooLargeEndsTheRedactor(t *testing.T) {
	t.Parallel()
	s, _, _ := begin(t, "plain")
	s.send(t, "too large a still")
	s.event(t, transport.StateFailed, "talks nonsense")
}

// Whether a picture waits for a proof is told by when its unit arrived.
func TestSnapshotOfAPictureSaysWhenItArrived(t *testing.T) {
	c, _, p := bench(t)
	for _, w := range []wire.Shot{{State: transport.StateLive}, {State: transport.StateObscured, Arrived: 1}} {
		w.Width, w.Height = 64, 48
		require.ErrorIs(t, p.still(&w, []byte("still")), wire.ErrProtocol)
	}
	require.Nil(t, c.out.heldStill)
}

// snaps is what a redactor says of a snapshot of what it has made of a unit.
func snaps(t *testing.T, p *process, of int64, fence uint64, data string) {
	t.Helper()
	w := &wire.Shot{Arrived: of, Width: 64, Height: 48, State: transport.StateLive, Fence: fence}
	require.NoError(t, p.still(w, []byte(data)))
}

// given returns what snapshots were given to one who waits; "" is none.
func given(ch <-chan *transport.Still) string {
	select {
	case s := <-ch:
		return string(s.JPEG)
	default:
		return ""
	}
}

func TestSnapshotOfAnUnprovenUnitWaitsForTheProof(t *testing.T) {
	c, s, p := bench(t)
	arrives(c, 1, true, "connected")
	makes(c.out, p, 1, 0, true, "first")
	ch := c.stills.wait()
	snaps(t, p, 1, 0, "first still")
	require.Empty(t, given(ch))
	require.Empty(t, s.all())
	arrives(c, 2, true, "")
	require.Equal(t, []string{"first"}, s.all())
	require.Equal(t, "first still", given(ch))

	arrives(c, 3, false, "") // before the snapshot is coded
	makes(c.out, p, 2, 0, false, "second")
	ch = c.stills.wait()
	snaps(t, p, 2, 0, "second still")
	require.Equal(t, "second still", given(ch))
}

// Whichever comes first, the snapshot or the news.
func TestSnapshotOfHalfAPictureIsNeverGiven(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, first := range []bool{false, true} { // while viewers see the worker's slate
			c, _, p := bench(t)
			fence := uint64(0)
			if !first {
				arrives(c, 1, false, "connected")
				makes(c.out, p, 1, 0, true, "first")
				fence = 1
			}
			arrives(c, 2, true, "")
			makes(c.out, p, 2, 0, true, "half")
			ch := c.stills.wait()
			if !late {
				snaps(t, p, 2, 0, "half still")
			}
			require.Empty(t, given(ch))
			arrives(c, 3, false, "marker bit within a picture")
			require.Empty(t, given(ch))
			if late {
				makes(c.out, p, 3, fence, true, "anew")
				snaps(t, p, 2, fence, "half still, behind the fence")
			}
			require.Empty(t, given(ch))
			var asked []wire.Type
			for it, ok := c.queue.take(); ok; it, ok = c.queue.take() {
				asked = append(asked, it.kind)
			}
			require.Contains(t, asked, wire.TypeSnapshot, "another is asked for")
			arrives(c, 4, true, "")
			makes(c.out, p, 4, fence, true, "proven")
			snaps(t, p, 4, fence, "proven still")
			require.Empty(t, given(ch))
			arrives(c, 5, false, "")
			require.Equal(t, "proven still", given(ch))
		}
	}
}

func TestSnapshotThatWaitsEndsWithWhatItIsOf(t *testing.T) {
	for what, end := range map[string]func(o *outlet){
		"a hang": func(o *outlet) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.stand(cover{wire.SpareHang, transport.FaultHang, "still"}, time.Now())
		},
		"a slate": func(o *outlet) { makes(o, o.life, 0, 0, false, "slate") },
		"its end": func(o *outlet) { o.ended(coverFor(errSilent)) },
		"another": func(o *outlet) { o.begin(&process{c: o.c}) },
	} {
		t.Run(what, func(t *testing.T) {
			c, _, p := bench(t)
			arrives(c, 1, false, "connected")
			makes(c.out, p, 1, 0, true, "first")
			arrives(c, 2, true, "")
			makes(c.out, p, 2, 0, false, "unproven")
			ch := c.stills.wait()
			snaps(t, p, 2, 0, "unproven still")
			end(c.out)
			require.Nil(t, c.out.heldStill)
			arrives(c, 3, false, "")
			snaps(t, p, 2, 0, "unproven still, later")
			require.Empty(t, given(ch))
		})
	}
}

// A redactor's first slates come one after the other; it is not asked for a picture
// before it is up.
func TestSnapshotBeforeThereIsASlateGetsTheFirst(t *testing.T) {
	c, _, _ := bench(t)
	ch := c.stills.wait()
	c.out.spare(wire.Spare{Class: wire.SpareHang, Still: true, Codec: "jpeg", Width: 64, Height: 48}, []byte("of another cover"), false)
	require.Empty(t, given(ch))
	c.out.spare(wire.Spare{Class: wire.SpareStarting, Still: true, Codec: "jpeg", Width: 64, Height: 48}, []byte("starting"), false)
	require.Equal(t, "starting", given(ch))
}

// What the redactor was asked for while it seems to hang is behind the fence when it
// comes, and not handed on.
func TestSnapshotThatAHangOvertakesIsTheSlateOrTheNextPicture(t *testing.T) {
	hang := func(o *outlet) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.stand(cover{wire.SpareHang, transport.FaultHang, "redactor sends nothing"}, time.Now())
	}
	c, _, p := bench(t)
	arrives(c, 1, false, "connected")
	makes(c.out, p, 1, 0, true, "first")
	ch := c.stills.wait()
	hang(c.out)
	require.Empty(t, given(ch), "there is no slate yet")
	it, ok := c.queue.take()
	for ok && it.kind != wire.TypeKeyframe {
		it, ok = c.queue.take()
	}
	require.True(t, ok)
	snaps(t, p, 1, 0, "too late")
	require.Empty(t, given(ch))
	makes(c.out, p, 2, 1, true, "back")
	it, ok = c.queue.take()
	require.True(t, ok)
	require.Equal(t, wire.TypeSnapshot, it.kind, "another is asked for")
	snaps(t, p, 2, 1, "back still")
	require.Equal(t, "back still", given(ch))

	c.out.spare(wire.Spare{Class: wire.SpareHang, Still: true, Codec: "jpeg", Width: 64, Height: 48}, []byte("slate"), true)
	ch = c.stills.wait()
	hang(c.out)
	require.Equal(t, "slate", given(ch))
}
