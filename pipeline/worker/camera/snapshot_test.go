package camera

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

func TestSnapshotIsWhatViewersSee(t *testing.T) {
	t.Parallel()
	s, c, _ := begin(t, "spares")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st := &viewer{s: s}
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
	<-c.owner
	defer func() { c.owner <- struct{}{} }()
	require.Empty(t, c.machine.snapshotRequests)
}

func TestSnapshotThatIsTooLargeEndsTheRedactor(t *testing.T) {
	t.Parallel()
	s, _, _ := begin(t, "plain")
	s.send(t, "too large a still")
	s.event(t, transport.StateFailed, "violated the protocol")
}

// Whether a picture waits for a proof is told by its unit.
func TestSnapshotOfAPictureSaysOfWhichUnit(t *testing.T) {
	for unit, state := range map[uint64]transport.State{0: transport.StateLive, 1: transport.StateObscured} {
		w := ipc.Snapshot{Snapshot: transport.Snapshot{Width: 64, Height: 48, State: state}, Unit: unit}
		require.ErrorIs(t, checkSnapshot(&w, []byte("still")), ipc.ErrProtocol)
		r, id := bench(t)
		r.do(messageReceived{id, &w, []byte("still")})
		require.Equal(t, []int{id}, r.killed)
	}
}

// waits has somebody wait for a snapshot.
func (r *rig) waits() chan *transport.Snapshot {
	ch := make(chan *transport.Snapshot, 1)
	r.do(snapshotRequested{ch})
	return ch
}

// snaps is what a redactor says of a snapshot of what it has made of a unit.
func (r *rig) snaps(id int, of, fence uint64, data string) {
	s := &ipc.Snapshot{Snapshot: transport.Snapshot{Width: 64, Height: 48, State: transport.StateLive}, Unit: of, Fence: fence}
	r.do(messageReceived{id, s, []byte(data)})
}

// given returns what snapshots were given to one who waits; "" is none.
func given(ch <-chan *transport.Snapshot) string {
	select {
	case s := <-ch:
		return string(s.JPEG)
	default:
		return ""
	}
}

func TestSnapshotOfAProvisionalUnitWaitsForTheProof(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, true, "connected")
	r.makes(id, 5, 1, 0, true, "first")
	ch := r.waits()
	r.snaps(id, 1, 0, "first still")
	require.Empty(t, given(ch))
	require.Empty(t, r.all())
	r.arrives(2, true, "")
	require.Equal(t, []string{"first"}, r.all())
	require.Equal(t, "first still", given(ch))

	r.arrives(3, false, "") // before the snapshot is coded
	r.makes(id, 5, 2, 0, false, "second")
	ch = r.waits()
	r.snaps(id, 2, 0, "second still")
	require.Equal(t, "second still", given(ch))
}

// Whichever comes first, the snapshot or the news.
func TestSnapshotOfHalfAPictureIsNeverGiven(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, first := range []bool{false, true} { // while viewers see the worker's slate
			r, id := bench(t)
			fence := uint64(0)
			if !first {
				r.arrives(1, false, "connected")
				r.makes(id, 5, 1, 0, true, "first")
				fence = 1
			}
			r.arrives(2, true, "")
			r.makes(id, 5, 2, 0, true, "half")
			ch := r.waits()
			r.commands()
			if !late {
				r.snaps(id, 2, 0, "half still")
			}
			require.Empty(t, given(ch))
			r.arrives(3, false, transport.GapLoss)
			require.Empty(t, given(ch))
			if late {
				r.makes(id, 5, 3, fence, true, "again")
				r.snaps(id, 2, fence, "half still, behind the fence")
			}
			require.Empty(t, given(ch))
			require.Contains(t, r.commands(), ipc.SnapshotRequest{}, "another is asked for")
			r.arrives(4, true, "")
			r.makes(id, 5, 4, fence, true, "proven")
			r.snaps(id, 4, fence, "proven still")
			require.Empty(t, given(ch))
			r.arrives(5, false, "")
			require.Equal(t, "proven still", given(ch))
		}
	}
}

func TestSnapshotThatWaitsEndsWithWhatItIsOf(t *testing.T) {
	for what, end := range map[string]func(r *rig, id int){
		"a hang":  func(r *rig, _ int) { r.hangs() },
		"a slate": func(r *rig, id int) { r.makes(id, 5, 0, 0, false, "slate") },
		"its end": func(r *rig, id int) { r.end(id, errSilent) },
		"another": func(r *rig, id int) {
			r.end(id, errSilent)
			r.pass(minRestart + tickInterval)
			r.up()
		},
	} {
		t.Run(what, func(t *testing.T) {
			r, id := bench(t)
			r.arrives(1, false, "connected")
			r.makes(id, 5, 1, 0, true, "first")
			r.arrives(2, true, "")
			r.makes(id, 5, 2, 0, false, "provisional")
			ch := r.waits()
			r.snaps(id, 2, 0, "provisional still")
			end(r, id)
			require.Nil(t, r.m.provisional.snapshot)
			r.arrives(3, false, "")
			r.snaps(id, 2, 0, "provisional still, later")
			require.Empty(t, given(ch))
		})
	}
}

// A redactor's first slates come one after the other; it is not asked for a picture
// before it is up.
func TestSnapshotBeforeThereIsASlateGetsTheFirst(t *testing.T) {
	r, id := bench(t)
	ch := r.waits()
	r.jpeg(id, ipc.SlateHang, "of another slate")
	require.Empty(t, given(ch))
	r.jpeg(id, ipc.SlateStarting, "starting")
	require.Equal(t, "starting", given(ch))
}

// jpeg has a redactor make a slate as a snapshot.
func (r *rig) jpeg(id int, kind ipc.SlateKind, data string) {
	r.do(messageReceived{id, &ipc.PreparedSlate{Kind: kind, Snapshot: true, Codec: "jpeg", Width: 64, Height: 48}, []byte(data)})
}

// What the redactor was asked for while it seems to hang is behind the fence when it
// comes, and not handed on.
func TestSnapshotThatAHangOvertakesIsTheSlateOrTheNextPicture(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 5, 1, 0, true, "first")
	ch := r.waits()
	r.commands()
	r.hangs()
	require.Empty(t, given(ch), "there is no slate yet")
	require.Equal(t, []any{ipc.Keyframe{Fence: 1}}, r.commands())
	r.snaps(id, 1, 0, "too late")
	require.Empty(t, given(ch))
	r.makes(id, 5, 2, 1, true, "back")
	require.Equal(t, []any{ipc.SnapshotRequest{}}, r.commands(), "another is asked for")
	r.snaps(id, 1, 0, "coded before it hung")
	require.Empty(t, given(ch), "also when viewers have pictures again")
	r.snaps(id, 2, 1, "back still")
	require.Equal(t, "back still", given(ch))

	r.jpeg(id, ipc.SlateHang, "slate")
	ch = r.waits()
	r.hangs()
	require.Equal(t, "slate", given(ch))
}
