package scene

import (
	"math"
	"math/rand/v2"
)

// person is one of the people: looks, habits and way. It does not change.
type person struct {
	looks
	id                  int
	shirt, trousers     rgb
	shoes               rgb
	stature             float64 // face heights from the camera's height down to the head's origin
	build               float64
	way                 *route
	glance, nod, attend [3]float64 // rate (rad/s), phase, strength
	step                float64    // rad/s
	model               *head
	views               [viewCount]*sprite
	outlines            [viewCount]*outline
}

// Stature of people: the tallest looks at the camera from just below.
const (
	tallest = 1.15
	lowest  = 1.75
	ground  = 9.0 // face heights from the camera's height to the floor
)

func newPerson(id int, l *lens, o *Options) *person {
	r := rand.New(rand.NewPCG(o.Seed, uint64(id)+1)) //nolint:gosec // it must be repeatable
	around := func(spread float64) float64 { return 1 + spread*(2*r.Float64()-1) }
	p := &person{id: id, stature: tallest + (lowest-tallest)*r.Float64(), build: around(0.14), step: 2 * math.Pi * (0.8 + 0.2*r.Float64())}
	p.draw(r)
	p.shirt = clothes[r.IntN(len(clothes))].times(around(0.1))
	p.trousers = clothes[r.IntN(len(clothes))].times(0.6)
	p.shoes = hairs[r.IntN(3)]
	habit := func(rate, strength float64) [3]float64 {
		return [3]float64{2 * math.Pi * rate * around(0.4), 2 * math.Pi * r.Float64(), strength * around(0.4)}
	}
	p.glance, p.nod, p.attend = habit(0.23, 30), habit(0.19, 13), habit(0.11, 1)
	p.way = newRoute(l, r, o.Away.Seconds())
	if id < o.Still {
		p.way.stand(id)
	}
	if o.HardFaces {
		p.harden(hardRand(o.Seed, id), wallLuma, 1)
	}
	return p
}

// draw draws the looks by lot.
func (l *looks) draw(r *rand.Rand) {
	around := func(spread float64) float64 { return 1 + spread*(2*r.Float64()-1) }
	l.skin = skins[r.IntN(len(skins))].times(around(0.03))
	l.hair = hairs[r.IntN(len(hairs))].times(around(0.1))
	l.iris = irises[r.IntN(len(irises))]
	l.width, l.jaw, l.nose = around(0.05), around(0.15), around(0.15)
	rouge := 0.0
	if r.IntN(2) == 0 {
		l.style, l.brow, rouge = longHair, 0.8, 0.35
	} else {
		l.style, l.brow = shortHair, 1.1
		l.beard = max(0, 1.1*r.Float64()-0.6)
		if r.IntN(5) == 0 {
			l.style = bald
		}
	}
	l.lips = l.rosy().mix(rgb{172, 50, 60}, rouge)
}

// rosy returns the colour of lips by nature.
func (l *looks) rosy() rgb { return rgb{l.skin.r * 0.80, l.skin.g * 0.56, l.skin.b * 0.58} }

// pose is one person in one frame.
type pose struct {
	who     *person
	visible bool // some of it may be in the picture
	x, y    float64
	size    float64 // pixels per face height
	bodyYaw float64 // radians, 0 faces the camera, positive to the right of the picture
	yaw     float64 // of the head, degrees, −180 to 180
	roll    float64 // of the head, degrees, clockwise
	swing   float64 // of the legs, −1 to 1
	moving  float64
}

// neck is where the head turns when it tilts, in face heights below its origin.
const neck = 0.62

// pose returns where p is, and how, at a time in seconds.
func (p *person) pose(l *lens, t float64) pose {
	at := p.way.at(t)
	if at.outside {
		return pose{who: p}
	}
	o := pose{who: p, visible: true, size: at.size, moving: at.moving}
	o.bodyYaw = wrap(at.heading + l.bearing(at.x))
	step := math.Sin(p.step * t)
	o.swing = step * at.moving
	wave := func(h [3]float64) float64 { return math.Sin(h[0]*t + h[1]) }

	body := o.bodyYaw * 180 / math.Pi
	turn := p.glance[2] * wave(p.glance) * (0.4 + 0.6*wave([3]float64{p.glance[0] * 0.37, p.attend[1]}))
	// Who looks at the camera turns the head as far as it goes.
	attention := smooth(0.1, 0.6, wave(p.attend)) * smooth(150, 115, math.Abs(body))
	turn += (min(max(-body, -65), 65) - turn) * attention * 0.9
	turn *= 1 - at.still
	o.yaw = wrapDegrees(body + turn)
	tilt := wave(p.nod)
	o.roll = p.nod[2] * (0.3*tilt + 1.3*tilt*tilt*tilt) * (1 - at.still)

	sin, cos := math.Sincos(o.roll * math.Pi / 180)
	bob := 0.03 * at.moving * math.Abs(step)
	o.x = at.x + neck*sin*o.size
	o.y = l.horizon + (p.stature+bob+neck*(1-cos))*o.size
	return o
}

func wrap(a float64) float64 { return math.Remainder(a, 2*math.Pi) }

func wrapDegrees(a float64) float64 { return math.Remainder(a, 360) }
