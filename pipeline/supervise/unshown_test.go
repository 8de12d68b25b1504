package supervise

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
	"scrim/transport"
)

func TestUnseenGrowsImpatientMoreAndMoreSlowly(t *testing.T) {
	var u unseen
	now := time.Now()
	at := now.Add
	long := func(d time.Duration, lookahead int) bool {
		u.came = at(d)
		_, ok := u.tooLong(at(d), lookahead)
		return ok
	}
	require.False(t, long(time.Hour, 0), "nothing was hidden")
	u.hidden(at(0), transport.FaultLoss)
	u.hidden(at(time.Second), "") // it still is
	require.False(t, long(unshownTime-1, 0))
	require.True(t, long(unshownTime, 0))
	require.False(t, long(time.Hour, 0), "a new connection begins")
	for _, want := range []time.Duration{2 * unshownTime, 4 * unshownTime, 8 * unshownTime, maxUnshownTime, maxUnshownTime} {
		u.hidden(at(0), transport.FaultLoss)
		require.False(t, long(want-1, 0))
		require.True(t, long(want, 0))
	}
	u.shown()
	u.hidden(at(0), transport.FaultLoss)
	require.True(t, long(unshownTime, 0), "it was shown meanwhile")

	u.shown()
	u.hidden(at(0), transport.FaultLoss)
	require.False(t, long(unshownTime, 30), "look-ahead takes its time")
	require.True(t, long(unshownTime+30*slowPicture, 30))

	u.shown()
	u.came = at(0)
	u.hidden(at(0), transport.FaultLoss)
	_, ok := u.tooLong(at(unshownTime), 0)
	require.False(t, ok, "it does not send")
	u.hidden(at(0), transport.FaultLoss)
	u.paused()
	require.False(t, long(time.Hour, 0), "there is no redactor")
}

func TestUnseenIsPatientWithFaultsOfOurOwn(t *testing.T) {
	var u unseen
	now := time.Now()
	u.hidden(now, transport.FaultDetector)
	u.came = now.Add(ownTime)
	_, ok := u.tooLong(now.Add(ownTime-1), 0)
	require.False(t, ok)
	_, ok = u.tooLong(now.Add(ownTime), 0)
	require.True(t, ok)
}

// sending is a source that sends units that nothing can be made of.
type sending struct{}

func (sending) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	for {
		onUnit(transport.CameraUnit{Codec: transport.H264, Data: []byte{0, 0, 0, 1, 9, 0xf0}})
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestACameraThatShowsNothingIsConnectedToAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{
			Redactor: wire.Config{Site: "test", Camera: "door"}, Program: "none", Source: sending{}, Sink: &site{}, Log: slog.New(slog.DiscardHandler),
			Delay: func(error) time.Duration { return 0 },
		})
		require.NoError(t, err)
		slate := func(fault transport.Fault) {
			c.state.output(&transport.RedactedUnit{State: transport.StateObscured, Reason: "packet loss"}, &wire.Output{Fault: fault}, nil)
		}
		watched := func(fault transport.Fault) error {
			ended := make(chan error, 1)
			go func() { ended <- c.watched(t.Context()) }()
			synctest.Wait()
			slate(fault)
			return <-ended
		}
		begun := time.Now()
		err = watched(transport.FaultLoss)
		require.Equal(t, unshownTime, time.Since(begun))
		require.ErrorContains(t, err, "camera door: it sends, and for 5s no picture could be shown: packet loss; "+
			"connecting anew, for a key frame; if that happens often, set")
		require.Equal(t, "no picture can be shown: packet loss", publicReason(err))
		err = watched(transport.FaultSelfTest)
		require.ErrorContains(t, err, "see what its redactor has logged")

		// What is shown, and what is no fault of what the camera sends, ends nothing.
		for name, what := range map[string]func(){
			"live": func() {
				c.state.output(&transport.RedactedUnit{State: transport.StateLive}, &wire.Output{Record: &wire.Record{}}, nil)
			},
			"redactor ended": c.state.ended,
			"no camera":      func() { c.state.input("camera unreachable") },
		} {
			slate(transport.FaultLoss)
			what()
			require.True(t, c.state.unseen.since.IsZero(), name)
			c.state.input("")
		}
	})
}
