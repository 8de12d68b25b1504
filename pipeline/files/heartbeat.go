package files

import (
	"sync"
	"time"
)

const (
	// heartbeatInterval is how often Options.Begin is called again.
	heartbeatInterval = 10 * time.Second
	// heartbeatLimit is for how long, so that a disk that hangs is noticed.
	heartbeatLimit = time.Hour
)

// heartbeat calls Options.Begin with the number of pictures at intervals until the
// returned function is called, which waits for the last call.
func (r *Redactor) heartbeat(frames int64) (stop func()) {
	if r.o.Begin == nil {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		every, limit := time.NewTicker(heartbeatInterval), time.NewTimer(heartbeatLimit)
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
					return // the next message fails too, and reports it
				}
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
