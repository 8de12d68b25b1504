package fanout

// QueueFrames bounds the frames that wait for one viewer: about two seconds.
const QueueFrames = 64

// Queue holds the frames that wait for one viewer.
type Queue struct {
	frames chan *Frame
	count  *Counters

	// skipping: frames cannot be decoded before the next key frame. started: there
	// was a key frame. Both are protected by the hub's lock.
	skipping, started bool
}

// NewQueue returns a Queue whose first frame is a key frame.
func NewQueue(count *Counters) *Queue {
	return &Queue{frames: make(chan *Frame, QueueFrames), count: count, skipping: true}
}

// Frames returns the channel from which the viewer reads. It is never closed.
func (q *Queue) Frames() <-chan *Frame { return q.frames }

// offer adds a frame to the queue or drops it. It never blocks. Only the hub calls it,
// one call at a time. It reports whether the viewer needs a key frame.
func (q *Queue) offer(f *Frame) (needsKey bool) {
	if q.skipping && !f.Key {
		if q.started {
			q.count.Dropped.Add(1)
		}
		return true
	}
	q.started = true
	select {
	case q.frames <- f:
		q.skipping = false
		return false
	default:
	}
	// All queued frames are old. Drop them all: a gap would be worse than a jump.
	q.drain()
	if f.Key {
		q.frames <- f // there is room: only the hub adds frames
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
