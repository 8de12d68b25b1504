package track

import (
	"math"
	"time"

	"scrim/redact/geom"
)

const (
	// minHold is how long a lost face of which little is believed stays covered.
	minHold = 250 * time.Millisecond
	// holdWeak is how long a face stays covered after a weak sighting, once the time
	// after the last one that was not weak is over.
	holdWeak = 150 * time.Millisecond
	// weakFor is how long weak sightings alone carry a face on.
	weakFor = time.Second
	// doubtful and certain are the scores at which a single sighting says nothing
	// beyond itself, and at which it leaves no doubt that there is a face. Near
	// the camera they are others: of 6476 drawn faces of 64 pixels and more in
	// 1080p, turned by up to 45°, the detector gave none less than 0.7, and the
	// back of a head most often less.
	doubtful, doubtfulNear = 0.35, 0.6
	certain, certainNear   = 0.75, 0.85
	// farSize and nearSize are the sizes of a face, as fractions of the picture's
	// shorter side, up to which it counts as far from the camera, and from which on
	// as near.
	farSize, nearSize = 0.06, 0.14
	// holdNear is by what fraction a near face is held for less: it is lost only when
	// not even weak sightings of it are left, and those it leaves for long.
	holdNear = 0.5
	// holdFaded is by what fraction it is held for less again where the last sighting
	// left nothing but doubt.
	holdFaded = 0.25
)

// near returns how near to the camera a face of this size is, 0 to 1. Without weak
// sightings nothing follows from that, and it is 0.
func (t *Tracker) near(b geom.Box) float64 {
	if !t.o.Weak {
		return 0
	}
	return unit(math.Sqrt(b.Area())/t.short, farSize, nearSize)
}

// doubt returns how much a sighting of a score leaves open whether there is a
// face: the nearer it would be, the better it would be seen.
func doubt(score, near float64) float64 {
	mix := func(afar, nearby float64) float64 { return afar + near*(nearby-afar) }
	return 1 - unit(score, mix(doubtful, doubtfulNear), mix(certain, certainNear))
}

// unit returns where v lies between from and to, 0 to 1.
func unit(v, from, to float64) float64 { return min(max((v-from)/(to-from), 0), 1) }

// hold returns how long the face stays covered once it is lost: the whole time
// if it is one, less the more doubt there is, and less where weak sightings would
// have told that it is there, or where it was seen to turn away: the last sightings of
// that are ever less sure, while what is hidden vanishes from one picture to the next.
func (tr *track) hold(whole time.Duration) time.Duration {
	less := holdNear + holdFaded*doubt(tr.surely.score, tr.near)
	whole -= time.Duration(less * tr.near * float64(whole))
	least := min(minHold-time.Duration(holdNear*tr.near*float64(minHold)), whole)
	return whole - time.Duration(tr.doubt*float64(whole-least))
}

// linger returns how long the face stays covered after its last sighting, for the
// whole time only if that was no weak one.
func (tr *track) linger(whole time.Duration) time.Duration {
	if tr.weak {
		return min(holdWeak, whole)
	}
	return tr.hold(whole)
}

// weakly returns how long weak sightings alone carry the face on: not at all where
// it is most likely the back of a head.
func (tr *track) weakly() time.Duration {
	return weakFor - time.Duration(tr.near*tr.doubt*float64(weakFor))
}

// until returns when a lost face is given up, if it is not found again.
func (t *Tracker) until(tr *track) time.Time {
	sure, found := tr.sure.Add(tr.hold(t.o.Hold)), tr.found.Add(tr.linger(t.o.Hold))
	if sure.After(found) {
		return sure
	}
	return found
}

// over reports whether a lost face is given up: it was held for its time, and in as many
// pictures as it must be.
func (t *Tracker) over(tr *track, at time.Time) bool {
	return at.After(t.until(tr)) && tr.misses >= MinHoldPictures
}

// filled returns for how long before its first sighting hindsight of so much covers a
// face: near the camera, where it is found as soon as it is to be seen, for no longer than
// it is held after the last one, and less the more doubt there is.
func (t *Tracker) filled(tr *track, hindsight time.Duration) time.Duration {
	near := time.Duration((1 - tr.doubt) * (1 - holdNear) * float64(t.o.Hold))
	return hindsight - time.Duration(tr.near*float64(max(0, hindsight-near)))
}
