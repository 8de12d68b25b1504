package track

import (
	"image"
	"slices"
	"time"

	"scrim/redact/face"
	"scrim/redact/geom"
)

// MaxLookahead bounds by how many pictures the output may lag.
const MaxLookahead = 30

// Window is a Tracker that answers late: what must be obscured in a picture is
// said after so many more pictures have been seen. A face is then covered in
// the pictures before it was first found, and between two sightings along the
// way that it took. With no look-ahead it is a Tracker. It is not safe for
// concurrent use.
type Window struct {
	t       *Tracker
	n       int
	pending []*moment
	spare   []*moment
	out     []geom.Region
}

// moment is one picture that waits.
type moment struct {
	at      time.Time
	bounds  image.Rectangle
	regions []geom.Region // of the tracker
	filled  []geom.Region // what hindsight adds
}

// NewWindow returns a Window that looks ahead by n pictures, 0 to MaxLookahead.
func NewWindow(o Options, n int) *Window {
	return &Window{t: New(o), n: min(max(n, 0), MaxLookahead)}
}

// Reset implements redact.Tracker.
func (w *Window) Reset() {
	w.t.Reset()
	w.spare = append(w.spare, w.pending...)
	w.pending = w.pending[:0]
}

// Lookahead implements redact.Tracker.
func (w *Window) Lookahead() int { return w.n }

// Observe implements redact.Tracker.
func (w *Window) Observe(at time.Time, faces []face.Face, width, height int) {
	m := new(moment)
	if n := len(w.spare); n > 0 {
		m, w.spare = w.spare[n-1], w.spare[:n-1]
	}
	m.at, m.bounds = at, image.Rect(0, 0, width, height)
	m.regions = append(m.regions[:0], w.t.Update(at, faces, width, height)...)
	m.filled = m.filled[:0]
	for _, tr := range w.t.tracks {
		if !tr.lost {
			w.hindsight(tr)
		}
	}
	w.pending = append(w.pending, m)
}

// Release implements redact.Tracker. The regions are valid until the next call.
func (w *Window) Release() []geom.Region {
	m := w.pending[0]
	w.pending = append(w.pending[:0], w.pending[1:]...)
	w.out = append(append(w.out[:0], m.regions...), m.filled...)
	w.spare = append(w.spare, m)
	return w.out
}

// hindsight covers a face that was just found in the pictures that still wait.
func (w *Window) hindsight(tr *track) {
	if len(w.pending) == 0 {
		return
	}
	filled := w.t.filled(tr, tr.found.Sub(w.pending[0].at))
	for _, m := range w.pending {
		switch {
		case m.at.Before(tr.first) && tr.first.Sub(m.at) <= filled:
			w.fill(m, tr, w.before(tr, m.at), tr.velocity)
		case tr.gap && m.at.After(tr.gapFrom):
			w.fill(m, tr, w.between(tr, m.at), false)
		}
	}
}

// before returns what must be obscured before the face was first found: where
// it came from, as far as its speed is known, and where it then was.
func (w *Window) before(tr *track, at time.Time) image.Rectangle {
	age := tr.first.Sub(at).Seconds()
	grown := tr.growth() * min(1, age)
	b := tr.firstBox
	if tr.velocity {
		b.X -= tr.vx * age
		b.Y -= tr.vy * age
	} else {
		grown = max(grown, tr.unknown(age))
	}
	o := w.t.o
	return b.Pad(o.Padding+grown, o.PaddingTop+grown).Rect().Union(tr.firstBox.Pad(o.Padding, o.PaddingTop).Rect())
}

// between returns what must be obscured between two sightings.
func (w *Window) between(tr *track, at time.Time) image.Rectangle {
	whole := tr.found.Sub(tr.gapFrom).Seconds()
	f := at.Sub(tr.gapFrom).Seconds() / whole
	mix := func(a, b float64) float64 { return a + f*(b-a) }
	b := geom.Box{
		X: mix(tr.gapBox.X, tr.box.X), Y: mix(tr.gapBox.Y, tr.box.Y),
		W: mix(tr.gapBox.W, tr.box.W), H: mix(tr.gapBox.H, tr.box.H),
	}
	// People do not walk in straight lines; least is known in the middle.
	grown := growth * min(1, whole) * (1 - 2*max(f-0.5, 0.5-f))
	return b.Pad(w.t.o.Padding+grown, w.t.o.PaddingTop+grown).Rect()
}

// fill adds a region to a picture, or lets the one that was filled in before
// for the same face grow; anew, where more is known by now, it takes its place.
func (w *Window) fill(m *moment, tr *track, r image.Rectangle, anew bool) {
	for i := range m.filled {
		if g := &m.filled[i]; g.Track == tr.id && g.Rect.Overlaps(r) {
			if g.Rect = g.Rect.Union(r); anew {
				g.Rect = r
			}
			return
		}
	}
	if !r.Overlaps(m.bounds) || slices.ContainsFunc(m.regions, func(g geom.Region) bool { return r.In(g.Rect) }) {
		return
	}
	if n := len(m.regions) + len(m.filled); n >= MaxTracks { // one region for what is over the limit
		last := m.regions
		if len(m.filled) > 0 {
			last = m.filled
		}
		last[len(last)-1].Rect = last[len(last)-1].Rect.Union(r)
	} else {
		m.filled = append(m.filled, geom.Region{Rect: r, Face: tr.box, Score: tr.score, Source: geom.Backfilled, Track: tr.id})
	}
}
