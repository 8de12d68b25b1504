package track

import (
	"image"
	"math"
	"time"

	"scrim/redact/geom"
)

const (
	// calmMargin is added around a region that is made anew, as a fraction of
	// the face's size, so that small movements stay within it; calmExcess is how
	// many times larger than needed a region may become before it is made anew;
	// calmStep is by how many face sizes each of its sides then moves inwards in a
	// picture at most.
	calmMargin = 0.06
	calmExcess = 1.3
	calmStep   = 0.4
)

// cover returns the region of every track that reaches into the picture.
func (t *Tracker) cover(at time.Time, bounds image.Rectangle) []geom.Region {
	t.regions = t.regions[:0]
	for _, tr := range t.tracks {
		source := geom.Detected
		need := tr.env.Pad(t.o.Padding, t.o.PaddingTop).Rect()
		if tr.weak {
			source = geom.Tracked
		}
		if tr.lost {
			source = geom.Held
			lost := at.Sub(tr.found).Seconds()
			grown := tr.growth() * min(1, lost/t.o.Hold.Seconds())
			if !tr.velocity {
				grown = max(grown, tr.unknown(lost))
			}
			// And all the way to where it would be by now if it had stopped: people do.
			need = tr.predict(tr.env, at).Pad(t.o.Padding+grown, t.o.PaddingTop+grown).Rect().
				Union(tr.stopped(tr.env, at).Pad(t.o.Padding+calmGrowth*lost, t.o.PaddingTop).Rect())
		}
		if tr.weak && at.Sub(tr.sure) <= tr.hold(t.o.Hold) {
			// Something else may have carried the weak sightings off.
			was := *tr
			was.found, was.vx, was.vy, was.steady = tr.sure, tr.surely.vx, tr.surely.vy, tr.surely.steady
			need = need.Union(was.stopped(tr.surely.env, at).Pad(t.o.Padding, t.o.PaddingTop).Rect())
		}
		tr.settle(need)
		if tr.rect.Overlaps(bounds) {
			t.regions = append(t.regions, geom.Region{Rect: tr.rect, Face: tr.box, Score: tr.score, Source: source, Track: tr.id})
		}
	}
	return t.regions
}

// settle makes the region hold what is needed. It stays as it is while it
// does so without being much too large, grows at once, and shrinks in steps.
func (tr *track) settle(need image.Rectangle) {
	if need.In(tr.rect) && float64(tr.rect.Dx())*float64(tr.rect.Dy()) <= calmExcess*float64(need.Dx())*float64(need.Dy()) {
		return
	}
	size := math.Max(tr.box.W, tr.box.H)
	r := need.Inset(-int(math.Ceil(calmMargin * size)))
	if before := tr.rect; before.Overlaps(r) {
		step := int(math.Ceil(calmStep * size))
		r.Min.X, r.Min.Y = min(r.Min.X, before.Min.X+step), min(r.Min.Y, before.Min.Y+step)
		r.Max.X, r.Max.Y = max(r.Max.X, before.Max.X-step), max(r.Max.Y, before.Max.Y-step)
	}
	tr.rect = r
}
