package fanout

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"scrim/transport"
)

// testHub has no source: the test delivers.
func testHub() *Hub {
	return &Hub{
		camera: "gate", log: slog.New(slog.DiscardHandler), count: &Counters{}, times: Times{Keyframe: time.Hour}, started: make(chan struct{}),
		wrongCamera: rate.Sometimes{First: 1}, viewers: map[*Queue]struct{}{}, wake: make(chan struct{}, 1),
	}
}

// small is a frame of one packet that says which it is.
func small(n int, key bool) *Frame {
	return &Frame{Payloads: [][]byte{{0x41, byte(n >> 8), byte(n)}}, Stamp: uint32(n), Key: key}
}

// A queue that cannot take what it is offered would stop the camera for everybody: in a
// bubble that is a failure at once.
func TestSlowViewerLosesUpToTheNextKeyFrameAndHindersNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		slow, fast := NewQueue(h.count), NewQueue(h.count)
		h.Add(slow)
		h.Add(fast)
		next := func(q *Queue) uint32 { return (<-q.Frames()).Stamp }

		h.deliver(small(1, true))
		require.EqualValues(t, 1, next(fast))
		require.EqualValues(t, 1, next(slow)) // and from now on it takes nothing
		const last = 4 * QueueFrames
		for n := 2; n <= last; n++ {
			h.deliver(small(n, false))
			require.EqualValues(t, n, next(fast), "the fast viewer gets every frame")
		}
		require.True(t, h.KeyframePending(), "a key frame is asked for")
		h.deliver(small(last+1, true))
		h.deliver(small(last+2, false))
		require.False(t, h.KeyframePending())
		require.EqualValues(t, last+1, next(slow), "what was old is dropped whole")
		require.EqualValues(t, last+2, next(slow))
		require.EqualValues(t, last-1, h.count.Dropped.Load())
		for _, n := range []int{last + 1, last + 2} {
			require.EqualValues(t, n, next(fast))
		}
	})
}

func TestKeyFrameReplacesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(&Counters{})
		require.True(t, q.offer(small(1, false)), "nothing before the first key frame")
		for n := range QueueFrames {
			require.False(t, q.offer(small(n, n == 0)))
		}
		require.False(t, q.offer(small(1000, true)))
		require.Len(t, q.Frames(), 1)
		require.EqualValues(t, 1000, (<-q.Frames()).Stamp)
		require.False(t, q.skipping)
	})
}

func TestIdleLeft(t *testing.T) {
	now := time.Now()
	h := testHub()
	h.times.Silence, h.times.First = 5*time.Second, 10*time.Second
	h.created = now
	at := func(s float64) time.Time { return now.Add(time.Duration(s * float64(time.Second))) }
	require.Equal(t, 10*time.Second, h.IdleLeft(at(1), at(1)), "nothing ever came")
	require.Equal(t, time.Second, h.IdleLeft(at(1), at(10)))
	h.touch(at(11))
	require.Equal(t, 4*time.Second, h.IdleLeft(at(1), at(12)), "a unit came")
	require.Negative(t, h.IdleLeft(at(1), at(16.5)))
	require.Equal(t, 9*time.Second, h.IdleLeft(at(12), at(13)), "who comes after the last unit waits longer")
}

// A unit that was on its way when a viewer joined is one that the viewer got: from
// then on a short silence counts, not the long one before a camera's first unit.
func TestViewerWithAUnitIsIdleForAShortTime(t *testing.T) {
	h := testHub()
	h.created = time.Now()
	h.times.Silence, h.times.First = time.Second, time.Hour
	joined := time.Now()
	q := NewQueue(h.count)
	h.Add(q)
	h.deliver(small(1, true))
	require.Len(t, q.Frames(), 1)
	require.LessOrEqual(t, h.IdleLeft(joined, time.Now()), time.Second)
}

func TestPacketiserLeavesUnitAlone(t *testing.T) {
	var p packetiser
	u := &transport.RedactedUnit{Key: true, Data: []byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xcb, 0, 0, 0, 1, 0x65, 0x80, 0x81}}
	before := string(u.Data)
	require.NotNil(t, p.frame(u, time.Now()))
	require.Equal(t, before, string(u.Data))
	u.Data = nil
	require.Nil(t, p.frame(u, time.Now()))
}

func TestClock(t *testing.T) {
	var c clock
	now := time.Unix(1000, 0)
	at := now.Add
	require.EqualValues(t, 5000, c.stamp(5000, now), "starts where PTS does")
	require.EqualValues(t, 8000, c.stamp(8000, at(33*time.Millisecond)))
	// A restarted worker counts from another start: time continues.
	require.EqualValues(t, 8000+90000, c.stamp(10, at(1033*time.Millisecond)))
	require.EqualValues(t, 8000+90000+3000, c.stamp(3010, at(1066*time.Millisecond)))
	require.EqualValues(t, 8000+90000+3000+9000, c.stamp(1<<40, at(1166*time.Millisecond)), "jump ahead")
	require.EqualValues(t, 8000+90000+3000+9001, c.stamp(1<<40, at(1166*time.Millisecond)), "never the same twice")
	var wrap clock
	require.Equal(t, uint32(0xffffff00), wrap.stamp(0xffffff00, now))
	require.Equal(t, uint32(0x100), wrap.stamp(0x100000100, now), "wraps as RTP does")
}
