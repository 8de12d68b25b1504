package pipeline

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/transport"
)

func TestOutputGoesOnInItsPaceWhenTheWallClockIsSet(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{-time.Hour, time.Hour} {
		f := newFakeTime()
		r, c := startWith(t, 0, func(p *Pipeline) { p.time = f.timeline() }), newCamera(t, width, height)
		last := r.live(c, 1, true)
		// A slate may have the same time; two units never do.
		require.InDelta(t, wall(time.Unix(1_700_000_000, 0)), last.PTS, 1)
		for i := range 6 {
			if i == 3 {
				f.step(step)
			}
			f.pass(time.Second / 25)
			o := r.live(c, 1, false)
			require.Equal(t, int64(transport.ClockRate/25), o.PTS-last.PTS, "picture %d, step of %v", i, step)
			last = o
		}
		r.p.Input("camera unreachable")
		f.pass(time.Second)
		r.slate("camera unreachable")
		r.end()
	}
}

func TestStepOfTheWallClockIsNoHang(t *testing.T) {
	f := newFakeTime()
	obscurer, detector := newParts(t)
	p, err := New(Options{Camera: "door", Detector: detector, Tracker: newTracker(0), Obscurer: obscurer, Sink: noSink, Log: noLog})
	require.NoError(t, err)
	p.time = f.timeline()
	for stage, name := range stageNames {
		p.enter(stage)
		f.step(time.Hour)
		require.NoError(t, p.hung(p.now()))
		f.step(-2 * time.Hour)
		require.NoError(t, p.hung(p.now()))
		f.pass(hangLimit)
		require.NoError(t, p.hung(p.now()))
		f.pass(1)
		require.ErrorIs(t, p.hung(p.now()), ErrHung)
		require.ErrorContains(t, p.hung(p.now()), name)
		p.leave(stage)
		require.NoError(t, p.hung(p.now()))
	}
}

// stuckEncoder does not come back from Encode until freed is closed.
type stuckEncoder struct {
	encoder
	once          sync.Once
	inside, freed chan struct{}
}

func (s *stuckEncoder) Encode(f redact.Frame, pts int64, key bool) (encode.Unit, error) {
	s.once.Do(func() { close(s.inside) })
	<-s.freed
	return s.encoder.Encode(f, pts, key)
}

func TestHungEncoderEndsTheProcess(t *testing.T) {
	t.Parallel()
	f := newFakeTime()
	s := &stuckEncoder{inside: make(chan struct{}), freed: make(chan struct{})}
	r := startWith(t, 0, func(p *Pipeline) {
		p.time = f.timeline()
		p.newEncoder = func(width, height int, o encode.Options) (encoder, error) {
			e, err := encode.New(width, height, o)
			s.encoder = e
			return s, err
		}
	})
	f.pass(time.Second)
	<-s.inside
	f.pass(hangLimit + 1)
	select {
	case err := <-r.done:
		require.ErrorIs(t, err, ErrHung)
		require.ErrorContains(t, err, "camera door: encode")
	case <-time.After(testTimeout):
		t.Fatal("a hang is not noticed")
	}
	close(s.freed)
}

// An encoder of prepared slates that hangs ends the process as well:
// otherwise the worker would get no slates, and Run would never end.
func TestHungEncoderOfPreparedSlatesEndsTheProcess(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]bool{"while it runs": false, "at the end": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, made := newFakeTime(), 0
			s := &stuckEncoder{inside: make(chan struct{}), freed: make(chan struct{})}
			r := startWith(t, 0, func(p *Pipeline) {
				p.time = f.timeline()
				p.o.PreparedSlates = func(ipc.PreparedSlate, []byte) error { return nil }
				p.newEncoder = func(width, height int, o encode.Options) (encoder, error) {
					e, err := encode.New(width, height, o)
					if made++; made == 1 { // the output's own
						return e, err
					}
					s.encoder = e
					return s, err
				}
			})
			<-s.inside
			if closed {
				r.p.Close()
			}
			f.pass(hangLimit + 1)
			select {
			case err := <-r.done:
				require.ErrorIs(t, err, ErrHung)
				require.ErrorContains(t, err, "camera door: prepared slates")
			case <-time.After(testTimeout):
				t.Fatal("a hang is not noticed")
			}
			close(s.freed)
		})
	}
}

// A sink that blocks is not a hang: the worker may be slow.
func TestSinkThatBlocksIsNoHang(t *testing.T) {
	t.Parallel()
	f := newFakeTime()
	r, c := startWith(t, 0, func(p *Pipeline) { p.time = f.timeline() }), newCamera(t, width, height)
	defer r.end()
	r.live(c, 1, true)
	held, release := r.holdSink()
	r.send(c.unit(false))
	<-held
	f.pass(time.Minute)
	require.NoError(t, r.p.hung(r.p.now()))
	release()
	r.untilLive(2)
}
