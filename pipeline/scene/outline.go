package scene

import (
	"math"

	"scrim/redact/geom"
)

// view returns the number of the head's view, and whether it is mirrored.
func (o *pose) view() (i int, mirror bool) {
	return min(int(math.Round(math.Abs(o.yaw)/viewStep)), viewCount-1), o.yaw < 0
}

// box returns the extent of the part of the face that is turned to the camera,
// as it is drawn; its area is 0 when there is none.
func (o *pose) box() geom.Box {
	i, mirror := o.view()
	sinY, cosY := math.Sincos(float64(i) * viewStep * math.Pi / 180)
	sinR, cosR := math.Sincos(o.roll * math.Pi / 180)
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for k := range o.who.model.face {
		v := &o.who.model.face[k]
		if v.normal.z*cosY-v.normal.x*sinY <= 0 {
			continue
		}
		x, y := v.pos.x*cosY+v.pos.z*sinY, -v.pos.y
		if mirror {
			x = -x
		}
		x, y = x*cosR-y*sinR, x*sinR+y*cosR
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	if x0 > x1 {
		return geom.Box{}
	}
	return geom.Box{X: o.x + x0*o.size, Y: o.y + y0*o.size, W: (x1 - x0) * o.size, H: (y1 - y0) * o.size}
}

// outline is the silhouette of a head from one side: how far it reaches from
// its origin in outlineSteps directions, clockwise from the right, in face
// heights. A head is such that every line from the origin leaves it only once.
type outline [outlineSteps]float64

const outlineSteps = 48

func (h *head) outline(yaw float64) *outline {
	var o outline
	sin, cos := math.Sincos(yaw * math.Pi / 180)
	for i := 0; i < len(h.grid); i += 3 {
		p := h.grid[i].pos
		x, y := p.x*cos+p.z*sin, -p.y
		k := int(math.Round(math.Atan2(y, x)/(2*math.Pi)*outlineSteps)+outlineSteps) % outlineSteps
		o[k] = max(o[k], math.Hypot(x, y))
	}
	return &o
}

// outline returns the silhouette of the head as it is drawn.
func (o *pose) outline() (line *outline, mirror bool) {
	i, mirror := o.view()
	line = o.who.outlines[i]
	if line == nil {
		line = o.who.model.outline(float64(i * viewStep))
		o.who.outlines[i] = line
	}
	return line, mirror
}

// headBox returns the extent of the head, hair included.
func (o *pose) headBox() geom.Box {
	line, mirror := o.outline()
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for k, r := range line {
		angle := 2 * math.Pi * float64(k) / outlineSteps
		if mirror {
			angle = math.Pi - angle
		}
		sin, cos := math.Sincos(angle + o.roll*math.Pi/180)
		x0, y0, x1, y1 = min(x0, r*cos), min(y0, r*sin), max(x1, r*cos), max(y1, r*sin)
	}
	return geom.Box{X: o.x + x0*o.size, Y: o.y + y0*o.size, W: (x1 - x0) * o.size, H: (y1 - y0) * o.size}
}

// headHolds reports whether a point of the picture is in the head.
func (o *pose) headHolds(x, y float64) bool {
	dx, dy := x-o.x, y-o.y
	d := math.Hypot(dx, dy) / o.size
	if d > headUp {
		return false
	}
	line, mirror := o.outline()
	angle := math.Atan2(dy, dx) - o.roll*math.Pi/180
	if mirror {
		angle = math.Pi - angle
	}
	k := int(math.Round(angle/(2*math.Pi)*outlineSteps)+2*outlineSteps) % outlineSteps
	return d < line[k]
}
