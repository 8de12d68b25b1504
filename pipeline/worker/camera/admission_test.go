package camera

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// line is an Admission, and the order in which it admits.
type line struct {
	*Admission
	order chan string
}

// queue has one wait, and leave at once when it is admitted.
func (l *line) queue(ctx context.Context, name string, sends bool) *entry {
	e := l.join(sends)
	go func() {
		defer e.leave()
		if e.wait(ctx) != nil {
			name += " gave up"
		}
		l.order <- name
	}()
	synctest.Wait()
	return e
}

func TestAdmissionLetsCamerasThatSendGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := line{NewAdmission(2), make(chan string, 10)}
		first, second := l.join(false), l.join(false)
		require.NoError(t, first.wait(t.Context()))
		require.NoError(t, second.wait(t.Context()))
		gone, cancel := context.WithCancel(t.Context())
		l.queue(t.Context(), "restart", false)
		late := l.queue(t.Context(), "sends by now", false)
		l.queue(gone, "sent, and is gone", true)
		l.queue(t.Context(), "sends", true)
		require.Empty(t, l.order)
		cancel()
		require.Equal(t, "sent, and is gone gave up", <-l.order)
		late.prioritize()
		first.leave()
		first.leave() // that counts once
		for _, want := range []string{"sends by now", "sends", "restart"} {
			require.Equal(t, want, <-l.order)
		}
		second.leave()
		synctest.Wait()
		require.Equal(t, 2, l.free)
	})
	var none *Admission
	e := none.join(false)
	require.NoError(t, e.wait(t.Context()))
	e.prioritize()
	e.leave()
}

func TestAdmissionLetsNobodyWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := line{NewAdmission(1), make(chan string, 100)}
		busy := l.join(true)
		l.queue(t.Context(), "silent", false)
		begun := time.Now()
		for len(l.order) == 0 { // one that crashes, again and again
			next := l.join(true)
			time.Sleep(time.Second)
			busy.leave()
			busy = next
		}
		require.Equal(t, "silent", <-l.order)
		require.Less(t, time.Since(begun), admissionTime+2*time.Second)
		busy.leave()
	})
}
