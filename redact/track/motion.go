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
	// maxSpeed bounds the velocity that is believed, in face sizes a second.
	maxSpeed = 12.0
	// coast is the time constant with which a lost face is thought to slow down.
	coast = 2 * time.Second
	// unknownSpeed is the speed, in face sizes a second, that a face may have
	// which was found only once; unknownReach is how far that is believed, and
	// doubtfulReach where it may be no face.
	unknownSpeed  = 8.0
	unknownReach  = 1.0
	doubtfulReach = 0.3
	// braking is how fast a face slows down at most, in face sizes per second
	// squared: 1.5 m/s², a walker who stops, for a face of 19 cm.
	braking = 8.0
	// steadySightings is how many sightings in a row must have been where they had
	// been expected before a velocity is believed so far that what lies behind is
	// given up.
	steadySightings = 5
	// calmGrowth and growth are by how much of its size a held region grows on
	// each side in a second, where the face stood still and where it moved by
	// restless face sizes a second or more.
	calmGrowth, growth, restless = 0.15, 0.3, 1.0
	// shrink is the time constant with which what is covered of a face shrinks to
	// what was found: detectors find half of a face, too.
	shrink = 200 * time.Millisecond
)

// measure takes over a face that was found.
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
	tr.gap, tr.gapFrom, tr.gapBox = tr.misses > 1, tr.found, tr.box
	tr.box, tr.score, tr.found, tr.misses = f.Box, f.Score, at, 0
	tr.near = t.near(f.Box)
	if tr.weak = f.Weak; !tr.weak {
		tr.doubt *= doubt(f.Score, tr.near)
		tr.sure, tr.surely = at, place{tr.env, tr.vx, tr.vy, tr.steady, f.Score}
	}
}

// predict returns where a box that was last measured is thought to be, slowing
// down.
func (tr *track) predict(b geom.Box, at time.Time) geom.Box {
	dt := max(0, at.Sub(tr.found)).Seconds()
	travel := coast.Seconds() * (1 - math.Exp(-dt/coast.Seconds()))
	b.X += tr.vx * travel
	b.Y += tr.vy * travel
	return b
}

// unknown returns by how much of its size the region grows in so many seconds
// while the face's velocity is not known: by less where it may be no face.
func (tr *track) unknown(seconds float64) float64 {
	return min(unknownReach-(unknownReach-doubtfulReach)*tr.doubt, unknownSpeed*seconds)
}

// stopped returns where a box that was last measured is at least by now: as if
// it had begun to stop as soon as it was lost. While its velocity is in doubt
// that is where it was.
func (tr *track) stopped(b geom.Box, at time.Time) geom.Box {
	speed, limit := math.Hypot(tr.vx, tr.vy), braking*math.Sqrt(tr.box.Area())
	if tr.steady < steadySightings || speed <= 0 || limit <= 0 {
		return b
	}
	dt := min(max(0, at.Sub(tr.found)).Seconds(), speed/limit)
	travel := dt - limit*dt*dt/2/speed
	b.X += tr.vx * travel
	b.Y += tr.vy * travel
	return b
}

// growth returns by how much of its size the region grows in a second in which
// nothing is known of the face.
func (tr *track) growth() float64 {
	size := math.Sqrt(tr.box.Area())
	if size <= 0 {
		return growth
	}
	return calmGrowth + (growth-calmGrowth)*min(1, math.Hypot(tr.vx, tr.vy)/(restless*size))
}

// envelope returns what must be covered of a face: what was found, and what was
// covered before as far as it has not shrunk yet.
func envelope(found, before geom.Box, dt time.Duration) geom.Box {
	f := 1 - math.Exp(-max(0, dt).Seconds()/shrink.Seconds())
	mix := func(from, to float64) float64 { return from + f*(to-from) }
	left := min(found.X, mix(before.X, found.X))
	top := min(found.Y, mix(before.Y, found.Y))
	right := max(found.X+found.W, mix(before.X+before.W, found.X+found.W))
	bottom := max(found.Y+found.H, mix(before.Y+before.H, found.Y+found.H))
	return geom.Box{X: left, Y: top, W: right - left, H: bottom - top}
}

func clamp(v, limit float64) float64 { return min(max(v, -limit), limit) }
