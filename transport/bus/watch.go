package bus

import (
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"scrim/transport"
)

// maxWatched is how many statuses or events may wait for a slow watcher.
const maxWatched = 1024

// Watch is a running WatchStatus or WatchEvents.
type Watch struct {
	sub *nats.Subscription

	mu     sync.Mutex
	closed bool
}

// WatchStatus calls f, one call at a time, with every status that any camera of
// the site sends. The status has been checked to be of the camera whose subject
// it came on, and to keep its bounds: a known state, sizes and rates that can be,
// text of one line and at most 256 bytes.
func (c *Conn) WatchStatus(site string, f func(transport.Status)) (*Watch, error) {
	return c.watch(site, KindStatus, func(at Address, data []byte) error {
		s, err := parseStatus(at, data)
		if err == nil {
			f(s)
		}
		return err
	})
}

// WatchEvents calls f, one call at a time, with every event of any camera of the
// site, checked as a status is.
func (c *Conn) WatchEvents(site string, f func(transport.Event)) (*Watch, error) {
	return c.watch(site, KindEvents, func(at Address, data []byte) error {
		e, err := parseEvent(at, data)
		if err == nil {
			f(e)
		}
		return err
	})
}

func (c *Conn) watch(site string, kind Kind, take func(Address, []byte) error) (*Watch, error) {
	if err := transport.CheckName(site); err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	w := &Watch{}
	sub, err := c.nc.Subscribe(prefix+site+".*."+string(kind), func(m *nats.Msg) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.closed {
			return
		}
		at, err := ParseSubject(m.Subject)
		if err == nil {
			err = take(at, m.Data)
		}
		if err != nil {
			c.dropped(m.Subject, err)
		}
	})
	if err == nil {
		err = sub.SetPendingLimits(maxWatched, maxPendingVideo)
	}
	if err != nil {
		return nil, fmt.Errorf("watch %s of site %s: %w", kind, site, c.explain(err))
	}
	w.sub = sub
	return w, nil
}

// Close ends the watch: no call is running when it returns, and none comes
// after. It must not be called from within the watch's function.
func (w *Watch) Close() {
	_ = w.sub.Unsubscribe() // fails only when the connection is closed
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}
