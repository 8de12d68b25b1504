package camera

import (
	"scrim/pipeline/ipc"
	"scrim/transport"
)

// The most that waits for a redactor: about four seconds at 30 pictures a second, in which
// one can be started.
const (
	maxQueuedUnits = 120
	maxQueuedBytes = 16 << 20
)

// item is one message to a redactor.
type item struct {
	kind ipc.Type
	head any
	body []byte
}

// queue holds the messages for the redactor. When it is full, all units in it are dropped:
// those that follow cannot be decoded without them. Commands keep their place among the
// units. Commands of the same kind without a unit between them are merged, which bounds
// their number.
type queue struct {
	items []item
	units int
	bytes int
	gap   transport.Gap // before the next unit
}

// The gaps that the worker makes. The unit behind one is whole; what is missing lies
// before it.
var (
	gapLate      = transport.Gap{Kind: transport.GapLate, Text: "the redactor is too slow: pictures were dropped", Intact: true}
	gapRestarted = transport.Gap{Kind: transport.GapRestarted, Text: "redactor restarted", Intact: true}
)

// pushUnit appends a unit and returns how many were dropped for it.
func (q *queue) pushUnit(u transport.CameraUnit) (dropped int) {
	if q.units >= maxQueuedUnits || q.bytes+len(u.Data) > maxQueuedBytes {
		dropped = q.dropUnits()
		q.gap = gapLate
	}
	if u.Gap.Kind == transport.GapNone {
		u.Gap = q.gap
	}
	q.gap = transport.Gap{}
	q.items = append(q.items, item{ipc.TypeUnit, u, u.Data})
	q.units++
	q.bytes += len(u.Data)
	return dropped
}

// pushCommand appends a command, merged with one of its kind behind the last unit.
func (q *queue) pushCommand(kind ipc.Type, head any) { q.items = merge(q.items, item{kind, head, nil}) }

// pushFront puts a command before everything else.
func (q *queue) pushFront(kind ipc.Type, head any) {
	q.items = append([]item{{kind, head, nil}}, q.items...)
}

// merge appends a command to items. Of two fences it keeps the larger one, which is the
// later one: output from before the redactor has read it is never shown.
func merge(items []item, c item) []item {
	for i := len(items) - 1; i >= 0 && items[i].kind != ipc.TypeUnit; i-- {
		if items[i].kind != c.kind {
			continue
		}
		was, _ := items[i].head.(ipc.Keyframe)
		if k, ok := c.head.(ipc.Keyframe); ok {
			c.head = ipc.Keyframe{Fence: max(k.Fence, was.Fence)}
		}
		items[i] = c
		return items
	}
	return append(items, c)
}

// restart is called for a new redactor, which has not seen earlier units.
func (q *queue) restart() {
	for i := range q.items {
		if u, ok := q.items[i].head.(transport.CameraUnit); ok {
			if u.Gap.Kind == transport.GapNone {
				u.Gap = gapRestarted
				q.items[i].head = u
			}
			return
		}
	}
	q.gap = gapRestarted
}

// pop returns the next message; false: there is none.
func (q *queue) pop() (item, bool) {
	if len(q.items) == 0 {
		return item{}, false
	}
	it := q.items[0]
	q.items[0] = item{}
	q.items = q.items[1:]
	if it.kind == ipc.TypeUnit {
		q.units--
		q.bytes -= len(it.body)
	}
	return it, true
}

func (q *queue) dropUnits() int {
	var kept []item
	for _, it := range q.items {
		if it.kind != ipc.TypeUnit {
			kept = merge(kept, it)
		}
	}
	n := q.units
	q.items, q.units, q.bytes = kept, 0, 0
	return n
}
