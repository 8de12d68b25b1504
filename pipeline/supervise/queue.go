package supervise

import (
	"context"
	"sync"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// The most that waits for a redactor: about four seconds at 30 pictures a
// second, so that one may be started meanwhile.
const (
	maxQueuedUnits = 120
	maxQueuedBytes = 16 << 20
)

// item is one message downwards.
type item struct {
	kind wire.Type
	head any
	body []byte
}

// queue holds the messages for the redactor. When it is full all units in it
// are dropped: those that follow cannot be decoded without them. Commands keep
// their place among the units, and those of one kind that have no unit between
// them are one, so that there are few. It is safe for concurrent use.
type queue struct {
	mu    sync.Mutex
	items []item
	units int
	bytes int
	gap   string // why the next unit does not follow the one before
	ready chan struct{}
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// unit appends a unit and returns how many were dropped for it.
func (q *queue) unit(u transport.CameraUnit) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.units >= maxQueuedUnits || q.bytes+len(u.Data) > maxQueuedBytes {
		dropped = q.dropUnits()
		q.gap = wire.ReasonLate
	}
	if q.gap != "" && u.Discontinuity == "" {
		// The unit is whole; what is missing lies before it.
		u.Discontinuity, u.Intact = q.gap, true
	}
	q.gap = ""
	q.items = append(q.items, item{wire.TypeUnit, wire.Unit{
		Codec: u.Codec, PTS: u.PTS, Captured: u.Captured.UnixNano(), Arrived: u.Arrived.UnixNano(),
		Discontinuity: u.Discontinuity, Intact: u.Intact,
	}, u.Data})
	q.units++
	q.bytes += len(u.Data)
	q.wake()
	return dropped
}

// command appends a command. One of its kind that waits at the end of the queue
// is replaced.
func (q *queue) command(kind wire.Type, head any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = merge(q.items, item{kind, head, nil})
	q.wake()
}

// merge appends a command to items. Of two fences the larger one stays, which is
// the later one: what was coded before the redactor has read it is never shown.
func merge(items []item, c item) []item {
	for i := len(items) - 1; i >= 0 && items[i].kind != wire.TypeUnit; i-- {
		if items[i].kind != c.kind {
			continue
		}
		was, _ := items[i].head.(wire.Keyframe)
		if k, ok := c.head.(wire.Keyframe); ok {
			c.head = wire.Keyframe{Fence: max(k.Fence, was.Fence)}
		}
		items[i] = c
		return items
	}
	return append(items, c)
}

// restart is called when another redactor begins: it has seen nothing of what
// came before.
func (q *queue) restart(reason string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.items {
		if u, ok := q.items[i].head.(wire.Unit); ok {
			if u.Discontinuity == "" {
				u.Discontinuity, u.Intact = reason, true
				q.items[i].head = u
			}
			return
		}
	}
	q.gap = reason
}

// next waits for a message; it returns false when ctx ended.
func (q *queue) next(ctx context.Context) (item, bool) {
	for {
		if it, ok := q.take(); ok {
			return it, true
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return item{}, false
		}
	}
}

func (q *queue) take() (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return item{}, false
	}
	it := q.items[0]
	q.items[0] = item{}
	q.items = q.items[1:]
	if it.kind == wire.TypeUnit {
		q.units--
		q.bytes -= len(it.body)
	}
	return it, true
}

func (q *queue) dropUnits() int {
	var kept []item
	for _, it := range q.items {
		if it.kind != wire.TypeUnit {
			kept = merge(kept, it)
		}
	}
	n := q.units
	q.items, q.units, q.bytes = kept, 0, 0
	return n
}

// wake is called with the lock held.
func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
