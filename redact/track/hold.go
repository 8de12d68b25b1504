package track

import (
	"math"
	"time"

	"scrim/redact/geom"
)

const (
	// minHold is how long a lost face stays covered if it probably is not a face.
	minHold = 250 * time.Millisecond
	// restlessHold is how long a lost face stays covered in restless pictures. In heavy rain, at 15
	// pictures a second, a woman's face of 70 pixels was missed for up to 1.2 s.
	restlessHold = 2 * time.Second
	// holdAfterWeak is how long a face stays covered after a weak sighting, if its
	// hold after the last confident sighting has ended before.
	holdAfterWeak = 150 * time.Millisecond
	// weakCarryTime is how long weak sightings alone can continue a track.
	weakCarryTime = time.Second
	// At uncertainScore a single sighting is no evidence of a face; at certainScore
	// there is no doubt about it. The scores differ near the camera: of 6476 drawn
	// faces of 64 pixels and more in 1080p, turned by up to 45°, none scored less
	// than 0.7. The backs of heads mostly scored less.
	uncertainScore, uncertainScoreNear = 0.35, 0.6
	certainScore, certainScoreNear     = 0.75, 0.85
	// Faces up to farSize are far from the camera, faces from nearSize on are near.
	// Both are fractions of the picture's shorter side.
	farSize, nearSize = 0.06, 0.14
	// nearHoldCut is the fraction by which the hold of a near face is shorter. Such
	// a face is lost only after its weak sightings have ended, too, and these
	// continue for long.
	nearHoldCut = 0.5
	// fadedHoldCut is the fraction by which it is even shorter if the last confident
	// sighting had a score that is no evidence of a face.
	fadedHoldCut = 0.25
)

// proximity returns how near to the camera a face of this size is, 0 to 1. It is
// 0 with detectors that do not report weak sightings, and in restless pictures: the rules
// for near faces depend on weak sightings, and on high scores.
func (t *Tracker) proximity(b geom.Box) float64 {
	if !t.o.Weak || t.restless {
		return 0
	}
	return ramp(math.Sqrt(b.Area())/t.short, farSize, nearSize)
}

// uncertainty returns how uncertain it is after a sighting with this score that
// there is a face, 0 to 1. The nearer the face, the higher the score must be.
func uncertainty(score, proximity float64) float64 {
	mix := func(far, near float64) float64 { return far + proximity*(near-far) }
	return 1 - ramp(score, mix(uncertainScore, uncertainScoreNear), mix(certainScore, certainScoreNear))
}

// ramp returns 0 up to from, 1 from to on, and grows linearly in between.
func ramp(v, from, to float64) float64 { return min(max((v-from)/(to-from), 0), 1) }

// hold returns how long the face stays covered after its last confident sighting.
// Of the whole time it subtracts:
//
//   - a part for near faces, which weak sightings would have continued;
//   - a further part for near faces whose last score was low. Scores fall while a
//     face turns away, but not when something hides it;
//   - a part that grows with the uncertainty that it is a face.
func (tr *track) hold(whole time.Duration) time.Duration {
	cut := nearHoldCut + fadedHoldCut*uncertainty(tr.lastConfident.score, tr.proximity)
	whole -= time.Duration(cut * tr.proximity * float64(whole))
	shortest := min(minHold-time.Duration(nearHoldCut*tr.proximity*float64(minHold)), whole)
	return whole - time.Duration(tr.uncertainty*float64(whole-shortest))
}

// holdAfterSighting returns how long the face stays covered after its last
// sighting, which may have been a weak one.
func (tr *track) holdAfterSighting(whole time.Duration) time.Duration {
	if tr.weak {
		return min(holdAfterWeak, whole)
	}
	return tr.hold(whole)
}

// maxWeakAge returns for how long after the last confident sighting weak ones
// continue the track. It is 0 for what is most likely the back of a head.
func (tr *track) maxWeakAge() time.Duration {
	return weakCarryTime - time.Duration(tr.proximity*tr.uncertainty*float64(weakCarryTime))
}

// heldUntil returns when the track of a lost face ends if it is not found again.
func (t *Tracker) heldUntil(tr *track) time.Time {
	if t.restless {
		return tr.found.Add(max(t.o.Hold, restlessHold))
	}
	confident, last := tr.confidentAt.Add(tr.hold(t.o.Hold)), tr.found.Add(tr.holdAfterSighting(t.o.Hold))
	if confident.After(last) {
		return confident
	}
	return last
}

// expired reports whether a lost face was held for its time, and in
// MinHoldPictures pictures.
func (t *Tracker) expired(tr *track, at time.Time) bool {
	return at.After(t.heldUntil(tr)) && tr.misses >= MinHoldPictures
}

// backfillTime returns for how long before its first sighting a face is covered,
// of the hindsight that the pictures at hand allow. A near face is found as soon
// as it is visible, so it is covered for no longer than it would be held, and for
// less if it is uncertain that it is a face.
func (t *Tracker) backfillTime(tr *track, hindsight time.Duration) time.Duration {
	near := time.Duration((1 - tr.uncertainty) * (1 - nearHoldCut) * float64(t.o.Hold))
	return hindsight - time.Duration(tr.proximity*float64(max(0, hindsight-near)))
}
