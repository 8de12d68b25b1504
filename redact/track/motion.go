package track

import (
	"math"
	"time"

	"scrim/redact/face"
	"scrim/redact/geom"
)

const (
	// velocityGain is the weight of a new measurement of the velocity.
	velocityGain = 0.4
	// maxSpeed limits the measured velocity, in face sizes per second.
	maxSpeed = 12.0
	// coastTime is the time constant with which a lost face is assumed to slow down.
	coastTime = 2 * time.Second
	// unknownSpeed is the assumed speed of a face that was found only once, in face
	// sizes per second. maxUnknownGrowth limits how far its region grows for it, and
	// uncertainGrowth does if it may not be a face.
	unknownSpeed     = 8.0
	maxUnknownGrowth = 1.0
	uncertainGrowth  = 0.3
	// maxDeceleration is in face sizes per second squared: 1.5 m/s², a walker who
	// stops, for a face of 19 cm.
	maxDeceleration = 8.0
	// steadySightings is how many sightings in a row must have been where they were
	// predicted before the region leaves the place where the face was last seen.
	steadySightings = 5
	// A held region grows by growthAtRest of its size per second on each side, by
	// growth if the face moved by fastSpeed face sizes per second or more.
	growthAtRest, growth, fastSpeed = 0.15, 0.3, 1.0
	// shrinkTime is the time constant with which the covered box shrinks to the box
	// that was found: detectors sometimes find half of a face.
	shrinkTime = 200 * time.Millisecond
)

// measure updates a track with the face that was found for it.
func (t *Tracker) measure(tr *track, f face.Face, at time.Time) {
	if dt := at.Sub(tr.found).Seconds(); dt > 0 {
		limit := maxSpeed * math.Sqrt(f.Box.Area())
		if tr.steady++; tr.predBox.IoU(f.Box) < sameIoU {
			tr.steady = 0
		}
		vx := clamp((f.Box.X+f.Box.W/2-tr.box.X-tr.box.W/2)/dt, limit)
		vy := clamp((f.Box.Y+f.Box.H/2-tr.box.Y-tr.box.H/2)/dt, limit)
		if tr.velocity {
			vx, vy = tr.vx+velocityGain*(vx-tr.vx), tr.vy+velocityGain*(vy-tr.vy)
		}
		tr.vx, tr.vy, tr.velocity = vx, vy, true
	}
	tr.env = envelope(f.Box, tr.predict(tr.env, at), at.Sub(tr.found))
	tr.gap, tr.gapStart, tr.gapBox = tr.misses > 1, tr.found, tr.box
	tr.box, tr.score, tr.found, tr.misses = f.Box, f.Score, at, 0
	tr.proximity = t.proximity(f.Box)
	if tr.weak = f.Weak; !tr.weak {
		tr.rotation = f.Rotation
		tr.uncertainty *= uncertainty(f.Score, tr.proximity)
		tr.confidentAt, tr.lastConfident = at, place{tr.env, tr.vx, tr.vy, tr.steady, f.Score}
	}
}

// predict returns the expected position of a box that was last measured, assuming
// that the face slows down.
func (tr *track) predict(b geom.Box, at time.Time) geom.Box {
	dt := max(0, at.Sub(tr.found)).Seconds()
	travel := coastTime.Seconds() * (1 - math.Exp(-dt/coastTime.Seconds()))
	b.X += tr.vx * travel
	b.Y += tr.vy * travel
	return b
}

// unknownGrowth returns by how much of its size the region grows in this time
// while the velocity of the face is not known. It is less if it may not be a face.
func (tr *track) unknownGrowth(seconds float64) float64 {
	return min(maxUnknownGrowth-(maxUnknownGrowth-uncertainGrowth)*tr.uncertainty, unknownSpeed*seconds)
}

// stopped returns where a box that was last measured is now if the face began to
// stop as soon as it was lost. While the velocity is not confirmed, that is where
// it was.
func (tr *track) stopped(b geom.Box, at time.Time) geom.Box {
	speed, limit := math.Hypot(tr.vx, tr.vy), maxDeceleration*math.Sqrt(tr.box.Area())
	if tr.steady < steadySightings || speed <= 0 || limit <= 0 {
		return b
	}
	dt := min(max(0, at.Sub(tr.found)).Seconds(), speed/limit)
	travel := dt - limit*dt*dt/2/speed
	b.X += tr.vx * travel
	b.Y += tr.vy * travel
	return b
}

// growth returns by how much of its size the region grows per second while the
// face is lost.
func (tr *track) growth() float64 {
	size := math.Sqrt(tr.box.Area())
	if size <= 0 {
		return growth
	}
	return growthAtRest + (growth-growthAtRest)*min(1, math.Hypot(tr.vx, tr.vy)/(fastSpeed*size))
}

// envelope returns the box that must be covered: the one that was found, and the
// one before as far as it has not shrunk yet.
func envelope(found, before geom.Box, dt time.Duration) geom.Box {
	f := 1 - math.Exp(-max(0, dt).Seconds()/shrinkTime.Seconds())
	mix := func(from, to float64) float64 { return from + f*(to-from) }
	left := min(found.X, mix(before.X, found.X))
	top := min(found.Y, mix(before.Y, found.Y))
	right := max(found.X+found.W, mix(before.X+before.W, found.X+found.W))
	bottom := max(found.Y+found.H, mix(before.Y+before.H, found.Y+found.H))
	return geom.Box{X: left, Y: top, W: right - left, H: bottom - top}
}

func clamp(v, limit float64) float64 { return min(max(v, -limit), limit) }
