package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/yuv"
	"scrim/transport"
)

func TestSlowCameraIsNotTakenForASilentOne(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{
		0:                       500 * time.Millisecond, // not known yet
		time.Second / 25:        500 * time.Millisecond,
		time.Second / 5:         500 * time.Millisecond,
		time.Second / 4:         550 * time.Millisecond,
		time.Second:             1300 * time.Millisecond,
		1700 * time.Millisecond: 2 * time.Second,
		5 * time.Second:         2 * time.Second,
	} {
		got := stallLimit(interval)
		require.Equal(t, want, got, "a picture each %v", interval)
		if interval < maxStall {
			require.LessOrEqual(t, got-interval, minStall, "after the missing picture was due")
		}
	}
}

func TestOverflowIsMoreThanAQueueHoldsAndToldOnce(t *testing.T) {
	var o overflow
	at := time.Unix(1000, 0)
	o.pictureShown(at)
	drop := func(n int, every time.Duration) {
		for range n {
			at = at.Add(every)
			o.dropped(at, at, 2)
		}
	}
	drop(2, 40*time.Millisecond)
	require.False(t, o.reportDue(), "as many as it holds")
	drop(20, overflowSpan)
	require.False(t, o.reportDue(), "now and then")
	drop(3, 40*time.Millisecond)
	require.True(t, o.reportDue())
	require.False(t, o.reportDue())
	drop(50, 40*time.Millisecond)
	require.False(t, o.reportDue(), "it goes on")
	at = at.Add(overflowSpan + 1)
	drop(2, 40*time.Millisecond)
	require.False(t, o.reportDue())
	drop(1, 40*time.Millisecond)
	require.True(t, o.reportDue(), "another")
}

func TestWhatHasComeBeforeTheFirstPictureIsNoOverflow(t *testing.T) {
	var o overflow
	at := time.Unix(1000, 0)
	drop := func(arrived time.Time) {
		for range 9 {
			o.dropped(at, arrived, 2)
		}
	}
	drop(at)
	require.False(t, o.reportDue(), "nothing was shown yet")
	o.pictureShown(at)
	before := at.Add(-time.Second)
	at = at.Add(backlogSpan / 2)
	o.pictureShown(at) // not the first
	drop(before)
	require.False(t, o.reportDue(), "a backlog")
	drop(at)
	require.True(t, o.reportDue())
	at = at.Add(backlogSpan)
	drop(before)
	require.True(t, o.reportDue(), "the clock was set back")
}

// Units wait while a redactor starts, and its first picture takes longer than others. A
// new connection is not a loss either.
func TestHealthyStartIsNoFault(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.detector.hang.Store(true)
	first := c.unit(true)
	first.Gap = transport.Gap{Kind: transport.GapConnected, Text: "connected", Intact: true}
	r.send(first)
	require.Eventually(t, func() bool { return r.detector.calls.Load() > 0 }, testTimeout, time.Millisecond)
	for range 5 * pictureQueue {
		r.send(c.unit(false))
	}
	r.detector.hang.Store(false)
	close(r.detector.freed)
	for live := 0; live < pictureQueue; {
		o, _ := r.next()
		require.Empty(t, o.Fault, o.Reason)
		if o.State == transport.StateLive {
			live++
		}
	}
	require.NotZero(t, r.p.counts.picturesDropped.Load(), "nothing has piled up")
}

func TestPreparedSlatesDecodeByThemselves(t *testing.T) {
	n := map[ipc.SlateKind]int{}
	require.NoError(t, PreparedSlates("door", width, height, ipc.EncodeConfig{}, func(head ipc.PreparedSlate, data []byte) error {
		if head.Snapshot {
			return nil
		}
		require.Equal(t, n[head.Kind], head.Part)
		require.NotEmpty(t, head.Codec)
		n[head.Kind]++
		dec, err := decode.New(decode.Options{})
		require.NoError(t, err)
		defer dec.Close()
		pictures := 0
		require.NoError(t, dec.Decode(data, 1, func(p decode.Picture) error {
			pictures++
			require.Equal(t, [2]int{width, height}, [2]int{p.Image.Width, p.Image.Height})
			return nil
		}))
		require.Equal(t, 1, pictures)
		return nil
	}))
	require.Equal(t, map[ipc.SlateKind]int{
		ipc.SlateStarting: ipc.SlateParts, ipc.SlateHang: ipc.SlateParts, ipc.SlateFailed: ipc.SlateParts, ipc.SlateOffline: ipc.SlateParts,
	}, n)
}

// The worker must get slates of a new size, and recognise what was coded before a
// fence.
func TestPreparedSlatesHeartbeatsAndFencesGoUp(t *testing.T) {
	t.Parallel()
	slates, heartbeats := make(chan ipc.PreparedSlate, 100), make(chan ipc.Heartbeat, 10000)
	r := startWith(t, 0, func(p *Pipeline) {
		p.o.PreparedSlates = func(head ipc.PreparedSlate, _ []byte) error { slates <- head; return nil }
		p.o.Heartbeat = func(b ipc.Heartbeat) error { heartbeats <- b; return nil }
	})
	defer r.end()
	c := newCamera(t, width, height)
	require.Zero(t, r.live(c, 2, true).Fence)
	for s := range slates { // there may be those of before the size was known
		if s.Width == width && s.Kind == ipc.SlateFailed && s.Part == ipc.SlateParts-1 {
			break
		}
	}
	<-heartbeats
	r.p.Fence(5)
	o := r.live(c, 1, false)
	require.EqualValues(t, 5, o.Fence)
	require.EqualValues(t, 5, r.live(c, 1, false).Fence)
}

// The gate opens when a picture is inspected, which is before it is coded.
func TestPictureUnderWayIsNoStall(t *testing.T) {
	obscurer, detector := newParts(t)
	var sent []ipc.Output
	p, err := New(Options{Camera: "door", Detector: detector, Tracker: newTracker(0), Obscurer: obscurer, Log: noLog,
		Sink: func(head ipc.Output, _ []byte) error {
			sent = append(sent, head)
			return nil
		}})
	require.NoError(t, err)
	at := p.now()
	o := newOutput(p)
	defer o.close()
	require.NoError(t, o.idle(at))
	openGate(t, p)
	at = at.Add(minStall - 1)
	require.NoError(t, o.idle(at))
	require.Len(t, sent, 1)
	require.Equal(t, causeStarting.Text, sent[0].Reason)
	for range 3 { // none comes
		at = at.Add(slateInterval)
		require.NoError(t, o.idle(at))
		require.Equal(t, transport.FaultStall, sent[len(sent)-1].Fault)
	}
	require.Len(t, sent, 4)
}

// openGate makes the redactor of a pipeline that does not run pass one picture.
func openGate(t *testing.T, p *Pipeline) {
	t.Helper()
	im, err := yuv.New(width, height)
	require.NoError(t, err)
	out := p.redactor.Redact(&redact.Picture{
		Image: im, Camera: "door", Epoch: 1, Generation: p.gate.Generation(), Number: 1, Complete: true, IDR: true, Captured: time.Now(),
	})
	require.Len(t, out, 1)
	require.NoError(t, out[0].Err)
}
