package pipeline

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

// unsent is a pipeline whose encode stage is replaced by the test.
func unsent(t *testing.T, f *fakeTime) (p *Pipeline, slates *[]ipc.Output) {
	t.Helper()
	slates = new([]ipc.Output)
	obscurer, detector := newParts(t)
	p, err := New(Options{
		Camera: "door", Epoch: 7, Detector: detector, Tracker: newTracker(0), Obscurer: obscurer, Log: noLog,
		Sink: func(head ipc.Output, _ []byte) error { *slates = append(*slates, head); return nil },
	})
	require.NoError(t, err)
	p.time = f.timeline()
	ctx, cancel := context.WithCancel(t.Context())
	var stages sync.WaitGroup
	stages.Go(func() { _ = p.runDecode(ctx) })
	stages.Go(func() { _ = p.runRedact(ctx) })
	t.Cleanup(func() {
		cancel()
		stages.Wait()
	})
	return p, slates
}

// The gate opens before the picture that has opened it reaches the encoder. Until then
// the camera does not count as silent.
func TestGateThatHasJustOpenedIsNoStall(t *testing.T) {
	for name, shut := range map[string]time.Duration{"at the start": 0, "after it was shut for long": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			f := newFakeTime()
			p, slates := unsent(t, f)
			out := newOutput(p)
			t.Cleanup(out.close)
			told := 0
			for past := time.Duration(0); past < shut; past += slateInterval {
				require.NoError(t, out.idle(p.now()))
				f.pass(slateInterval)
				told++
			}
			c := newCamera(t, width, height)
			require.NoError(t, p.Unit(t.Context(), c.unit(true)))
			require.Eventually(t, func() bool { return !empty(p.frames) }, testTimeout, time.Millisecond)
			require.NoError(t, out.idle(p.now()))
			require.Len(t, *slates, told, "a slate although a picture is on its way")
			f.pass(minStall)
			require.NoError(t, out.idle(p.now()))
			require.Len(t, *slates, told+1, "it does not come")
			require.Equal(t, causeStalled.Text, (*slates)[told].Reason)
		})
	}
}
