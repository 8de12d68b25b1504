package scene

import (
	"math"

	"scrim/redact/geom"
)

// maxParts bounds the shapes of a body.
const maxParts = 20

// figure is a person as shapes in the picture, in the order in which they are
// drawn; the head follows.
type figure struct {
	pose
	parts          [maxParts]shape
	n              int
	x0, y0, x1, y1 float64 // extent, head included
	torso          geom.Box
}

// builder places parts of a body. Lengths are in face heights, from the head's
// origin; x to the right of the picture, y down.
type builder struct {
	f        *figure
	cx, cy   float64
	sin, cos float64
}

func (b *builder) at(x, y float64) point {
	return point{b.cx + x*b.f.size, b.cy + y*b.f.size}
}

func (b *builder) limb(p point, rp float64, q point, rq float64, c rgb) {
	b.put(limb(p, rp*b.f.size, q, rq*b.f.size, c.ink()))
}

func (b *builder) put(s shape) {
	if f := b.f; f.n < maxParts {
		f.parts[f.n] = s
		f.n++
		x0, y0, x1, y1 := s.bounds()
		f.x0, f.y0, f.x1, f.y1 = min(f.x0, x0), min(f.y0, y0), max(f.x1, x1), max(f.y1, y1)
	}
}

// wide returns half the width in the picture of something that is a wide from
// side to side and d deep.
func (b *builder) wide(a, d float64) float64 { return math.Hypot(a*b.cos, d*b.sin) }

// build makes the figure of a pose.
func (f *figure) build(o *pose) {
	*f = figure{pose: *o}
	r := 0.85 * o.size
	f.x0, f.y0, f.x1, f.y1 = o.x-r, o.y-r, o.x+r, o.y+r
	b := &builder{f: f}
	b.sin, b.cos = math.Sincos(o.bodyYaw)
	sin, cos := math.Sincos(o.roll * math.Pi / 180)
	b.cx, b.cy = o.x-neck*sin*o.size, o.y-neck*(1-cos)*o.size
	far := 1.0 // the side that is drawn first
	if b.sin < 0 {
		far = -1
	}
	b.arm(far)
	b.leg(far)
	b.leg(-far)
	b.torso()
	b.arm(-far)
}

// hip, in face heights below the head's origin.
const hip = 3.7

func (b *builder) torso() {
	p, w := b.f.who, b.f.who.build
	sinH := math.Sin(b.f.yaw * math.Pi / 180)
	skin := p.skin.times(0.72) // in the chin's shadow
	waist := shape{col: p.shirt.ink(), round: true}
	for _, side := range []float64{1, -1} {
		rows := [...][2]float64{ // half width, height
			{b.wide(0.34, 0.3), 0.70}, {b.wide(0.80, 0.45), 0.86}, {b.wide(1.10*w, 0.55), 1.08},
			{b.wide(1.0*w, 0.62), 2.2}, {b.wide(0.88*w, 0.58), hip},
		}
		for i := range rows {
			row := rows[i]
			if side < 0 {
				row = rows[len(rows)-1-i]
			}
			c := b.at(side*row[0], row[1])
			waist.add(c.x, c.y)
		}
	}
	b.put(waist)
	x0, y0, x1, y1 := waist.bounds()
	b.f.torso = geom.Box{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
	throat := b.at(0, 0.74)
	upper := point{b.f.x - 0.12*sinH*b.f.size, b.f.y + 0.25*b.f.size}
	b.limb(upper, 0.26, throat, 0.29, skin)
}

func (b *builder) arm(side float64) {
	p := b.f.who
	lift := -0.5 * side * b.f.swing // opposite to the leg
	shoulder := b.at(side*1.02*p.build*b.cos, 1.08)
	elbow := b.along(shoulder, 1.5, lift+0.02)
	hand := b.along(elbow, 1.25, lift+0.25)
	sleeve := p.shirt.times(0.92)
	b.limb(elbow, 0.20, hand, 0.16, sleeve)
	b.limb(shoulder, 0.27, elbow, 0.21, sleeve)
	b.limb(hand, 0.17, b.along(hand, 0.25, lift+0.25), 0.13, p.skin.times(0.9))
}

func (b *builder) leg(side float64) {
	p := b.f.who
	length := ground - p.stature - hip - 0.15
	lift := 0.45 * side * b.f.swing
	bend := 0.35 * max(0, -side*b.f.swing)
	top := b.at(side*0.42*p.build*b.cos, hip)
	knee := b.along(top, length/2, lift)
	ankle := b.along(knee, length/2, lift-bend)
	toes := point{ankle.x + 0.55*b.sin*b.f.size, ankle.y + (0.08+0.1*max(b.cos, 0))*b.f.size}
	b.limb(ankle, 0.17, toes, 0.14, p.shoes)
	b.limb(knee, 0.27, ankle, 0.18, p.trousers)
	b.limb(top, 0.44, knee, 0.29, p.trousers)
}

// along returns the point at a distance from p, downwards and turned by angle
// towards where the body faces.
func (b *builder) along(p point, length, angle float64) point {
	sin, cos := math.Sincos(angle)
	return point{p.x + length*sin*b.sin*b.f.size, p.y + length*cos*b.f.size}
}

// hides reports whether the figure covers a point of the picture, hair included.
func (f *figure) hides(x, y float64) bool {
	if x < f.x0 || x > f.x1 || y < f.y0 || y > f.y1 {
		return false
	}
	if f.headHolds(x, y) {
		return true
	}
	for i := range f.n {
		if f.parts[i].holds(x, y) {
			return true
		}
	}
	return false
}
