package camera

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

func TestWhatIsMadeOfAProvisionalUnitWaitsForTheProof(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 5, 1, 0, true, "first")
	r.arrives(2, true, "")
	require.Equal(t, []string{"first"}, r.all())
	r.makes(id, 5, 2, 0, false, "provisional")
	require.Empty(t, r.all())
	r.arrives(3, false, "")
	require.Equal(t, []string{"provisional"}, r.all(), "at once, not only with the next output")
	r.makes(id, 5, 3, 0, false, "next")
	require.Equal(t, []string{"next"}, r.all())

	r.arrives(4, true, "")
	r.arrives(5, true, "") // proves it, and waits for a proof itself
	r.makes(id, 5, 4, 0, false, "four")
	r.makes(id, 5, 5, 0, false, "five")
	require.Equal(t, []string{"four"}, r.all())
	r.arrives(6, false, "")
	require.Equal(t, []string{"five"}, r.all())
}

// Neither what was made of half a picture is shown, nor what goes on from it,
// whichever comes first: the output or the news.
func TestWhatIsMadeOfHalfAPictureIsNeverShown(t *testing.T) {
	for _, late := range []bool{false, true} {
		r, id := bench(t)
		r.arrives(1, false, "connected")
		r.makes(id, 5, 1, 0, true, "first")
		r.arrives(2, true, "")
		if !late {
			r.makes(id, 5, 2, 0, false, "half")
		}
		require.Equal(t, []string{"first"}, r.all())
		r.arrives(3, false, transport.GapLoss)
		require.Equal(t, []string{"starting"}, r.all(), "a slate")
		require.Equal(t, []any{ipc.Keyframe{Fence: 1}}, r.commands())
		if late {
			r.makes(id, 5, 2, 1, true, "half, as the key frame that was asked for")
		}
		r.makes(id, 5, 3, 0, false, "goes on from it")
		require.Empty(t, r.all())
		r.makes(id, 5, 3, 1, true, "again")
		require.Equal(t, []string{"again"}, r.all())
		require.EqualValues(t, 1, r.m.status.at(r.now).Counters.Faults[transport.FaultLoss])
	}
}

// While a redactor starts units wait for it, and several of them may turn out not to be
// whole.
func TestWhatIsMadeOfAnyHalfPictureIsNeverShown(t *testing.T) {
	r, id := bench(t)
	for at := range uint64(maxQueuedUnits) {
		r.arrives(1+at, true, transport.GapLoss)
	}
	r.arrives(1+maxQueuedUnits, false, transport.GapLoss)
	for at := range uint64(maxQueuedUnits) {
		r.makes(id, 5, 1+at, 0, true, "half")
	}
	require.Empty(t, r.all())
	r.makes(id, 5, 1+maxQueuedUnits, 0, true, "whole")
	require.Equal(t, []string{"whole"}, r.all())
	ch := r.waits()
	r.snaps(id, 1, 0, "half still")
	require.Empty(t, given(ch))
	for at := range uint64(2 * maxRejected) {
		r.arrives(1000+at, true, transport.GapLoss)
	}
	require.Len(t, r.m.provisional.rejected, maxRejected)
}

// A camera that falls silent right after it leaves the picture provisional.
func TestSlateDoesNotGoOnFromAProvisionalUnit(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 5, 1, 0, true, "first")
	r.arrives(2, true, "")
	r.makes(id, 5, 2, 0, false, "provisional")
	r.makes(id, 5, 0, 0, false, "slate")
	require.Equal(t, []string{"first", "starting"}, r.all())
	r.makes(id, 5, 0, 1, true, "slate that starts over")
	r.arrives(3, false, "")
	r.makes(id, 5, 3, 1, false, "on")
	require.Equal(t, []string{"slate that starts over", "on"}, r.all())
}

// A proof that comes while the redactor is covered for lets nothing pass that was
// made before it hung.
func TestProofAfterAHangShowsNothingOfBefore(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 5, 1, 0, true, "first")
	r.arrives(2, true, "")
	r.makes(id, 5, 2, 0, false, "provisional")
	r.hangs()
	require.Equal(t, []string{"first", "hang"}, r.all())
	r.arrives(3, false, "")
	require.Empty(t, r.all())
	r.makes(id, 5, 3, 1, true, "back")
	require.Equal(t, []string{"back"}, r.all())
}
