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
	// maxCommands bounds the commands that wait beside the units.
	maxCommands = 16
)

// item is one message downwards.
type item struct {
	kind wire.Type
	head any
	body []byte
}

// queue holds the messages for the redactor. When it is full all units in it
// are dropped: those that follow cannot be decoded without them. It is safe for
// concurrent use.
type queue struct {
	mu       sync.Mutex
	items    []item
	units    int
	bytes    int
	commands int
	gap      string // why the next unit does not follow the one before
	ready    chan struct{}
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
	q.append(item{wire.TypeUnit, wire.Unit{
		Codec: u.Codec, PTS: u.PTS, Captured: u.Captured.UnixNano(), Arrived: u.Arrived.UnixNano(),
		Discontinuity: u.Discontinuity, Intact: u.Intact,
	}, u.Data})
	q.units++
	q.bytes += len(u.Data)
	return dropped
}

// command appends a command. When too many wait, the new one is dropped: they
// can be repeated, and no redactor takes them now.
func (q *queue) command(kind wire.Type, head any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.commands >= maxCommands {
		return
	}
	q.commands++
	q.append(item{kind, head, nil})
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
	} else {
		q.commands--
	}
	return it, true
}

func (q *queue) dropUnits() int {
	kept := make([]item, 0, q.commands)
	for _, it := range q.items {
		if it.kind != wire.TypeUnit {
			kept = append(kept, it)
		}
	}
	n := q.units
	q.items, q.units, q.bytes = kept, 0, 0
	return n
}

// append is called with the lock held.
func (q *queue) append(it item) {
	q.items = append(q.items, it)
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
