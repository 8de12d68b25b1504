package fanout_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport"
	"scrim/transport/fanout"
	"scrim/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const camera = "gate"

func unit(camera string, n uint64, key bool) *transport.RedactedUnit {
	return transporttest.Unit(camera, n, key, 0)
}

// watched returns the hub of a camera that this test is watching.
func watched(t *testing.T) (*fanout.Hub, *transporttest.Source, *fanout.Counters) {
	t.Helper()
	source, count := transporttest.NewSource(camera), &fanout.Counters{}
	hubs := fanout.New(source, count, slog.New(slog.DiscardHandler))
	h := hubs.Acquire(camera)
	t.Cleanup(func() {
		hubs.Release(h)
		hubs.Close()
	})
	return h, source, count
}

func TestKeyWaitsForTheFirstAndReturnsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, source, _ := watched(t)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := h.LastKeyframe(gone)
		require.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		open, _, keyframes := source.Counts(camera)
		require.Equal(t, 1, open)
		require.Equal(t, 1, keyframes)

		source.Send(camera, unit("yard", 8, true))
		synctest.Wait()
		_, err = h.LastKeyframe(gone)
		require.ErrorIs(t, err, context.Canceled, "the key frame of another camera does not count")

		source.Send(camera, unit(camera, 9, true))
		u, err := h.LastKeyframe(transporttest.Context(t))
		require.NoError(t, err)
		require.EqualValues(t, 9, u.Seq)
		source.Send(camera, unit(camera, 10, false), unit(camera, 11, true))
		synctest.Wait()
		u, err = h.LastKeyframe(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 11, u.Seq, "the newer one")
	})
}

// A camera that anybody may publish as is another camera's picture in the wrong tile,
// or in the wrong recording.
func TestUnitOfAnotherCameraReachesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, source, count := watched(t)
		q := fanout.NewQueue(count)
		h.Add(q)
		synctest.Wait()
		other := unit("yard", 7, true)
		other.PTS = 1 << 40
		source.Send(camera, other, unit("", 8, true), unit(camera, 9, true), unit("yard", 10, false), unit(camera, 11, false))
		synctest.Wait()
		require.Len(t, q.Frames(), 2, "the units of this camera")
		for _, want := range []*transport.RedactedUnit{unit(camera, 9, true), unit(camera, 11, false)} {
			f := <-q.Frames()
			picture := f.Payloads[len(f.Payloads)-1]
			require.Equal(t, want.Data[len(want.Data)-len(picture):], picture, "the unit itself")
			require.Equal(t, want.Key, f.Key)
		}
		require.EqualValues(t, 3, count.WrongCamera.Load())
		require.EqualValues(t, 2, count.Units.Load())
		u, err := h.LastKeyframe(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 9, u.Seq, "later viewers do not begin with another camera's key frame either")
	})
}

func TestKeyFramesAreRequestedOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, source, _ := watched(t)
		requests := func() int { _, _, n := source.Counts(camera); return n }
		synctest.Wait()
		for n := 1; n <= 3; n++ {
			for range 10 {
				h.RequestKeyframe()
			}
			synctest.Wait()
			require.Equal(t, n, requests())
			h.RequestKeyframe()
			time.Sleep(fanout.DefaultTimes().Keyframe - time.Millisecond)
			require.Equal(t, n, requests(), "not again within the interval")
			source.Send(camera, unit(camera, uint64(n), true))
			time.Sleep(time.Minute)
			require.Equal(t, n, requests(), "a key frame that comes first makes the request needless")
			require.False(t, h.KeyframePending())
		}
	})
}
