package fanout

// QueueFrames may wait for one viewer: about two seconds.
const QueueFrames = 64

// Queue holds the frames that wait for one viewer.
type Queue struct {
	frames chan *Frame
	count  *Counters

	// skipping and begun are under the hub's lock. Skipping: what comes cannot be
	// decoded until a key frame does. Begun: there was one.
	skipping, begun bool
}

// NewQueue returns a Queue whose first frame will be a key frame.
func NewQueue(count *Counters) *Queue {
	return &Queue{frames: make(chan *Frame, QueueFrames), count: count, skipping: true}
}

// Frames is where the viewer takes its frames from. It is never closed.
func (q *Queue) Frames() <-chan *Frame { return q.frames }

// offer puts a frame into the queue, or drops it. It never waits. Only the hub
// calls it, one call at a time. It reports whether the viewer needs a key frame.
func (q *Queue) offer(f *Frame) (needsKey bool) {
	if q.skipping && !f.Key {
		if q.begun {
			q.count.Dropped.Add(1)
		}
		return true
	}
	q.begun = true
	select {
	case q.frames <- f:
		q.skipping = false
		return false
	default:
	}
	// All that waits is old. Drop it whole: a gap would be worse than a jump.
	q.drain()
	if f.Key {
		q.frames <- f // there is room: only the hub puts anything in
		q.skipping = false
		return false
	}
	q.count.Dropped.Add(1)
	q.skipping = true
	return true
}

func (q *Queue) drain() {
	for {
		select {
		case <-q.frames:
			q.count.Dropped.Add(1)
		default:
			return
		}
	}
}
