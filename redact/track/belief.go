package track

import (
	"math"
	"time"

	"scrim/redact/face"
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
	// the camera they are others: of 5900 faces drawn there, turned by up to 45°,
	// the detector gave none less than 0.7, and to backs of heads up to 0.7.
	doubtful, doubtfulNear = 0.35, 0.6
	certain, certainNear   = 0.75, 0.85
	// farSize and nearSize are the sizes of a face, as fractions of the picture's
	// shorter side, up to which it counts as far from the camera, and from which on
	// as near.
	farSize, nearSize = 0.06, 0.18
	// holdNear is by what fraction a near face is held for less: it is lost only when
	// not even weak sightings of it are left, and those it leaves for long.
	holdNear = 0.5
)

// near returns how near to the camera a face of this size is, 0 to 1. Without weak
// sightings nothing follows from that, and it is 0.
func (t *Tracker) near(b face.Box) float64 {
	if !t.o.Weak {
		return 0
	}
	return unit(math.Sqrt(b.Area())/t.short, farSize, nearSize)
}

// doubt returns how much a sighting of a score leaves open whether there is a
// face: the nearer it would be, the better it would be seen.
func doubt(score, near float64) float64 {
	mix := func(far, close float64) float64 { return far + near*(close-far) }
	return 1 - unit(score, mix(doubtful, doubtfulNear), mix(certain, certainNear))
}

// unit returns where v lies between from and to, 0 to 1.
func unit(v, from, to float64) float64 { return min(max((v-from)/(to-from), 0), 1) }

// hold returns how long the face stays covered once it is lost: the whole time
// if it is one, less the more doubt there is, and less where weak sightings would
// have told that it is there.
func (tr *track) hold(whole time.Duration) time.Duration {
	whole -= time.Duration(holdNear * tr.near * float64(whole))
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

// over reports whether a face was lost so long ago that it is no longer thought to
// be there.
func (t *Tracker) over(tr *track, at time.Time) bool { return t.heldFor(tr, at, tr.misses, 0) }

// bridged reports whether a lost face needs no cover for now, though it is still
// thought to be there: if it is found again, hindsight will cover it in this
// picture, too. That is left to hindsight for near faces only; where little is to
// be seen of a face, more is hidden than is needed.
func (t *Tracker) bridged(tr *track, at time.Time) bool {
	less := time.Duration(tr.near * float64(t.ahead))
	return less > 0 && t.heldFor(tr, at, tr.misses-1+int(tr.near*float64(t.waiting)), less)
}

// heldFor reports whether a face was held for its time, less some of it, and in as many
// pictures as it must be.
func (t *Tracker) heldFor(tr *track, at time.Time, pictures int, less time.Duration) bool {
	return at.Sub(tr.sure) > tr.hold(t.o.Hold)-less && at.Sub(tr.found) > tr.linger(t.o.Hold)-less && pictures >= MinHoldPictures
}

// fills reports whether hindsight covers a face at a time before it was first found.
// Near the camera only as far back as it is believed to be one.
func (t *Tracker) fills(tr *track, at time.Time) bool {
	return tr.first.Sub(at) <= time.Duration((1-tr.near*tr.doubt)*float64(t.ahead))
}
