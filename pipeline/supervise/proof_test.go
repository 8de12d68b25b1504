package supervise

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// arrives has a unit of the camera arrive at a time in nanoseconds.
func arrives(c *Camera, at int64, unproven bool, discontinuity string) {
	c.out.arrived(&transport.CameraUnit{Arrived: time.Unix(0, at), Unproven: unproven, Discontinuity: discontinuity})
}

// makes is what a redactor makes of that unit.
func makes(o *outlet, p *process, of int64, fence uint64, key bool, data string) {
	o.unit(p, &wire.Output{Fence: fence, Record: &wire.Record{Arrived: of}}, &transport.RedactedUnit{
		Epoch: 5, PTS: of, Key: key, Width: 64, Height: 48, State: transport.StateLive, Data: []byte(data),
	})
}

func TestWhatIsMadeOfAnUnprovenUnitWaitsForTheProof(t *testing.T) {
	c, s, p := bench(t)
	arrives(c, 1, false, "connected")
	makes(c.out, p, 1, 0, true, "first")
	arrives(c, 2, true, "")
	require.Equal(t, []string{"first"}, s.all())
	makes(c.out, p, 2, 0, false, "unproven")
	require.Empty(t, s.all())
	arrives(c, 3, false, "")
	require.Equal(t, []string{"unproven"}, s.all(), "at once, not only with the next output")
	makes(c.out, p, 3, 0, false, "next")
	require.Equal(t, []string{"next"}, s.all())

	arrives(c, 4, true, "")
	arrives(c, 5, true, "") // proves it, and waits for a proof itself
	makes(c.out, p, 4, 0, false, "four")
	makes(c.out, p, 5, 0, false, "five")
	require.Equal(t, []string{"four"}, s.all())
	arrives(c, 6, false, "")
	require.Equal(t, []string{"five"}, s.all())
}

// Neither what was made of half a picture is shown, nor what goes on from it,
// whichever comes first: the output or the news.
func TestWhatIsMadeOfHalfAPictureIsNeverShown(t *testing.T) {
	for _, late := range []bool{false, true} {
		c, s, p := bench(t)
		arrives(c, 1, false, "connected")
		makes(c.out, p, 1, 0, true, "first")
		arrives(c, 2, true, "")
		if !late {
			makes(c.out, p, 2, 0, false, "half")
		}
		require.Equal(t, []string{"first"}, s.all())
		arrives(c, 3, false, "marker bit within a picture")
		require.Equal(t, []string{"starting"}, s.all(), "a slate")
		it, ok := c.queue.take()
		require.True(t, ok)
		require.Equal(t, wire.Keyframe{Fence: 1}, it.head)
		if late {
			makes(c.out, p, 2, 1, true, "half, as the key frame that was asked for")
		}
		makes(c.out, p, 3, 0, false, "goes on from it")
		require.Empty(t, s.all())
		makes(c.out, p, 3, 1, true, "anew")
		require.Equal(t, []string{"anew"}, s.all())
		require.EqualValues(t, 1, c.Status().Counters.Faults[transport.FaultLoss])
	}
}

// While a redactor starts units wait for it, and several of them may turn out not to be
// whole.
func TestWhatIsMadeOfAnyHalfPictureIsNeverShown(t *testing.T) {
	c, s, p := bench(t)
	for at := range int64(maxQueuedUnits) {
		arrives(c, 1+at, true, "marker bit within a picture")
	}
	arrives(c, 1+maxQueuedUnits, false, "marker bit within a picture")
	for at := range int64(maxQueuedUnits) {
		makes(c.out, p, 1+at, 0, true, "half")
	}
	require.Empty(t, s.all())
	makes(c.out, p, 1+maxQueuedUnits, 0, true, "whole")
	require.Equal(t, []string{"whole"}, s.all())
	ch := c.stills.wait()
	snaps(t, p, 1, 0, "half still")
	require.Empty(t, given(ch))
	for at := range int64(2 * maxRefused) {
		arrives(c, 1000+at, true, "marker bit within a picture")
	}
	require.Len(t, c.out.refused, maxRefused)
}

// A camera that falls silent right after it leaves the picture unproven.
func TestSlateDoesNotGoOnFromAnUnprovenUnit(t *testing.T) {
	c, s, p := bench(t)
	arrives(c, 1, false, "connected")
	makes(c.out, p, 1, 0, true, "first")
	arrives(c, 2, true, "")
	makes(c.out, p, 2, 0, false, "unproven")
	makes(c.out, p, 0, 0, false, "slate")
	require.Equal(t, []string{"first", "starting"}, s.all())
	makes(c.out, p, 0, 1, true, "slate that begins anew")
	arrives(c, 3, false, "")
	makes(c.out, p, 3, 1, false, "on")
	require.Equal(t, []string{"slate that begins anew", "on"}, s.all())
}

// A proof that comes while the redactor is covered for lets nothing pass that was
// made before it hung.
func TestProofAfterAHangShowsNothingOfBefore(t *testing.T) {
	c, s, p := bench(t)
	arrives(c, 1, false, "connected")
	makes(c.out, p, 1, 0, true, "first")
	arrives(c, 2, true, "")
	makes(c.out, p, 2, 0, false, "unproven")
	c.out.mu.Lock()
	c.out.stand(cover{wire.SpareHang, transport.FaultHang, "still"}, time.Now())
	c.out.mu.Unlock()
	require.Equal(t, []string{"first", "hang"}, s.all())
	arrives(c, 3, false, "")
	require.Empty(t, s.all())
	makes(c.out, p, 3, 1, true, "back")
	require.Equal(t, []string{"back"}, s.all())
}
