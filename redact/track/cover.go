package track

import (
	"image"
	"math"
	"time"

	"scrim/redact/geom"
)

const (
	// updateMargin is added around an updated region, as a fraction of the face's
	// size, so that small movements stay within it.
	updateMargin = 0.06
	// maxExcess is how many times larger than needed a region may become before it
	// is updated.
	maxExcess = 1.3
	// maxShrinkStep is the most by which a side moves inwards in one picture, in
	// face sizes.
	maxShrinkStep = 0.4
)

// regionsNow returns the region of every track that reaches into the picture.
func (t *Tracker) regionsNow(at time.Time, bounds image.Rectangle) []geom.Region {
	t.regions = t.regions[:0]
	for _, tr := range t.tracks {
		source := geom.Detected
		need := tr.pad(tr.env, t.o.Padding, t.o.PaddingTop)
		if tr.weak {
			source = geom.Tracked
		}
		if tr.lost {
			source = geom.Held
			lost := at.Sub(tr.found).Seconds()
			grown := tr.growth() * min(1, lost/t.o.Hold.Seconds())
			if !tr.velocity {
				grown = max(grown, tr.unknownGrowth(lost))
			}
			// People stop: the region spans all positions between an immediate stop and
			// constant motion.
			need = tr.pad(tr.predict(tr.env, at), t.o.Padding+grown, t.o.PaddingTop+grown).
				Union(tr.pad(tr.stopped(tr.env, at), t.o.Padding+growthAtRest*lost, t.o.PaddingTop))
		}
		if tr.weak && at.Sub(tr.confidentAt) <= tr.hold(t.o.Hold) {
			// The weak sightings may be of something else.
			was := *tr
			was.found, was.vx, was.vy, was.steady = tr.confidentAt, tr.lastConfident.vx, tr.lastConfident.vy, tr.lastConfident.steady
			need = need.Union(tr.pad(was.stopped(tr.lastConfident.env, at), t.o.Padding, t.o.PaddingTop))
		}
		tr.updateRect(need)
		if tr.rect.Overlaps(bounds) {
			t.regions = append(t.regions, geom.Region{Rect: tr.rect, Face: tr.box, Rotation: tr.rotation, Score: tr.score, Source: source, Track: tr.id})
		}
	}
	return t.regions
}

// pad adds padding to the box of a face. Hair is where the last sighting that was not weak had it.
func (tr *track) pad(b geom.Box, side, top float64) image.Rectangle {
	return tr.rotation.Pad(b, side, top).Rect()
}

// updateRect makes the region contain what is needed. A region that contains it
// and is not much too large stays the same. Regions grow at once and shrink in
// steps.
func (tr *track) updateRect(need image.Rectangle) {
	if need.In(tr.rect) && float64(tr.rect.Dx())*float64(tr.rect.Dy()) <= maxExcess*float64(need.Dx())*float64(need.Dy()) {
		return
	}
	size := math.Max(tr.box.W, tr.box.H)
	r := need.Inset(-int(math.Ceil(updateMargin * size)))
	if before := tr.rect; before.Overlaps(r) {
		step := int(math.Ceil(maxShrinkStep * size))
		r.Min.X, r.Min.Y = min(r.Min.X, before.Min.X+step), min(r.Min.Y, before.Min.Y+step)
		r.Max.X, r.Max.Y = max(r.Max.X, before.Max.X-step), max(r.Max.Y, before.Max.Y-step)
	}
	tr.rect = r
}
