package camera

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// The table of states in the package's documentation.
func TestStateOfACamera(t *testing.T) {
	live := func(r *rig, id int) {
		r.arrives(1, false, "connected")
		r.makes(id, 1, 1, 0, true, "picture")
	}
	fails := func(r *rig, _ int) { r.do(sourceEnded{"dial tcp: refused", "connection refused", time.Second, false}) }
	reconnects := func(r *rig, _ int) { r.do(sourceEnded{"", "no picture can be shown: packet loss", 0, true}) }
	slate := func(r *rig, id int) { r.slate(id, transport.FaultStall) }
	blind := func(r *rig, id int) { r.blind(id, true, true) }
	blindSlate := func(r *rig, id int) { r.blind(id, false, true) }
	covered := func(r *rig, id int) { r.blind(id, true, false) }
	silent := func(r *rig, id int) {
		r.silent = true
		r.beats(id, silentTime+2*tickInterval)
	}
	crashes := func(r *rig, id int) { r.end(id, errors.New("crash")) }
	for name, c := range map[string]struct {
		state  transport.State
		fault  transport.Fault
		reason string
		steps  []func(*rig, int)
	}{
		"first unit awaited":       {transport.StateStarting, "", "", nil},
		"first output awaited":     {transport.StateStarting, "", "", []func(*rig, int){func(r *rig, _ int) { r.arrives(1, false, "connected") }}},
		"slate, but never a unit":  {transport.StateStarting, "", "", []func(*rig, int){slate}},
		"picture":                  {transport.StateLive, "", "", []func(*rig, int){live}},
		"cannot see":               {transport.StateBlind, transport.FaultBlind, "too dark", []func(*rig, int){live, blind}},
		"cannot see, slate":        {transport.StateBlind, transport.FaultBlind, "too dark", []func(*rig, int){live, blindSlate}},
		"cannot see yet":           {transport.StateLive, "", "", []func(*rig, int){live, covered}},
		"sees again":               {transport.StateLive, "", "", []func(*rig, int){live, blind, live}},
		"blind, then a fault":      {transport.StateObscured, transport.FaultStall, "packet loss", []func(*rig, int){live, blind, slate}},
		"blind, redactor crashes":  {transport.StateObscured, transport.FaultCrash, "crash", []func(*rig, int){live, blind, crashes}},
		"blind, connection lost":   {transport.StateOffline, transport.FaultCamera, "connection refused", []func(*rig, int){live, blindSlate, fails}},
		"lost, blind slate":        {transport.StateOffline, transport.FaultCamera, "connection refused", []func(*rig, int){live, fails, blindSlate}},
		"blind, sends none":        {transport.StateOffline, transport.FaultCamera, "camera sends nothing", []func(*rig, int){live, blind, silent}},
		"blind, cannot work":       {transport.StateFailed, transport.FaultConfig, "cannot work as configured", []func(*rig, int){live, blind, cannotWork}},
		"sends, redactor's slate":  {transport.StateObscured, transport.FaultStall, "packet loss", []func(*rig, int){live, slate}},
		"sends, prepared slate":    {transport.StateObscured, transport.FaultCrash, "crash", []func(*rig, int){live, crashes}},
		"never answered":           {transport.StateOffline, transport.FaultCamera, "connection refused", []func(*rig, int){fails}},
		"never sent":               {transport.StateOffline, transport.FaultCamera, "camera sends nothing", []func(*rig, int){silent}},
		"connection lost":          {transport.StateOffline, transport.FaultCamera, "connection refused", []func(*rig, int){live, fails}},
		"lost, redactor's slate":   {transport.StateOffline, transport.FaultCamera, "connection refused", []func(*rig, int){live, fails, slate}},
		"lost, redactor crashes":   {transport.StateOffline, transport.FaultCamera, "connection refused", []func(*rig, int){live, fails, crashes}},
		"stalled, then sends none": {transport.StateOffline, transport.FaultCamera, "camera sends nothing", []func(*rig, int){live, slate, silent}},
		"sends again":              {transport.StateLive, "", "", []func(*rig, int){live, fails, live}},
		"sends, slate of before": {transport.StateObscured, "", "waiting for a key frame from the camera", []func(*rig, int){live, fails, lostSlate,
			func(r *rig, _ int) { r.arrives(2, false, "connected") }}},
		"slate of before follows": {transport.StateObscured, "", "waiting for a key frame from the camera", []func(*rig, int){live, fails,
			func(r *rig, _ int) { r.arrives(2, false, "connected") }, lostSlate}},
		"reconnects for key frame": {transport.StateObscured, transport.FaultLoss, "no picture can be shown: packet loss",
			[]func(*rig, int){live, func(r *rig, id int) { r.slate(id, transport.FaultLoss) }, reconnects}},
		"which fails":              {transport.StateOffline, transport.FaultCamera, "connection refused", []func(*rig, int){live, slate, reconnects, fails}},
		"no slate":                 {transport.StateFailed, transport.FaultCrash, "crash", []func(*rig, int){live, noSlates, crashes}},
		"cannot work":              {transport.StateFailed, transport.FaultConfig, "cannot work as configured", []func(*rig, int){live, cannotWork}},
		"cannot work, and is lost": {transport.StateFailed, transport.FaultConfig, "cannot work as configured", []func(*rig, int){live, cannotWork, fails}},
	} {
		t.Run(name, func(t *testing.T) {
			r, id := bench(t)
			for _, step := range c.steps {
				step(r, id)
			}
			s := r.m.status.at(r.now)
			require.Equal(t, c.state, s.State)
			require.Equal(t, c.fault, s.Fault)
			require.Equal(t, c.reason, s.Reason)
		})
	}
}

func noSlates(r *rig, _ int)    { r.m.slates = newPreparedSlates() }
func cannotWork(r *rig, id int) { r.end(id, ErrPermanent) }

// lostSlate has the redactor show what it was told when the connection was lost.
func lostSlate(r *rig, id int) {
	r.do(messageReceived{id, &ipc.Output{
		RedactedUnit: transport.RedactedUnit{
			Epoch: 1, Codec: "avc1.42c01f", Width: 64, Height: 48, State: transport.StateObscured,
			Reason: "camera offline: connection refused",
		},
		Fault: transport.FaultCamera,
	}, []byte("slate")})
}

// The camera was not silent meanwhile: what it sent has not been read yet.
func TestStandstillOfThisProgramTakesNoCameraOffline(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 1, 1, 0, true, "picture")
	r.silent, r.events = true, nil
	for range 3 {
		r.pass(tickInterval)
		r.now = r.now.Add(2 * silentTime)
		r.do(tick{})
		for _, e := range r.events {
			require.NotEqual(t, transport.StateOffline, e.State)
		}
	}
	r.beats(id, silentTime+2*tickInterval)
	require.Equal(t, transport.StateOffline, r.lastEvent().State, "now it is silent")
}

// Viewers who only see the video, such as a recorder, can tell that a camera is offline.
func TestSlatesOfAnOfflineCameraSaySo(t *testing.T) {
	r, id := bench(t)
	r.m.slates.keep(slate{ipc.PreparedSlate{Kind: ipc.SlateOffline, Codec: "avc1.42c01f", Width: 64, Height: 48}, []byte("offline")}, true)
	r.arrives(1, false, "connected")
	r.makes(id, 1, 1, 0, true, "picture")
	r.do(sourceEnded{"dial tcp: refused", "connection refused", time.Second, false})
	require.Contains(t, r.commands(), ipc.Input{Reason: "camera offline: connection refused"}, "what its redactor writes")
	r.slate(id, transport.FaultCamera)
	last := r.out[len(r.out)-1]
	require.Equal(t, transport.StateOffline, last.State)
	require.Equal(t, "connection refused", last.Reason)
	ch := r.waits()
	r.do(messageReceived{id, &ipc.Snapshot{Snapshot: transport.Snapshot{Width: 64, Height: 48, State: transport.StateObscured}}, []byte("slate")})
	s := <-ch
	require.Equal(t, transport.StateOffline, s.State)
	require.Equal(t, "connection refused", s.Reason)

	r.end(id, errors.New("crash"))
	last = r.out[len(r.out)-1]
	require.Equal(t, "offline", string(last.Data), "the prepared slate")
	require.Equal(t, transport.StateOffline, last.State)
	require.Equal(t, "connection refused", last.Reason)
	r.arrives(2, false, "connected")
	r.all()
	r.pass(tickInterval)
	require.Equal(t, []string{"starting"}, r.all(), "at once")
}

// An offline camera has a line of its own in the log.
func TestOfflineCameraIsNoPictureOutage(t *testing.T) {
	n := newNight()
	n.lasts(time.Hour, transport.StateOffline, "connection refused")
	require.Empty(t, n.log.String())
	n.lasts(time.Minute, transport.StateObscured, "self-test failed")
	n.lasts(time.Hour, transport.StateOffline, "connection refused")
	require.Len(t, logged(n.log, "level=WARN", "no live picture"), 1)
	require.Empty(t, logged(n.log, "live picture restored"), "that did not end it")
}
