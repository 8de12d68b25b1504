package files

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Work after the last picture shows that it goes on, but not forever.
func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := &Redactor{o: Options{Begin: func(frames int64) error {
			require.EqualValues(t, 7, frames)
			n++
			return nil
		}}}
		stop := r.heartbeat(7)
		time.Sleep(5*heartbeatInterval + time.Second)
		stop()
		require.Equal(t, 5, n)
		time.Sleep(2 * heartbeatInterval)
		require.Equal(t, 5, n, "it goes on after the end")

		n = 0
		stop = r.heartbeat(7)
		time.Sleep(2 * heartbeatLimit)
		stop()
		require.InDelta(t, int(heartbeatLimit/heartbeatInterval), n, 1)
	})
	(&Redactor{}).heartbeat(1)()
}
