package camera

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

func TestNoPictureGrowsImpatientMoreAndMoreSlowly(t *testing.T) {
	var u noPicture
	now := time.Now()
	at := now.Add
	long := func(d time.Duration, lookahead int) bool {
		u.lastUnit = at(d)
		_, ok := u.timedOut(at(d), lookahead)
		return ok
	}
	require.False(t, long(time.Hour, 0), "nothing was hidden")
	u.hidden(at(0), transport.FaultLoss)
	u.hidden(at(time.Second), "") // it still is
	require.False(t, long(noPictureTime-1, 0))
	require.True(t, long(noPictureTime, 0))
	require.False(t, long(time.Hour, 0), "a new connection begins")
	for _, want := range []time.Duration{2 * noPictureTime, 4 * noPictureTime, 8 * noPictureTime, maxNoPictureTime, maxNoPictureTime} {
		u.hidden(at(0), transport.FaultLoss)
		require.False(t, long(want-1, 0))
		require.True(t, long(want, 0))
	}
	u.shown()
	u.hidden(at(0), transport.FaultLoss)
	require.True(t, long(noPictureTime, 0), "it was shown meanwhile")

	u.shown()
	u.hidden(at(0), transport.FaultLoss)
	require.False(t, long(noPictureTime, 30), "look-ahead takes its time")
	require.True(t, long(noPictureTime+30*slowPicture, 30))

	u.shown()
	u.lastUnit = at(0)
	u.hidden(at(0), transport.FaultLoss)
	_, ok := u.timedOut(at(noPictureTime), 0)
	require.False(t, ok, "it does not send")
	u.hidden(at(0), transport.FaultLoss)
	u.reset()
	require.False(t, long(time.Hour, 0), "there is no redactor")
}

func TestNoPictureIsPatientWithFaultsOfOurOwn(t *testing.T) {
	var u noPicture
	now := time.Now()
	u.hidden(now, transport.FaultDetector)
	u.lastUnit = now.Add(ownFaultTime)
	_, ok := u.timedOut(now.Add(ownFaultTime-1), 0)
	require.False(t, ok)
	_, ok = u.timedOut(now.Add(ownFaultTime), 0)
	require.True(t, ok)
}

// sends has a camera send without end, and its redactor make slates of that.
func (r *rig) sends(id int, d time.Duration, fault transport.Fault) {
	for end := r.now.Add(d); r.now.Before(end); r.pass(tickInterval) {
		r.do(unitArrived{transport.CameraUnit{Codec: transport.H264, Data: []byte{0, 0, 0, 1, 9, 0xf0}}}, messageReceived{id, &ipc.Heartbeat{}, nil})
		r.slate(id, fault)
	}
}

func (r *rig) slate(id int, fault transport.Fault) {
	r.do(messageReceived{id, &ipc.Output{
		RedactedUnit: transport.RedactedUnit{
			Epoch: 1, Key: true, Codec: "c", Width: 64, Height: 48, State: transport.StateObscured, Reason: "packet loss",
		}, Fault: fault,
		Fence: r.m.view.minFence,
	}, []byte("slate")})
}

func TestACameraThatShowsNothingIsConnectedToAnew(t *testing.T) {
	r, id := bench(t)
	r.sends(id, noPictureTime-tickInterval, transport.FaultLoss)
	require.Empty(t, r.ended)
	r.sends(id, 3*tickInterval, transport.FaultLoss)
	require.Len(t, r.ended, 1)
	require.ErrorContains(t, r.ended[0], "camera door: no picture could be shown for 5s although it sends: packet loss; "+
		"reconnecting to get a key frame; if this repeats, set")
	require.Equal(t, "no picture can be shown: packet loss", publicReason(r.ended[0]))
	r.do(sourceEnded{"", publicReason(r.ended[0]), 0, true})
	r.sends(id, ownFaultTime+time.Second, transport.FaultSelfTest)
	require.Len(t, r.ended, 2)
	require.ErrorContains(t, r.ended[1], "see what its redactor has logged")

	// What is shown, and what is no fault of what the camera sends, ends nothing.
	for name, what := range map[string]func(){
		"live":           func() { r.give(id, 1, r.m.view.minFence, true, "live") },
		"redactor ended": func() { r.end(id, errors.New("crash")) },
		"no camera":      func() { r.do(sourceEnded{reason: "camera unreachable"}) },
	} {
		r, id = bench(t)
		r.arrives(1, false, "")
		r.slate(id, transport.FaultLoss)
		require.False(t, r.m.input.noPicture.since.IsZero())
		what()
		require.True(t, r.m.input.noPicture.since.IsZero(), name)
	}
}
