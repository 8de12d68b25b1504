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

// The stages of a picture, in order.
//
//	arrive   from its due time to the complete access unit
//	wait     in the queues before decoding, redaction and encoding
//	sight    judging whether the detector sees
//	motion   comparing the picture with the background
//	publish  from the redactor's output to NATS
//	gateway  from NATS to the first packet at the viewer
//	viewer   from the first packet to the last one
const (
	Arrive  = "arrive"
	Decode  = "decode"
	Wait    = "wait"
	Sight   = "sight"
	Detect  = "detect"
	Motion  = "motion"
	Track   = "track"
	Obscure = "obscure"
	Encode  = "encode"
	Publish = "publish"
	Gateway = "gateway"
	Viewer  = "viewer"
)

// Sums of stages. They include lost pictures.
//
//	added            from the camera's complete access unit to the published redacted one
//	published        from the due time to the published redacted access unit
//	added_at_viewer  from the camera's complete access unit to the last packet at the viewer
//	viewed           from the due time to the last packet at the viewer
const (
	Added       = "added"
	Published   = "published"
	AddedViewer = "added_at_viewer"
	Viewed      = "viewed"
)

// StageNames lists the stages in order.
func StageNames() []string {
	return []string{Arrive, Decode, Wait, Sight, Detect, Motion, Track, Obscure, Encode, Publish, Gateway, Viewer}
}

// SumNames lists the sums of stages.
func SumNames() []string { return []string{Added, AddedViewer, Published, Viewed} }

// Histograms hold the times of pictures, by stage or sum.
type Histograms map[string]*hdrhistogram.Histogram

// NewHistograms returns empty histograms.
func NewHistograms() Histograms {
	h := make(Histograms)
	for _, name := range slices.Concat(StageNames(), SumNames()) {
		h[name] = hdrhistogram.New(lowest, highest, digits)
	}
	return h
}

// Add adds a time, clamped to the range.
func (h Histograms) Add(name string, d time.Duration) {
	_ = h[name].RecordValue(min(max(int64(d), lowest), highest))
}

// Merge adds the times of other.
func (h Histograms) Merge(other Histograms) {
	for name, o := range other {
		h[name].Merge(o)
	}
}

// Seen is a picture that arrived at a viewer.
type Seen struct {
	Captured    time.Time
	First, Last time.Time // arrival of its first and last packet
}

// Window is a span of time. Pictures that are due in it count.
type Window struct{ From, To time.Time }

// picture is a picture that was sent.
type picture struct {
	number int
	due    time.Time
	line   *trace.Line
	seen   *Seen
}

// Delivery is what happened to one camera's pictures in a window.
type Delivery struct {
	Histograms Histograms
	// In counts the pictures that were due, Out those that were published, and Seen
	// those that arrived complete at a viewer. Watched reports whether there was one.
	In, Out, Seen int
	Watched       bool
	// Slates counts those published in the window.
	Slates int
	// Added is the added latency of each picture in ms, in order.
	Added []float64

	pictures []picture
	schedule *Schedule
	window   Window
}

// NewDelivery evaluates the trace of one camera, in any order, and what a viewer saw.
// A real camera has no schedule: its pictures are due when they were captured, and
// lost pictures cannot be counted.
func NewDelivery(s *Schedule, lines []*trace.Line, seen []Seen, watched bool, w Window) *Delivery {
	d := &Delivery{Histograms: NewHistograms(), Watched: watched, schedule: s, window: w}
	for _, l := range lines {
		if l.Slate != "" {
			if at := time.Unix(0, l.Published); !at.Before(w.From) && at.Before(w.To) {
				d.Slates++
			}
			continue
		}
		p := picture{line: l, due: time.Unix(0, l.Captured)}
		if s != nil {
			n, ok := s.Number(p.due)
			if !ok {
				continue // its number is unknown before the camera's first sender report
			}
			p.number, p.due = n, s.At(n)
		}
		d.pictures = append(d.pictures, p)
	}
	slices.SortFunc(d.pictures, func(a, b picture) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.line.Published, b.line.Published))
	})
	if s == nil {
		for i := range d.pictures {
			d.pictures[i].number = i
		}
	} else {
		d.pictures = slices.CompactFunc(d.pictures, func(a, b picture) bool { return a.number == b.number })
	}
	d.match(seen)
	d.count()
	return d
}

// match assigns what a viewer saw to the pictures.
func (d *Delivery) match(seen []Seen) {
	const slack = time.Millisecond // rounding in header extensions and RTCP
	for i := range seen {
		at := seen[i].Captured
		k, _ := slices.BinarySearchFunc(d.pictures, at.Add(-slack), func(p picture, t time.Time) int {
			return time.Unix(0, p.line.Captured).Compare(t)
		})
		if k < len(d.pictures) && time.Unix(0, d.pictures[k].line.Captured).Sub(at).Abs() <= slack {
			d.pictures[k].seen = &seen[i]
		}
	}
}

// count counts the pictures of the window.
func (d *Delivery) count() {
	first, last := 0, len(d.pictures)
	if d.schedule != nil {
		first, last = d.schedule.First(d.window.From), d.schedule.First(d.window.To)
		d.In = last - first
	}
	published := lossMeter{delivery: d, first: first, last: last}
	viewed := lossMeter{delivery: d, first: first, last: last}
	for i := range d.pictures {
		p := &d.pictures[i]
		l := p.line
		arrived, out := time.Unix(0, l.Arrived), time.Unix(0, l.Published)
		inside := !p.due.Before(d.window.From) && p.due.Before(d.window.To)
		if inside {
			d.Out++
			d.stages(p, arrived, out)
			d.Added = append(d.Added, float64(out.Sub(arrived))/float64(time.Millisecond))
		}
		published.arrive(p, arrived, out, inside, Added, Published)
		if p.seen != nil {
			if inside {
				d.Seen++
			}
			viewed.arrive(p, arrived, p.seen.Last, inside, AddedViewer, Viewed)
		}
	}
	if d.schedule == nil {
		d.In = d.Out
	}
	published.end(Added, Published)
	if d.Watched {
		viewed.end(AddedViewer, Viewed)
	}
}

// stages adds the stage times of one picture.
func (d *Delivery) stages(p *picture, arrived, out time.Time) {
	h, t := d.Histograms, p.line.Stages
	h.Add(Arrive, arrived.Sub(p.due))
	if t != nil {
		for name, v := range map[string]int64{
			Decode: t.Decode, Wait: t.Queue + t.Wait, Sight: t.Sight, Detect: t.Detect, Motion: t.Motion, Track: t.Track, Obscure: t.Obscure, Encode: t.Encode,
		} {
			h.Add(name, time.Duration(v))
		}
		inside := t.Queue + t.Decode + t.Wait + t.Sight + t.Detect + t.Motion + t.Track + t.Obscure + t.Encode
		h.Add(Publish, out.Sub(arrived)-time.Duration(inside))
	}
	if p.seen != nil {
		h.Add(Gateway, p.seen.First.Sub(out))
		h.Add(Viewer, p.seen.Last.Sub(p.seen.First))
	}
}

// lossMeter receives the pictures that arrived, in order, and adds the times of those
// that did not: a lost picture counts until the next one that arrived.
type lossMeter struct {
	delivery    *Delivery
	first, last int // numbers of the window
	next        int // the first number that is not accounted for
	begun       bool
}

func (w *lossMeter) arrive(p *picture, arrived, at time.Time, inside bool, added, total string) {
	h := w.delivery.Histograms
	if inside {
		h.Add(added, at.Sub(arrived))
		h.Add(total, at.Sub(p.due))
	}
	if s := w.delivery.schedule; s != nil {
		for n := w.from(); n < min(p.number, w.last); n++ {
			older := p.due.Sub(s.At(n))
			h.Add(added, at.Sub(arrived)+older)
			h.Add(total, at.Sub(p.due)+older)
		}
	}
	w.next, w.begun = max(w.next, p.number+1), true
}

// from returns the first number of the window that is not accounted for.
func (w *lossMeter) from() int {
	if !w.begun {
		return w.first
	}
	return max(w.next, w.first)
}

// end counts the pictures that were lost at the end of the window.
func (w *lossMeter) end(added, total string) {
	s := w.delivery.schedule
	if s == nil {
		return
	}
	for n := w.from(); n < w.last; n++ {
		lost := w.delivery.window.To.Sub(s.At(n))
		w.delivery.Histograms.Add(added, lost)
		w.delivery.Histograms.Add(total, lost)
	}
}
