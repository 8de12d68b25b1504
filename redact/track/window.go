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

// Window is a Tracker with look-ahead: it returns what must be obscured in a
// picture only after a number of later pictures. A face is then covered in the
// pictures before it was first found, and between two sightings along its path.
// With a look-ahead of 0 it is a Tracker. It is not safe for concurrent use.
type Window struct {
	t       *Tracker
	n       int
	pending []*picture
	free    []*picture
	out     []geom.Region
}

// picture is one that waits for later ones.
type picture struct {
	at      time.Time
	bounds  image.Rectangle
	regions []geom.Region // of the tracker
	filled  []geom.Region // added in hindsight
}

// NewWindow returns a Window that looks ahead by n pictures, 0 to MaxLookahead.
func NewWindow(o Options, n int) *Window {
	return &Window{t: New(o), n: min(max(n, 0), MaxLookahead)}
}

// Reset implements redact.Tracker.
func (w *Window) Reset() {
	w.t.Reset()
	w.free = append(w.free, w.pending...)
	w.pending = w.pending[:0]
}

// SetRestless implements redact.Restless.
func (w *Window) SetRestless(restless bool) { w.t.SetRestless(restless) }

// Lookahead implements redact.Tracker.
func (w *Window) Lookahead() int { return w.n }

// Observe implements redact.Tracker.
func (w *Window) Observe(at time.Time, faces []face.Face, width, height int) {
	m := new(picture)
	if n := len(w.free); n > 0 {
		m, w.free = w.free[n-1], w.free[:n-1]
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
	w.free = append(w.free, m)
	return w.out
}

// hindsight covers a face that was just found in the pictures that wait.
func (w *Window) hindsight(tr *track) {
	if len(w.pending) == 0 {
		return
	}
	filled := w.t.backfillTime(tr, tr.found.Sub(w.pending[0].at))
	for _, m := range w.pending {
		switch {
		case m.at.Before(tr.first) && tr.first.Sub(m.at) <= filled:
			w.fill(m, tr, w.before(tr, m.at), tr.velocity)
		case tr.gap && m.at.After(tr.gapStart):
			w.fill(m, tr, w.between(tr, m.at), false)
		}
	}
}

// before returns what must be obscured before the face was first found: where it
// came from, if its velocity is known, and where it was found.
func (w *Window) before(tr *track, at time.Time) image.Rectangle {
	age := tr.first.Sub(at).Seconds()
	grown := tr.growth() * min(1, age)
	b := tr.firstBox
	if tr.velocity {
		b.X -= tr.vx * age
		b.Y -= tr.vy * age
	} else {
		grown = max(grown, tr.unknownGrowth(age))
	}
	o := w.t.o
	return tr.pad(b, o.Padding+grown, o.PaddingTop+grown).Union(tr.pad(tr.firstBox, o.Padding, o.PaddingTop))
}

// between returns what must be obscured between two sightings.
func (w *Window) between(tr *track, at time.Time) image.Rectangle {
	whole := tr.found.Sub(tr.gapStart).Seconds()
	f := at.Sub(tr.gapStart).Seconds() / whole
	mix := func(a, b float64) float64 { return a + f*(b-a) }
	b := geom.Box{
		X: mix(tr.gapBox.X, tr.box.X), Y: mix(tr.gapBox.Y, tr.box.Y),
		W: mix(tr.gapBox.W, tr.box.W), H: mix(tr.gapBox.H, tr.box.H),
	}
	// People do not walk in straight lines; the middle is the least certain.
	grown := growth * min(1, whole) * (1 - 2*max(f-0.5, 0.5-f))
	return tr.pad(b, w.t.o.Padding+grown, w.t.o.PaddingTop+grown)
}

// fill adds a region to a picture. If one was added before for the same face, it
// grows, or is replaced.
func (w *Window) fill(m *picture, tr *track, r image.Rectangle, replace bool) {
	for i := range m.filled {
		if g := &m.filled[i]; g.Track == tr.id && g.Rect.Overlaps(r) {
			if g.Rect = g.Rect.Union(r); replace {
				g.Rect = r
			}
			return
		}
	}
	if !r.Overlaps(m.bounds) || slices.ContainsFunc(m.regions, func(g geom.Region) bool { return r.In(g.Rect) }) {
		return
	}
	if n := len(m.regions) + len(m.filled); n >= MaxTracks { // the last region covers what is over the limit
		last := m.regions
		if len(m.filled) > 0 {
			last = m.filled
		}
		last[len(last)-1].Rect = last[len(last)-1].Rect.Union(r)
	} else {
		m.filled = append(m.filled, geom.Region{Rect: r, Face: tr.box, Rotation: tr.rotation, Score: tr.score, Source: geom.Backfilled, Track: tr.id})
	}
}
