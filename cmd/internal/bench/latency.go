package bench

import (
	"cmp"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"scrim/cmd/internal/trace"
)

// The range of a histogram in nanoseconds, and its precision in decimal digits.
const (
	lowest  = 1_000
	highest = 60_000_000_000
	digits  = 3
)

// The stages of a picture's way, in order.
//
//	arrive   from when it was due to its access unit having come whole
//	wait     in queues: before decoding, redaction and encoding
//	publish  from the redactor's output to its having been handed to NATS
//	gateway  from there to the first packet at the viewer
//	viewer   from that to the last one
const (
	Arrive  = "arrive"
	Decode  = "decode"
	Wait    = "wait"
	Detect  = "detect"
	Track   = "track"
	Obscure = "obscure"
	Encode  = "encode"
	Publish = "publish"
	Gateway = "gateway"
	Viewer  = "viewer"
)

// Sums of stages. In these, pictures that were lost count.
//
//	added      redacted access unit published after the camera's had come whole
//	published  the same after the picture was due
//	added_at_viewer, viewed  likewise, whole at the viewer
const (
	Added       = "added"
	Published   = "published"
	AddedViewer = "added_at_viewer"
	Viewed      = "viewed"
)

// StageNames lists the stages in order, SumNames the sums.
func StageNames() []string {
	return []string{Arrive, Decode, Wait, Detect, Track, Obscure, Encode, Publish, Gateway, Viewer}
}

// SumNames lists the sums of stages.
func SumNames() []string { return []string{Added, AddedViewer, Published, Viewed} }

// Histograms are the times of pictures, by the name of a stage.
type Histograms map[string]*hdrhistogram.Histogram

// NewHistograms returns empty ones.
func NewHistograms() Histograms {
	h := make(Histograms)
	for _, name := range slices.Concat(StageNames(), SumNames()) {
		h[name] = hdrhistogram.New(lowest, highest, digits)
	}
	return h
}

// Add adds one time. What is outside the range counts as its end.
func (h Histograms) Add(name string, d time.Duration) {
	_ = h[name].RecordValue(min(max(int64(d), lowest), highest))
}

// Merge adds all of another's.
func (h Histograms) Merge(other Histograms) {
	for name, o := range other {
		h[name].Merge(o)
	}
}

// Seen is a picture as it came to a viewer.
type Seen struct {
	Captured    time.Time
	First, Last time.Time // of its packets
}

// Window is a span of time: pictures count that were due in it.
type Window struct{ From, To time.Time }

// picture is one that was sent.
type picture struct {
	number int
	due    time.Time
	line   *trace.Line
	seen   *Seen
}

// Way is what became of one camera's pictures in a window.
type Way struct {
	Histograms Histograms
	// In is how many pictures were due, Out how many of them were published, Seen
	// how many came to a viewer whole, where somebody Watched.
	In, Out, Seen int
	Watched       bool
	// Slates were published within the window.
	Slates int
	// Added is the added latency of each picture by its order, in ms.
	Added []float64

	pictures []picture
	schedule *Schedule
	window   Window
}

// Follow works out what became of the pictures. lines are those of one camera,
// in any order. Without a schedule, as of a real camera, a picture is due when
// it says that it was captured, and what never came cannot be counted.
func Follow(s *Schedule, lines []*trace.Line, seen []Seen, watched bool, w Window) *Way {
	y := &Way{Histograms: NewHistograms(), Watched: watched, schedule: s, window: w}
	for _, l := range lines {
		if l.Slate != "" {
			if at := time.Unix(0, l.Published); !at.Before(w.From) && at.Before(w.To) {
				y.Slates++
			}
			continue
		}
		p := picture{line: l, due: time.Unix(0, l.Captured)}
		if s != nil {
			n, ok := s.Number(p.due)
			if !ok {
				continue // before the camera's first report nobody knows which one it is
			}
			p.number, p.due = n, s.At(n)
		}
		y.pictures = append(y.pictures, p)
	}
	slices.SortFunc(y.pictures, func(a, b picture) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.line.Published, b.line.Published))
	})
	if s == nil {
		for i := range y.pictures {
			y.pictures[i].number = i
		}
	} else {
		y.pictures = slices.CompactFunc(y.pictures, func(a, b picture) bool { return a.number == b.number })
	}
	y.match(seen)
	y.count()
	return y
}

// match finds the picture of everything that a viewer saw.
func (y *Way) match(seen []Seen) {
	const slack = time.Millisecond // header extensions and RTCP round
	for i := range seen {
		at := seen[i].Captured
		k, _ := slices.BinarySearchFunc(y.pictures, at.Add(-slack), func(p picture, t time.Time) int {
			return time.Unix(0, p.line.Captured).Compare(t)
		})
		if k < len(y.pictures) && time.Unix(0, y.pictures[k].line.Captured).Sub(at).Abs() <= slack {
			y.pictures[k].seen = &seen[i]
		}
	}
}

// count counts all pictures of the window.
func (y *Way) count() {
	first, last := 0, len(y.pictures)
	if y.schedule != nil {
		first, last = y.schedule.First(y.window.From), y.schedule.First(y.window.To)
		y.In = last - first
	}
	published := walker{way: y, first: first, last: last}
	viewed := walker{way: y, first: first, last: last}
	for i := range y.pictures {
		p := &y.pictures[i]
		l := p.line
		arrived, out := time.Unix(0, l.Arrived), time.Unix(0, l.Published)
		inside := !p.due.Before(y.window.From) && p.due.Before(y.window.To)
		if inside {
			y.Out++
			y.stages(p, arrived, out)
			y.Added = append(y.Added, float64(out.Sub(arrived))/float64(time.Millisecond))
		}
		published.came(p, arrived, out, inside, Added, Published)
		if p.seen != nil {
			if inside {
				y.Seen++
			}
			viewed.came(p, arrived, p.seen.Last, inside, AddedViewer, Viewed)
		}
	}
	if y.schedule == nil {
		y.In = y.Out
	}
	published.end(Added, Published)
	if y.Watched {
		viewed.end(AddedViewer, Viewed)
	}
}

// stages adds the times of one picture.
func (y *Way) stages(p *picture, arrived, out time.Time) {
	h, t := y.Histograms, p.line.Stages
	h.Add(Arrive, arrived.Sub(p.due))
	if t != nil {
		for name, v := range map[string]int64{
			Decode: t.Decode, Wait: t.Queue + t.Wait, Detect: t.Detect, Track: t.Track, Obscure: t.Obscure, Encode: t.Encode,
		} {
			h.Add(name, time.Duration(v))
		}
		inside := t.Queue + t.Decode + t.Wait + t.Detect + t.Track + t.Obscure + t.Encode
		h.Add(Publish, out.Sub(arrived)-time.Duration(inside))
	}
	if p.seen != nil {
		h.Add(Gateway, p.seen.First.Sub(out))
		h.Add(Viewer, p.seen.Last.Sub(p.seen.First))
	}
}

// walker goes through the pictures that came and adds the times of those that
// did not: each counts as if it were in the next one that came.
type walker struct {
	way         *Way
	first, last int // numbers of the window
	next        int // the first of which nothing is known yet
	begun       bool
}

func (w *walker) came(p *picture, arrived, at time.Time, inside bool, added, total string) {
	h := w.way.Histograms
	if inside {
		h.Add(added, at.Sub(arrived))
		h.Add(total, at.Sub(p.due))
	}
	if s := w.way.schedule; s != nil {
		for n := w.from(); n < min(p.number, w.last); n++ {
			older := p.due.Sub(s.At(n))
			h.Add(added, at.Sub(arrived)+older)
			h.Add(total, at.Sub(p.due)+older)
		}
	}
	w.next, w.begun = max(w.next, p.number+1), true
}

// from is the first number of the window that is not accounted for.
func (w *walker) from() int {
	if !w.begun {
		return w.first
	}
	return max(w.next, w.first)
}

// end counts what has not come at all up to the end of the window.
func (w *walker) end(added, total string) {
	s := w.way.schedule
	if s == nil {
		return
	}
	for n := w.from(); n < w.last; n++ {
		d := w.way.window.To.Sub(s.At(n))
		w.way.Histograms.Add(added, d)
		w.way.Histograms.Add(total, d)
	}
}
