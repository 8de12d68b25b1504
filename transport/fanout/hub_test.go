package fanout

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"scrim/transport"
)

// testHub has no subscription: the test delivers.
func testHub(source Source) *Hub {
	return &Hub{
		camera: camera, source: source, log: quiet, count: &Counters{}, times: Times{Keyframe: time.Hour}, begun: make(chan struct{}),
		wrong: rate.Sometimes{First: 1}, viewers: map[*Queue]struct{}{}, wake: make(chan struct{}, 1),
	}
}

// small is a frame of one packet that says which it is.
func small(n int, key bool) *Frame {
	return &Frame{Payloads: [][]byte{{0x41, byte(n >> 8), byte(n)}}, Stamp: uint32(n), Key: key}
}

func TestSlowViewerLosesUpToTheNextKeyFrameAndHindersNobody(t *testing.T) {
	h := testHub(newMemory(camera))
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
	require.True(t, h.Wanted(), "a key frame is asked for")
	h.deliver(small(last+1, true))
	h.deliver(small(last+2, false))
	require.False(t, h.Wanted())
	require.EqualValues(t, last+1, next(slow), "what was old is dropped whole")
	require.EqualValues(t, last+2, next(slow))
	require.EqualValues(t, last-1, h.count.Dropped.Load())
	for _, n := range []int{last + 1, last + 2} {
		require.EqualValues(t, n, next(fast))
	}
}

func TestKeyFrameReplacesWhatWaits(t *testing.T) {
	q := NewQueue(&Counters{})
	require.True(t, q.offer(small(1, false)), "nothing before the first key frame")
	for n := range QueueFrames {
		require.False(t, q.offer(small(n, n == 0)))
	}
	require.False(t, q.offer(small(1000, true)))
	require.Len(t, q.Frames(), 1)
	require.EqualValues(t, 1000, (<-q.Frames()).Stamp)
	require.False(t, q.skipping)
}

func TestPatience(t *testing.T) {
	now := time.Now()
	h := testHub(newMemory(camera))
	h.times.Silence, h.times.First = 5*time.Second, 10*time.Second
	h.born = now
	at := func(s float64) time.Time { return now.Add(time.Duration(s * float64(time.Second))) }
	require.Equal(t, 10*time.Second, h.Patience(at(1), at(1)), "nothing ever came")
	require.Equal(t, time.Second, h.Patience(at(1), at(10)))
	h.heard(at(11))
	require.Equal(t, 4*time.Second, h.Patience(at(1), at(12)), "a unit came")
	require.Negative(t, h.Patience(at(1), at(16.5)))
	require.Equal(t, 9*time.Second, h.Patience(at(12), at(13)), "who comes after the last unit waits longer")
}

// A unit that was on its way when a viewer joined is one that the viewer got: from
// then on a short silence counts, not the long one before a camera's first unit.
func TestWhoGotAUnitHasShortPatience(t *testing.T) {
	h := testHub(newMemory(camera))
	h.born = time.Now()
	h.times.Silence, h.times.First = time.Second, time.Hour
	joined := time.Now()
	q := NewQueue(h.count)
	h.Add(q)
	h.deliver(small(1, true))
	require.Len(t, q.Frames(), 1)
	require.LessOrEqual(t, h.Patience(joined, time.Now()), time.Second)
}

func TestKeyWaitsForTheFirstAndReturnsTheLast(t *testing.T) {
	source := newMemory(camera)
	hubs := New(source, &Counters{}, quiet)
	defer hubs.Close()
	h := hubs.Acquire(camera)
	defer hubs.Release(h)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Key(gone)
	require.ErrorIs(t, err, context.Canceled)
	eventually(t, func() bool { open, keys := source.counts(); return open == 1 && keys == 1 }, "subscribed, and a key frame asked for")
	source.put(unit("yard", 8, true), unit(camera, 9, true))
	u, err := h.Key(soon(t))
	require.NoError(t, err)
	require.EqualValues(t, 9, u.Seq, "that of another camera does not count")
	source.put(unit(camera, 10, false), unit(camera, 11, true))
	eventually(t, func() bool { u, err := h.Key(t.Context()); return err == nil && u.Seq == 11 }, "the newer one")
}

// A camera that anybody may publish as is another camera's picture in the wrong tile,
// or in the wrong recording.
func TestUnitOfAnotherCameraReachesNobody(t *testing.T) {
	source := newMemory(camera)
	hubs := New(source, &Counters{}, quiet)
	defer hubs.Close()
	h := hubs.Acquire(camera)
	defer hubs.Release(h)
	q := NewQueue(h.count)
	h.Add(q)
	other := unit("yard", 7, true)
	other.PTS = 1 << 40
	source.put(other, unit("", 8, true), unit(camera, 9, true), unit("yard", 10, false), unit(camera, 11, false))
	for _, want := range []*transport.RedactedUnit{unit(camera, 9, true), unit(camera, 11, false)} {
		select {
		case f := <-q.Frames():
			payload := f.Payloads[len(f.Payloads)-1]
			require.Equal(t, want.Data[len(want.Data)-1], payload[len(payload)-1], "the unit itself")
			require.Equal(t, want.Key, f.Key)
		case <-soon(t).Done():
			t.Fatal("a unit of this camera is missing")
		}
	}
	require.EqualValues(t, 3, h.count.WrongCamera.Load())
	require.EqualValues(t, 2, h.count.Units.Load())
	require.Empty(t, q.Frames())
	u, err := h.Key(soon(t))
	require.NoError(t, err)
	require.EqualValues(t, 9, u.Seq, "nor does it become the key frame that others begin with")
}

func TestPacketiserLeavesUnitAlone(t *testing.T) {
	var p packetiser
	u := unit(camera, 1, true)
	before := string(u.Data)
	require.NotNil(t, p.frame(u, time.Now()))
	require.Equal(t, before, string(u.Data))
	u.Data = nil
	require.Nil(t, p.frame(u, time.Now()))
}

func TestRequestGoesOutOncePerInterval(t *testing.T) {
	source := newMemory(camera)
	h := testHub(source)
	h.times.Keyframe = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.request(ctx) })
	for n := 1; n <= 3; n++ {
		for range 10 {
			h.wanted.Store(true)
		}
		h.Want()
		eventually(t, func() bool { _, k := source.counts(); return k == n }, "request")
	}
	cancel()
	running.Wait()
	// A key frame that comes first makes a request needless.
	h.Want()
	h.deliver(small(1, true))
	require.False(t, h.Wanted())
}

func TestClock(t *testing.T) {
	var c clock
	now := time.Unix(1000, 0)
	at := now.Add
	require.EqualValues(t, 5000, c.stamp(5000, now), "starts where PTS does")
	require.EqualValues(t, 8000, c.stamp(8000, at(33*time.Millisecond)))
	// A worker that starts anew counts from elsewhere: time goes on.
	require.EqualValues(t, 8000+90000, c.stamp(10, at(1033*time.Millisecond)))
	require.EqualValues(t, 8000+90000+3000, c.stamp(3010, at(1066*time.Millisecond)))
	require.EqualValues(t, 8000+90000+3000+9000, c.stamp(1<<40, at(1166*time.Millisecond)), "jump ahead")
	require.EqualValues(t, 8000+90000+3000+9001, c.stamp(1<<40, at(1166*time.Millisecond)), "never the same twice")
	var wrap clock
	require.Equal(t, uint32(0xffffff00), wrap.stamp(0xffffff00, now))
	require.Equal(t, uint32(0x100), wrap.stamp(0x100000100, now), "wraps as RTP does")
}
