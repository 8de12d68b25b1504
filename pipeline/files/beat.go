package files

import (
	"sync"
	"time"
)

const (
	// beatEvery is how often Options.Begin is told again that a file goes on.
	beatEvery = 10 * time.Second
	// beatLimit bounds for how long, so that a disk that hangs is noticed.
	beatLimit = time.Hour
)

// beat tells Options.Begin the number of pictures from time to time, until the
// returned function is called, which waits for the last.
func (r *Redactor) beat(frames int64) (stop func()) {
	if r.o.Begin == nil {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		every, limit := time.NewTicker(beatEvery), time.NewTimer(beatLimit)
		defer every.Stop()
		defer limit.Stop()
		for {
			select {
			case <-done:
				return
			case <-limit.C:
				return
			case <-every.C:
				if r.o.Begin(frames) != nil {
					return // the next message fails likewise, and says so
				}
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
