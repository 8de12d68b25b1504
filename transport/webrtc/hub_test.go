package webrtc

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// testHub has no subscription: the test delivers.
func testHub(source Source) *hub {
	return &hub{
		camera: camera, source: source, log: quiet, count: &counters{}, every: time.Hour,
		wrong: rate.Sometimes{First: 1}, viewers: map[*viewer]struct{}{}, wake: make(chan struct{}, 1),
	}
}

// small is a frame of one packet that says which it is.
func small(n int, key bool) *frame {
	return &frame{payloads: [][]byte{{0x41, byte(n >> 8), byte(n)}}, stamp: uint32(n), key: key}
}

func TestSlowViewerLosesUpToTheNextKeyFrameAndHindersNobody(t *testing.T) {
	h := testHub(newMemory(camera))
	ctx, cancel := context.WithCancel(soon(t))
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	blocked, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	slowGot, fastGot := make(chan uint32, 4096), make(chan uint32, 4096)
	slow := newViewer(func(p *rtp.Packet) error {
		once.Do(func() { close(blocked) })
		<-free
		slowGot <- p.Timestamp
		return nil
	}, extensions{}, h.count)
	fast := newViewer(func(p *rtp.Packet) error { fastGot <- p.Timestamp; return nil }, extensions{}, h.count)
	h.add(slow)
	h.add(fast)
	running.Go(func() { slow.run(ctx) })
	running.Go(func() { fast.run(ctx) })

	h.deliver(small(1, true))
	require.EqualValues(t, 1, <-fastGot)
	<-blocked // the slow one holds frame 1 from now on
	const last = 4 * queueFrames
	for n := 2; n <= last; n++ {
		h.deliver(small(n, false))
		require.EqualValues(t, n, <-fastGot, "the fast viewer gets every frame")
	}
	require.True(t, h.wanted.Load(), "a key frame is asked for")
	h.deliver(small(last+1, true))
	h.deliver(small(last+2, false))
	require.False(t, h.wanted.Load())
	close(free)
	require.EqualValues(t, 1, <-slowGot)
	require.EqualValues(t, last+1, <-slowGot, "what was old is dropped whole")
	require.EqualValues(t, last+2, <-slowGot)
	require.EqualValues(t, last-1, h.count.dropped.Load())
	for _, n := range []int{last + 1, last + 2} {
		require.EqualValues(t, n, <-fastGot)
	}
}

func TestKeyFrameReplacesWhatWaits(t *testing.T) {
	v := newViewer(nil, extensions{}, &counters{})
	require.True(t, v.offer(small(1, false)), "nothing before the first key frame")
	for n := range queueFrames {
		require.False(t, v.offer(small(n, n == 0)))
	}
	require.False(t, v.offer(small(1000, true)))
	require.Len(t, v.queue, 1)
	require.EqualValues(t, 1000, (<-v.queue).stamp)
	require.False(t, v.skipping)
}

func TestNumbersHaveNoGapsOverLargeFrames(t *testing.T) {
	var got []*rtp.Packet
	v := newViewer(func(p *rtp.Packet) error { got = append(got, p); return nil }, extensions{playoutDelay: 3, captureTime: 4}, &counters{})
	var p packetiser
	f := p.frame(unit(camera, 9, true, 100_000), time.Now())
	next := v.write(t.Context(), f, 65500) // wraps
	require.Len(t, got, len(f.payloads))
	require.Greater(t, len(got), 2*burstPackets)
	for i, x := range got {
		require.Equal(t, uint16(65500+i), x.SequenceNumber)
		require.Equal(t, f.stamp, x.Timestamp)
		require.Equal(t, i == len(got)-1, x.Marker)
		require.LessOrEqual(t, len(x.Payload), payloadMTU)
		require.Equal(t, noDelay, x.GetExtension(3))
		require.Equal(t, i == 0, x.GetExtension(4) != nil)
	}
	require.Equal(t, got[len(got)-1].SequenceNumber+1, next)
}

func TestPacketiserLeavesUnitAlone(t *testing.T) {
	var p packetiser
	u := unit(camera, 1, true, 5000)
	before := string(u.Data)
	require.NotNil(t, p.frame(u, time.Now()))
	require.Equal(t, before, string(u.Data))
	u.Data = nil
	require.Nil(t, p.frame(u, time.Now()))
}

func TestRequestGoesOutOncePerInterval(t *testing.T) {
	source := newMemory(camera)
	h := testHub(source)
	h.every = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.request(ctx) })
	for n := 1; n <= 3; n++ {
		for range 10 {
			h.wanted.Store(true)
		}
		h.want()
		eventually(t, func() bool { _, _, k := source.counts(camera); return k == n }, "request")
	}
	cancel()
	running.Wait()
	// A key frame that comes first makes a request needless.
	h.want()
	h.deliver(small(1, true))
	require.False(t, h.wanted.Load())
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

func TestRetransmissionsAreBounded(t *testing.T) {
	b := &budget{left: 1000}
	sent, again := 0, 0
	for seq := uint16(65000); seq != 1000; seq++ { // over the end of the numbers
		repeated, allowed := b.take(seq, 1200)
		require.False(t, repeated)
		require.True(t, allowed)
		sent += 1200
		for range 5 {
			repeated, allowed = b.take(seq-3, 1200)
			if seq != 65000 {
				require.True(t, repeated)
			}
			if allowed {
				again += 1200
			}
		}
	}
	require.LessOrEqual(t, again, sent+1000)
	require.Greater(t, again, sent/2, "but they are not refused in general")
	for range 10_000 {
		b.take(1000, 1200)
	}
	require.LessOrEqual(t, b.left, retransmitBurst)
}
