package timing

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

func record(detect time.Duration, cpu time.Duration) *ipc.Record {
	return &ipc.Record{Stages: ipc.Stages{
		Queue: int64(time.Millisecond), Decode: int64(3 * time.Millisecond), Detect: int64(detect), CPU: int64(cpu),
	}}
}

func TestQuantilesAreThoseOfWhatWasAdded(t *testing.T) {
	s := New()
	for i := 1; i <= 100; i++ {
		s.Add(record(time.Duration(i)*time.Millisecond, time.Duration(i)*10*time.Millisecond))
	}
	sum := s.Summary()
	require.EqualValues(t, 100, sum.Pictures)
	require.InDelta(t, 10, sum.CPU, 0.01)
	for _, q := range sum.Stages {
		switch q.Stage {
		case Detect:
			require.InDelta(t, 50, q.P50, 0.5)
			require.InDelta(t, 95, q.P95, 0.5)
			require.InDelta(t, 100, q.Max, 0.5)
		case Total: // the sum of the stages; those left out are clamped to 1 µs
			require.InDelta(t, 54, q.P50, 0.5)
		}
	}
	var b strings.Builder
	require.NoError(t, sum.Write(&b))
	require.Contains(t, b.String(), "detect")
}

func TestRestartOfTheRedactorDoesNotSpoilTheCPUTime(t *testing.T) {
	s := New()
	for _, cpu := range []time.Duration{100, 110, 5, 15} {
		s.Add(record(0, cpu*time.Millisecond))
	}
	require.InDelta(t, 10, s.Summary().CPU, 0.01)
}
