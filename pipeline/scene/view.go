package scene

import "math"

// Extent of a head in face heights, hair included, from its origin.
const (
	headSide = 0.76
	headUp   = 0.80
	headDown = 0.72
)

// viewStep is the angle between two views of a head, in degrees: more would be
// seen as jumps, fewer as memory.
const viewStep = 4

// viewCount is the number of views from the front to the back.
const viewCount = 180/viewStep + 1

// supersample is the pixels per pixel of the largest level, on each axis, that
// are rendered to smooth its edges.
const supersample = 2

// nothing is the depth where there is no head.
const nothing = -1e9

// renderer turns heads into sprites. It is reused for its buffers.
type renderer struct {
	w, h  int
	depth []float32
	col   [][3]float32
	verts []viewVertex
}

type viewVertex struct {
	x, y, z float32
	c       [3]float32
}

// light is where the light comes from as seen from the camera, not normalised
// on purpose: it sets the brightness.
var light = vec{0, 0.42, 0.72}

// ambient is the light from everywhere.
const ambient = 0.40

// render returns the sprite of h seen at yaw (degrees, 0 to 180), with the
// largest level of scale pixels per face height.
func (r *renderer) render(h *head, yaw, scale float64) *sprite {
	n := scale * supersample
	r.w, r.h = int(2*headSide*n)&^1+2, int((headUp+headDown)*n)&^1+2
	r.clear()
	r.project(h, yaw, n)
	for j := range latSteps - 1 {
		for i := range lonSteps {
			k := (i + 1) % lonSteps
			a, b := &r.verts[j*lonSteps+i], &r.verts[j*lonSteps+k]
			c, d := &r.verts[(j+1)*lonSteps+i], &r.verts[(j+1)*lonSteps+k]
			r.triangle(a, b, c)
			r.triangle(b, d, c)
		}
	}
	s := &sprite{levels: []level{r.resolve(scale)}}
	if h.hard != nil {
		s.levels[0] = s.levels[0].blurred(h.hard.softness * scale)
	}
	s.addLevels()
	return s
}

func (r *renderer) clear() {
	if n := r.w * r.h; len(r.depth) != n {
		r.depth, r.col = make([]float32, n), make([][3]float32, n)
	}
	for i := range r.depth {
		r.depth[i] = nothing
	}
	if r.verts == nil {
		r.verts = make([]viewVertex, lonSteps*latSteps)
	}
}

// project turns the head by yaw and lights it.
func (r *renderer) project(h *head, yaw, n float64) {
	sin, cos := math.Sincos(yaw * math.Pi / 180)
	lamp, around := light, ambient
	if h.hard != nil {
		lamp, around = h.hard.lamp, h.hard.ambient
	}
	for i := range h.grid {
		g, v := &h.grid[i], &r.verts[i]
		x, z := g.pos.x*cos+g.pos.z*sin, g.pos.z*cos-g.pos.x*sin
		nx, nz := g.normal.x*cos+g.normal.z*sin, g.normal.z*cos-g.normal.x*sin
		v.x, v.y, v.z = float32((x+headSide)*n), float32((headUp-g.pos.y)*n), float32(z)
		s := float32(around+max(0, nx*lamp.x+g.normal.y*lamp.y+nz*lamp.z)) * float32(0.86+0.14*max(nz, 0))
		v.c = [3]float32{g.y*s + 16, g.u*s + 128, g.v*s + 128}
	}
}

// triangle draws a triangle whose corners go clockwise with interpolated colour
// and a depth test.
func (r *renderer) triangle(a, b, c *viewVertex) {
	area := (b.x-a.x)*(c.y-a.y) - (c.x-a.x)*(b.y-a.y)
	if area < 1e-6 { // seen from behind, or on edge
		return
	}
	inv := 1 / area
	x0, x1 := max(int(min(a.x, b.x, c.x)), 0), min(int(max(a.x, b.x, c.x))+1, r.w)
	y0, y1 := max(int(min(a.y, b.y, c.y)), 0), min(int(max(a.y, b.y, c.y))+1, r.h)
	const slack = -1e-4
	stepB, stepC := (c.y-a.y)*inv, (a.y-b.y)*inv // of the weights, from pixel to pixel
	stepZ := stepB*(b.z-a.z) + stepC*(c.z-a.z)
	px := float32(x0) + 0.5 - a.x
	for y := y0; y < y1; y++ {
		py := float32(y) + 0.5 - a.y
		wb, wc := (px*(c.y-a.y)-(c.x-a.x)*py)*inv, ((b.x-a.x)*py-px*(b.y-a.y))*inv
		z := a.z + wb*(b.z-a.z) + wc*(c.z-a.z)
		for at := y*r.w + x0; at < y*r.w+x1; at++ {
			if wb >= slack && wc >= slack && wb+wc <= 1-slack && z > r.depth[at] {
				r.depth[at] = z
				wa := 1 - wb - wc
				r.col[at] = [3]float32{wa*a.c[0] + wb*b.c[0] + wc*c.c[0], wa*a.c[1] + wb*b.c[1] + wc*c.c[1], wa*a.c[2] + wb*b.c[2] + wc*c.c[2]}
			}
			wb += stepB
			wc += stepC
			z += stepZ
		}
	}
}

// resolve averages what was rendered into the largest level.
func (r *renderer) resolve(scale float64) level {
	x0, x1 := r.used()
	l := level{w: (x1 - x0) + 2, h: r.h/supersample + 2, scale: scale}
	l.ox, l.oy = headSide*scale-float64(x0)+1, headUp*scale+1
	l.pix = make([]uint32, l.w*l.h)
	const all = supersample * supersample
	for y := range r.h / supersample {
		for x := x0; x < x1; x++ {
			var sum [3]float32
			n := 0
			for k := range all {
				at := (y*supersample+k/supersample)*r.w + x*supersample + k%supersample
				if r.depth[at] > nothing {
					n++
					for i, v := range r.col[at] {
						sum[i] += min(max(v, 16), 235)
					}
				}
			}
			byteOf := func(v float32) uint32 { return uint32(v/all + 0.5) }
			l.pix[(y+1)*l.w+x-x0+1] = byteOf(sum[0]) | byteOf(sum[1])<<8 | uint32(n*255/all)<<16 | byteOf(sum[2])<<24
		}
	}
	return l
}

// used returns the columns of the largest level that are not empty.
func (r *renderer) used() (x0, x1 int) {
	x0, x1 = r.w, 0
	for at, z := range r.depth {
		if x := at % r.w; z > nothing && (x < x0 || x >= x1) {
			x0, x1 = min(x0, x), max(x1, x+1)
		}
	}
	return min(x0, x1) / supersample, min((x1+supersample-1)/supersample, r.w/supersample)
}
