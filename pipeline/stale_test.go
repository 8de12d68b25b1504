package pipeline

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/transport"
)

// holdSink makes the next output block in the sink. It returns a channel that is closed
// when one does, and a function that releases it.
func (r *rig) holdSink() (held <-chan struct{}, release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	f := func() {
		close(in)
		<-out
	}
	r.sink.Store(&f)
	release = sync.OnceFunc(func() { close(out) })
	r.t.Cleanup(release)
	return in, release
}

// queued waits until the newest frame in the queue of the encoder is of a picture.
func (r *rig) queued(number uint64) {
	require.Eventually(r.t, func() bool {
		q := r.p.frames
		q.mu.Lock()
		defer q.mu.Unlock()
		n := len(q.items)
		return n > 0 && q.items[n-1].frame.Inspection().Picture == number
	}, testTimeout, time.Millisecond)
}

// fakeTime is a wall clock and a monotonic one that a test sets.
type fakeTime struct {
	mu   sync.Mutex
	wall time.Time
	mono time.Duration
}

func newFakeTime() *fakeTime { return &fakeTime{wall: time.Unix(1_700_000_000, 0)} }

// pass advances the time; step sets the wall clock.
func (f *fakeTime) pass(d time.Duration) { f.add(d, d) }
func (f *fakeTime) step(d time.Duration) { f.add(d, 0) }

func (f *fakeTime) add(wall, mono time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wall, f.mono = f.wall.Add(wall), f.mono+mono
}

func (f *fakeTime) timeline() *timeline {
	return newTimeline(
		func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.wall },
		func() time.Duration { f.mu.Lock(); defer f.mu.Unlock(); return f.mono })
}

func TestFrameThatWaitsForTheSinkIsNotSentOnceTheGateIsShut(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.live(c, 1, true)
	held, release := r.holdSink()
	r.send(c.unit(false))
	<-held
	r.send(c.unit(false))
	r.queued(3)
	r.p.Input("camera unreachable")
	release()
	r.untilLive(2) // was in the sink already
	r.slate("camera unreachable")
	r.live(c, 1, true)
}

func TestFrameThatWaitsForTheSinkTooLongIsNotSent(t *testing.T) {
	t.Parallel()
	f := newFakeTime()
	r, c := startWith(t, 0, func(p *Pipeline) { p.time = f.timeline() }), newCamera(t, width, height)
	defer r.end()
	r.live(c, 1, true)
	held, release := r.holdSink()
	r.send(c.unit(false))
	<-held
	r.send(c.unit(false))
	r.queued(3)
	f.pass(3 * time.Second)
	release()
	r.untilLive(2)
	o := r.live(c, 1, false) // the gate was not shut for it
	require.Equal(t, uint64(1), o.Counts.PicturesWithheld)
	require.Zero(t, o.Counts.PicturesDropped)
}

// The slate before the picture that opens the gate may block as well.
func TestFrameWhoseSlateWaitsForTheSinkIsNotSentOnceItIsStale(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(r *rig, f *fakeTime){
		"the gate is shut": func(r *rig, _ *fakeTime) { r.p.Input("camera unreachable") },
		"it grows old":     func(_ *rig, f *fakeTime) { f.pass(3 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeTime()
			// No slate comes but those before pictures.
			r, c := startWith(t, 0, func(p *Pipeline) { p.time, p.slateTick = f.timeline(), time.Hour }), newCamera(t, width, height)
			defer r.end()
			r.live(c, 1, true)
			held, release := r.holdSink()
			u := c.unit(true)
			u.Gap = transport.Gap{Kind: transport.GapLoss, Text: "packet loss", Intact: true}
			r.send(u)
			<-held
			meanwhile(r, f)
			release()
			r.slate("packet loss")
			o := r.live(c, 1, true) // the one before would come first
			require.Equal(t, uint64(1), o.Counts.PicturesWithheld)
		})
	}
}

// A picture that waits for the encoder must not return to the pool: the decoder would
// overwrite it.
func TestPicturesThatWaitKeepTheirOwnContent(t *testing.T) {
	t.Parallel()
	r, c := start(t), newCamera(t, width, height)
	defer r.end()
	r.live(c, 1, true)
	held, release := r.holdSink()
	r.send(c.unit(false))
	<-held
	const last = 12
	for i := uint64(3); i <= last; i++ {
		r.send(c.unit(false))
		r.queued(i)
	}
	release()
	for {
		o, im := r.next()
		if o.State != transport.StateLive {
			continue
		}
		s, err := stamptest.Read(im)
		require.NoError(t, err)
		require.Equal(t, o.Record.Picture, uint64(s.Number), "another picture than the one that was certified")
		if s.Number == last {
			require.Equal(t, uint64(last-2-frameQueue), o.Counts.PicturesDropped)
			return
		}
	}
}

func TestPicturesThatLookAheadAreAllSentAtTheEnd(t *testing.T) {
	t.Parallel()
	const lookahead = 8
	r, c := startWith(t, lookahead, func(*Pipeline) {}), newCamera(t, width, height)
	for i := range lookahead {
		r.send(c.unit(i == 0))
		require.Eventually(t, func() bool { return r.detector.calls.Load() == int64(i+1) }, testTimeout, time.Millisecond)
	}
	held, release := r.holdSink()
	<-held // a slate: the gate was not opened yet
	r.p.Close()
	release()
	for i := range uint32(lookahead) {
		o := r.untilLive(i + 1)
		require.Zero(t, o.Counts.PicturesDropped)
	}
	require.NoError(t, <-r.done)
}
