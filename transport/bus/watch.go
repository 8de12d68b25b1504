package bus

import (
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"scrim/transport"
)

// maxWatched bounds the statuses or events that wait for a slow watcher.
const maxWatched = 1024

// Watch is a running WatchStatus or WatchEvents.
type Watch struct {
	sub *nats.Subscription

	mu     sync.Mutex
	closed bool
}

// WatchStatus calls f, one call at a time, with every status of any camera of the site.
// The status was checked: its camera is that of the subject, an unknown state is StateFailed, its
// sizes and rates are plausible, and its texts are one line of at most 256 bytes (see
// transport.Plain).
func (c *Conn) WatchStatus(site string, f func(transport.Status)) (*Watch, error) {
	return watch(c, site, KindStatus, parseStatus, f)
}

// WatchEvents calls f, one call at a time, with every event of any camera of the site,
// checked as a status is.
func (c *Conn) WatchEvents(site string, f func(transport.Event)) (*Watch, error) {
	return watch(c, site, KindEvents, parseEvent, f)
}

func watch[T any](c *Conn, site string, kind Kind, parse func(Address, []byte) (T, error), f func(T)) (*Watch, error) {
	if err := transport.CheckName(site); err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	w := &Watch{}
	sub, err := c.subscribe(prefix+site+".*."+string(kind), maxWatched, maxPendingVideo, func(m *nats.Msg) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.closed {
			return
		}
		at, err := ParseSubject(m.Subject)
		var v T
		if err == nil {
			v, err = parse(at, m.Data)
		}
		if err != nil {
			c.dropped(m.Subject, err)
			return
		}
		f(v)
	})
	if err != nil {
		return nil, fmt.Errorf("watch %s of site %s: %w", kind, site, c.explain(err))
	}
	w.sub = sub
	return w, nil
}

// Close ends the watch: when it returns, no call is running and none follows. The
// watch's function must not call it.
func (w *Watch) Close() {
	_ = w.sub.Unsubscribe() // fails only when the connection is closed
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}
