package camera

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// blind has the redactor show a picture in which it may not see, or a slate instead; with
// word, the camera counts as blind.
func (r *rig) blind(id int, picture, word bool) {
	o := ipc.Output{
		RedactedUnit: transport.RedactedUnit{
			Epoch: 1, PTS: 1, Key: true, Codec: "avc1.42c01f", Width: 64, Height: 48, State: transport.StateObscured, Reason: "too dark",
		},
		Fault: transport.FaultBlind, Fence: r.m.view.minFence, Unproved: transport.BlindDark,
	}
	if picture {
		o.Record = &ipc.Record{}
	}
	switch {
	case word:
		o.State = transport.StateBlind
	case picture:
		o.State, o.Reason, o.Fault = transport.StateLive, "", ""
	}
	r.do(messageReceived{id, &o, []byte("blind")})
}

// staysBlind has a camera send, and its redactor show that it is blind.
func (r *rig) staysBlind(id int, d time.Duration, picture, word bool) {
	for end := r.now.Add(d); r.now.Before(end); r.pass(100 * time.Millisecond) {
		r.arrives(r.m.units+1, false, transport.GapNone)
		r.blind(id, picture, word)
	}
}

// What a camera cannot see, no key frame shows: it is not connected to again, however long
// that lasts, and its redactor is left alone.
func TestBlindCameraIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct{ picture, word bool }{
		"covered pictures": {true, true}, "slates": {false, true},
		"covered, before the word": {true, false}, "slates, before the word": {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, id := bench(t)
			r.arrives(1, false, "connected")
			r.slate(id, transport.FaultLoss)
			require.False(t, r.m.input.noPicture.since.IsZero())
			r.staysBlind(id, 3*maxNoPictureTime, c.picture, c.word)
			require.Empty(t, r.ended, "a connection")
			require.Empty(t, r.killed)
			require.Len(t, r.starts, 1)
			require.Equal(t, c.picture, r.m.status.at(r.now).FPS > 0, "slates are not pictures")
		})
	}
}

func TestLogSaysWhenACameraIsBlind(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 1, 1, 0, true, "picture")
	r.staysBlind(id, 2*time.Second, true, false)
	require.Empty(t, r.lines("camera is blind"), "not before the word")
	r.staysBlind(id, 30*time.Second, true, true)
	require.Len(t, r.lines("level=WARN", "camera is blind", `reason="too dark"`, "covered_by=motion"), 1)
	require.Empty(t, r.lines("no live picture"), "that is no outage")
	r.makes(id, 1, r.m.units, 0, true, "picture")
	require.Len(t, r.lines("level=INFO", "camera sees again", "blind_for=30s"), 1)
	r.beats(id, 2*time.Minute)
	r.staysBlind(id, time.Second, false, true)
	require.Len(t, r.lines("level=WARN", "camera is blind", "covered_by=slate"), 1)
	require.Len(t, r.lines("level=INFO", "camera sees again"), 1)
}

func TestEventsSayHowABlindCameraIsCovered(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.makes(id, 1, 1, 0, true, "picture")
	require.Equal(t, transport.CoveredByFaces, r.status.CoveredBy)
	r.blind(id, true, true)
	require.Equal(t, transport.Event{
		Site: "test", Camera: "door", Time: r.now, State: transport.StateBlind, Reason: "too dark", Fault: transport.FaultBlind,
		CoveredBy: transport.CoveredByMotion,
	}, r.lastEvent())
	last := r.out[len(r.out)-1]
	require.Equal(t, transport.StateBlind, last.State)
	require.Equal(t, transport.CoveredByMotion, last.CoveredBy)
	require.False(t, last.IsSlate())
	r.blind(id, false, true)
	require.True(t, r.out[len(r.out)-1].IsSlate())
	require.Equal(t, transport.CoveredBySlate, r.m.status.at(r.now).CoveredBy)
	r.end(id, errors.New("crash"))
	require.Empty(t, r.m.status.at(r.now).CoveredBy)

	for _, c := range []struct {
		cover, whenBlind string
		seen, blind      transport.CoveredBy
	}{
		{"", "", transport.CoveredByFaces, transport.CoveredByMotion},
		{"people", "motion", transport.CoveredByPeople, transport.CoveredByMotion},
		{"people", "warn", transport.CoveredByPeople, transport.CoveredByPeople},
		{"motion", "slate", transport.CoveredByMotion, transport.CoveredByMotion},
	} {
		r, id := bench(t)
		r.m.config.Cover.Mode, r.m.config.Sight.WhenBlind = c.cover, c.whenBlind
		r.arrives(1, false, "connected")
		r.makes(id, 1, 1, 0, true, "picture")
		require.Equal(t, c.seen, r.m.status.at(r.now).CoveredBy, c)
		r.blind(id, true, true)
		require.Equal(t, c.blind, r.m.status.at(r.now).CoveredBy, c)
	}
}

// What has ended the sight is why the camera is blind, up to its end.
func TestReasonOfABlindCameraStaysWhileItIsConfirmedThatItSees(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.blind(id, true, true)
	r.events = nil
	r.do(messageReceived{id, &ipc.Output{
		RedactedUnit: transport.RedactedUnit{Epoch: 1, PTS: 1, Key: true, Codec: "avc1.42c01f", Width: 64, Height: 48, State: transport.StateBlind},
		Fault:        transport.FaultBlind, Record: &ipc.Record{},
	}, []byte("seen")})
	require.Empty(t, r.events)
	require.Equal(t, "too dark", r.m.status.at(r.now).Reason)
	require.Equal(t, "too dark", r.out[len(r.out)-1].Reason)
	require.Equal(t, transport.CoveredByFaces, r.m.status.at(r.now).CoveredBy)
}

// Snapshots of a blind camera are what viewers see; one that is offline has only slates.
func TestSnapshotsOfABlindCameraSaySo(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.blind(id, true, true)
	snapshot := func(unit uint64) *transport.Snapshot {
		ch := r.waits()
		r.do(messageReceived{id, &ipc.Snapshot{Unit: unit, Snapshot: transport.Snapshot{
			Width: 64, Height: 48, State: transport.StateBlind, Reason: "too dark",
		}}, []byte("blind")})
		return <-ch
	}
	require.Equal(t, transport.StateBlind, snapshot(1).State)
	require.Equal(t, transport.StateBlind, snapshot(0).State)
	r.do(sourceEnded{"dial tcp: refused", "connection refused", time.Second, false})
	require.Equal(t, transport.StateBlind, snapshot(1).State, "a picture")
	require.Equal(t, transport.StateOffline, snapshot(0).State)
}

// A day's time without proof can be read from two readings of a counter that never falls.
func TestBlindSecondsCountEveryUnprovedPicture(t *testing.T) {
	r, id := bench(t)
	seconds := func() float64 { return r.m.status.at(r.now).Counters.BlindSeconds[transport.BlindDark] }
	r.arrives(1, false, "connected")
	r.makes(id, 1, 1, 0, true, "picture")
	r.beats(id, time.Second)
	require.Nil(t, r.m.status.at(r.now).Counters.BlindSeconds)
	r.staysBlind(id, 2*time.Second, true, false)
	require.InDelta(t, 2, seconds(), 0.001, "before the word, too")
	r.staysBlind(id, time.Second, false, false)
	r.staysBlind(id, 10*time.Second, false, true)
	require.InDelta(t, 13, seconds(), 0.001)
	r.makes(id, 1, r.m.units, 0, true, "picture")
	r.beats(id, time.Second)
	require.InDelta(t, 13, seconds(), 0.001, "it sees")

	r.blind(id, true, true)
	r.beats(id, time.Second)
	r.end(id, errors.New("crash"))
	r.pass(time.Second)
	require.InDelta(t, 14, seconds(), 0.001, "nothing is known without a redactor, and nothing forgotten")
	id = r.up()
	r.staysBlind(id, time.Second, true, true)
	require.InDelta(t, 15, seconds(), 0.001)
	r.do(sourceEnded{"dial tcp: refused", "connection refused", time.Second, false})
	r.beats(id, time.Second)
	require.InDelta(t, 15, seconds(), 0.001, "it is offline")
}

// A redactor that somebody has taken over cannot make series of its own.
func TestUnknownReasonsOfBlindnessCountAsOther(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	for _, why := range []transport.BlindReason{"a", "b", "c\n"} {
		r.do(messageReceived{id, &ipc.Output{
			RedactedUnit: transport.RedactedUnit{Epoch: 1, PTS: 1, Key: true, Codec: "c", Width: 64, Height: 48, State: transport.StateLive},
			Record:       &ipc.Record{}, Unproved: why,
		}, []byte("x")})
		r.beats(id, time.Second)
	}
	require.Equal(t, map[transport.BlindReason]float64{transport.BlindOther: 3}, r.m.status.at(r.now).Counters.BlindSeconds)
}

func TestLastDayForgetsWhatIsOlder(t *testing.T) {
	var b blindTime
	now := time.Unix(1_700_000_000, 0).Truncate(dayPart)
	pass := func(d time.Duration, why transport.BlindReason) {
		for ; d > 0; d -= min(d, dayPart) {
			now = now.Add(min(d, dayPart))
			b.pass(now, why)
		}
	}
	pass(time.Second, "")
	require.Nil(t, b.lastDay(now))
	pass(time.Minute, transport.BlindDark)
	pass(time.Minute+time.Millisecond, transport.BlindNoisy)
	pass(time.Hour, "")
	pass(time.Minute, transport.BlindDark)
	require.Equal(t, map[transport.BlindReason]float64{transport.BlindDark: 120, transport.BlindNoisy: 70}, b.lastDay(now))
	pass(dayLength-time.Hour, "")
	require.Equal(t, map[transport.BlindReason]float64{transport.BlindDark: 60}, b.lastDay(now))
	pass(2*dayLength, "")
	require.Nil(t, b.lastDay(now))
	pass(10*dayLength, transport.BlindDark)
	require.InDelta(t, dayLength.Seconds(), b.lastDay(now)[transport.BlindDark], dayPart.Seconds())
	require.InDelta(t, (10*dayLength + 2*time.Minute).Seconds(), b.seconds()[transport.BlindDark], 0.001)
}

// Another configuration of a camera does not end its day.
func TestLastDayOutlivesAChangeOfSettings(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.staysBlind(id, 20*time.Second, true, true)
	next := newRig(t, false)
	next.m.continueFrom(r.m)
	require.Equal(t, map[transport.BlindReason]float64{transport.BlindDark: 20}, next.m.status.at(r.now).BlindLastDay)
	require.Nil(t, next.m.status.at(r.now).Counters.BlindSeconds)
}
