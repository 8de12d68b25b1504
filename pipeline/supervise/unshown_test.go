package supervise

import (
	"context"
	"log/slog"
	"testing"
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
	u.hidden(at(0))
	u.hidden(at(time.Second)) // it still is
	require.False(t, long(unshownTime-1, 0))
	require.True(t, long(unshownTime, 0))
	require.False(t, long(time.Hour, 0), "a new connection begins")
	for _, want := range []time.Duration{2 * unshownTime, 4 * unshownTime, 8 * unshownTime, maxUnshownTime, maxUnshownTime} {
		u.hidden(at(0))
		require.False(t, long(want-1, 0))
		require.True(t, long(want, 0))
	}
	u.shown()
	u.hidden(at(0))
	require.True(t, long(unshownTime, 0), "it was shown meanwhile")

	u.shown()
	u.hidden(at(0))
	require.False(t, long(unshownTime, 30), "look-ahead takes its time")
	require.True(t, long(unshownTime+30*slowPicture, 30))

	u.shown()
	u.came = at(0)
	u.hidden(at(0))
	_, ok := u.tooLong(at(unshownTime), 0)
	require.False(t, ok, "it does not send")
	u.hidden(at(0))
	u.paused()
	require.False(t, long(time.Hour, 0), "there is no redactor")
}

// waiting is a source that gives a unit and then waits.
type waiting struct{ runs chan context.Context }

func (w waiting) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	onUnit(transport.CameraUnit{Codec: transport.H264, Data: []byte{0, 0, 0, 1, 9, 0xf0}})
	w.runs <- ctx
	<-ctx.Done()
	return ctx.Err()
}

func TestACameraThatShowsNothingIsConnectedToAnew(t *testing.T) {
	src := waiting{make(chan context.Context)}
	c, err := New(Options{
		Redactor: wire.Config{Site: "test", Camera: "door"}, Program: "none", Source: src, Sink: &site{}, Log: slog.New(slog.DiscardHandler),
		Delay: func(error) time.Duration { return 0 },
	})
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- c.watched(t.Context()) }()
	run := <-src.runs
	slate := func() {
		c.state.output(&transport.RedactedUnit{State: transport.StateObscured, Reason: "packet loss"}, &wire.Output{}, nil)
	}
	slate()
	require.NoError(t, run.Err())
	c.state.mu.Lock()
	c.state.unseen.since = time.Now().Add(-unshownTime)
	c.state.mu.Unlock()
	err = <-ended
	require.ErrorContains(t, err, "camera door: it sends, and for 5s no picture could be shown: packet loss; connecting anew")
	require.Equal(t, "no picture can be shown: packet loss", publicReason(err))

	// What is shown, and what is no fault of what the camera sends, ends nothing.
	for name, what := range map[string]func(){
		"live": func() {
			c.state.output(&transport.RedactedUnit{State: transport.StateLive}, &wire.Output{Record: &wire.Record{}}, nil)
		},
		"redactor ended": c.state.ended,
		"no camera":      func() { c.state.input("camera unreachable") },
	} {
		slate()
		what()
		require.True(t, c.state.unseen.since.IsZero(), name)
		c.state.input("")
	}
}
