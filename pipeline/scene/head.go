package scene

import "math"

// A head is a surface in three dimensions. Units are face heights (hairline to
// chin); x goes to the right as seen by somebody whom the head faces, y up, z
// out of the face. The origin is between the eyes, in the middle of the head.
const (
	hairline = 0.45  // y of the top of the face
	chin     = -0.55 // y of its bottom
	eyeX     = 0.165
	mouthY   = -0.325
	noseY    = -0.165 // the tip
)

type vec struct{ x, y, z float64 }

type hairStyle int

const (
	shortHair hairStyle = iota
	longHair
	bald
)

// looks are what tells one head from another. The factors are around 1.
type looks struct {
	skin, hair, iris, lips rgb
	style                  hairStyle
	width, jaw, nose       float64
	brow, beard            float64 // 0: none
	hard                   *hardness
}

// lonSteps and latSteps are the vertices around the head and from pole to pole.
const (
	lonSteps  = 264
	latSteps  = 150
	fineSteps = 200 // vertices around the front half
)

// vertex is a point of the surface with what does not depend on the view.
type vertex struct {
	pos, normal vec
	y, u, v     float32 // colour in white light; u and v without their offset
}

// head is the surface as a grid, and the points that make up the face.
type head struct {
	hard *hardness
	grid []vertex // latSteps rows of lonSteps
	face []vertex // some of the face's vertices: their extent is the box
}

// longitude returns the angle of a column, 0 in front, finer in front.
func longitude(i int) float64 {
	if i < fineSteps {
		return (float64(i)/fineSteps - 0.5) * math.Pi
	}
	return math.Pi/2 + float64(i-fineSteps)/(lonSteps-fineSteps)*math.Pi
}

// latitude returns the angle of a row, from the crown down, finer in the face.
func latitude(j int) float64 {
	f := 2*float64(j)/(latSteps-1) - 1
	return -(0.55*f + 0.45*f*f*f) * math.Pi / 2
}

func newHead(l *looks) *head {
	h := &head{hard: l.hard, grid: make([]vertex, lonSteps*latSteps)}
	base := make([]vec, lonSteps*latSteps)
	for j := range latSteps {
		for i := range lonSteps {
			lon, lat := longitude(i), latitude(j)
			d := vec{math.Cos(lat) * math.Sin(lon), math.Sin(lat), math.Cos(lat) * math.Cos(lon)}
			b := l.skull(d)
			base[j*lonSteps+i] = b
			r := 1 + l.relief(b)/math.Sqrt(b.x*b.x+b.y*b.y+b.z*b.z)
			h.grid[j*lonSteps+i].pos = vec{b.x * r, b.y * r, b.z * r}
		}
	}
	for j := range latSteps {
		for i := range lonSteps {
			v := &h.grid[j*lonSteps+i]
			v.normal = h.normalAt(i, j)
			p := base[j*lonSteps+i]
			y, u, w := l.paint(p).yuv()
			v.y, v.u, v.v = float32(y-16), float32(u-128), float32(w-128)
			if i%6 == 3 && j%4 == 1 && p.y < min(l.hairEdge(p), hairline) && p.y > chin-0.02 && p.z > 0.12 {
				h.face = append(h.face, *v)
			}
		}
	}
	return h
}

// normalAt returns the outward normal, from the neighbours in the grid.
func (h *head) normalAt(i, j int) vec {
	at := func(i, j int) vec { return h.grid[j*lonSteps+(i+lonSteps)%lonSteps].pos }
	e, w := at(i+1, j), at(i-1, j)
	n, s := at(i, max(j-1, 0)), at(i, min(j+1, latSteps-1))
	a, b := vec{e.x - w.x, e.y - w.y, e.z - w.z}, vec{n.x - s.x, n.y - s.y, n.z - s.z}
	c := vec{a.y*b.z - a.z*b.y, a.z*b.x - a.x*b.z, a.x*b.y - a.y*b.x}
	length := math.Sqrt(c.x*c.x + c.y*c.y + c.z*c.z)
	if length < 1e-12 { // the poles
		return vec{0, math.Copysign(1, at(i, j).y), 0}
	}
	return vec{c.x / length, c.y / length, c.z / length}
}

// skull returns the smooth surface in direction d: a superellipsoid with a jaw.
func (l *looks) skull(d vec) vec {
	a, b, c := 0.415*l.width, 0.63, 0.46
	if d.y < 0 {
		b = 0.57
		a *= 1 - 0.20/l.jaw*smooth(0.15, 0.95, -d.y)
	}
	if d.z < 0 {
		c = 0.56
		a *= 1 + 0.03*smooth(0, 0.6, -d.z)
		c *= 1 - 0.25*smooth(0.2, 0.9, -d.y)
	}
	const n = 2.25
	r := math.Pow(math.Pow(math.Abs(d.x)/a, n)+math.Pow(math.Abs(d.y)/b, n)+math.Pow(math.Abs(d.z)/c, n), -1/n)
	return vec{d.x * r, d.y * r, d.z * r}
}

// hairEdge returns the height above which there is hair at p of the skull.
func (l *looks) hairEdge(p vec) float64 {
	ax := math.Abs(p.x)
	front := hairline - 0.02 - 0.35*ax*ax
	temple := -0.02 - 0.55*smooth(0.05, -0.18, p.z)
	if l.style == longHair {
		temple = -0.1 - 0.75*smooth(0.12, -0.02, p.z)
	}
	// Below the chin there is none.
	side := smooth(0.20, 0.06, p.z) * max(smooth(0.12, 0.28, ax), smooth(-0.12, -0.3, p.z))
	edge := front + (temple-front)*side
	if l.style == bald {
		edge += 2 * smooth(0.05, 0.22, p.y)
	}
	return edge
}

// relief returns how far the surface stands out from the skull at p.
func (l *looks) relief(p vec) float64 {
	ax := math.Abs(p.x)
	front := smooth(0, 0.15, p.z)
	h := 0.0
	if front > 0 {
		h += 0.018 * bell2(ax-0.15, 0.12, p.y-0.10, 0.035) // brow
		h -= 0.050 * bell2(ax-eyeX, 0.085, p.y+0.005, 0.050)
		h += 0.022 * bell2(ax-eyeX, 0.045, p.y, 0.035) // eyeball
		h += 0.020 * bell2(ax-0.21, 0.08, p.y+0.14, 0.07)
		h -= 0.012 * bell2(ax-0.20, 0.06, p.y+0.32, 0.08)
		h += 0.018 * bell2(ax, 0.10, p.y-mouthY, 0.07)
		h += 0.016 * bell2(ax, 0.075, p.y-mouthY-0.022, 0.016)
		h += 0.020 * bell2(ax, 0.070, p.y-mouthY+0.026, 0.018)
		h -= 0.012 * bell2(ax, 0.09, p.y-mouthY, 0.008)
		h += 0.040 * bell2(ax, 0.09, p.y+0.50, 0.06)
		h -= 0.014 * bell2(ax, 0.09, p.y+0.405, 0.025)
		h += l.nose * noseRelief(ax, p.y)
		h *= front
	}
	ear := bell2(p.z+0.03, 0.045, p.y+0.06, 0.085) * smooth(0.25, 0.32, ax)
	if l.style != longHair {
		h += 0.075 * ear
	}
	if over := p.y - l.hairEdge(p); over > 0 && l.style != bald {
		h += (0.02 + 0.05*smooth(0, 0.5, over)) * smooth(0, 0.03, over)
		if l.style == longHair {
			h += 0.06 * smooth(0.1, -0.1, p.z) * smooth(0, 0.1, over)
		}
	}
	return h
}

func noseRelief(ax, y float64) float64 {
	along := smooth(0.07, noseY, y) * smooth(noseY-0.075, noseY-0.015, y)
	width := 0.032 + 0.030*smooth(-0.02, noseY, y)
	bridge := 0.115 * along * bell(ax, width)
	wings := 0.035 * bell2(ax-0.062, 0.024, y-noseY+0.025, 0.028)
	return bridge + wings
}
