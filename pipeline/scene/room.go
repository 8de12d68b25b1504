package scene

import (
	"image"
	"math"
	"math/rand/v2"

	"scrim/redact/yuv"
)

// room is what does not move: the background, and a column that stands before
// some of the people.
type room struct {
	back       *yuv.Image
	front      *yuv.Image      // the same with the column
	column     image.Rectangle // even on all sides
	columnSize float64         // face height at its distance
}

// Places in the room, as fractions of the picture's size.
const (
	columnLeft  = 0.66
	columnWidth = 0.035
	columnDepth = 0.55 // between the farthest and the nearest face, logarithmically
)

func newRoom(l *lens, seed uint64) (*room, error) {
	w, h := int(l.width), int(l.height)
	back, err := yuv.New(w, h)
	if err != nil {
		return nil, err
	}
	r := &room{back: back, columnSize: math.Exp(l.logMin + columnDepth*(l.logMax-l.logMin))}
	rnd := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it must be repeatable
	corner := min(l.horizon+ground*math.Exp(l.logMin), 0.6*l.height)
	for y := range h {
		for x := range w {
			lum, u, v := surface(l, corner, float64(x), float64(y)).yuv()
			back.Y[y*back.YStride+x] = limit(lum+rnd.Float64()*4-2, 16, 235)
			if x&1 == 0 && y&1 == 0 {
				back.U[y/2*back.CStride+x/2], back.V[y/2*back.CStride+x/2] = limit(u, 16, 240), limit(v, 16, 240)
			}
		}
	}
	furnish(back, l, corner)
	even := func(f float64) int { return int(f) &^ 1 }
	foot := min(l.horizon+ground*r.columnSize, l.height)
	r.column = image.Rect(even(columnLeft*l.width), 0, even((columnLeft+columnWidth)*l.width)+2, even(foot))
	r.front = back.Clone()
	for y := range r.column.Max.Y {
		for x := r.column.Min.X; x < r.column.Max.X; x++ {
			d := 2*(float64(x-r.column.Min.X)+0.5)/float64(r.column.Dx()) - 1
			r.set(x, y, rgb{176, 170, 158}.times(1.02-0.4*d*d-0.1*d), rnd.Float64()*4-2)
		}
	}
	return r, nil
}

func (r *room) set(x, y int, c rgb, noise float64) {
	lum, u, v := c.yuv()
	r.front.Y[y*r.front.YStride+x] = limit(lum+noise, 16, 235)
	r.front.U[y/2*r.front.CStride+x/2], r.front.V[y/2*r.front.CStride+x/2] = limit(u, 16, 240), limit(v, 16, 240)
}

// surface returns the colour of wall or floor; corner is the row where they meet.
func surface(l *lens, corner, x, y float64) rgb {
	fx, fy := x/l.width, y/l.height
	if y < corner {
		wall := rgb{186, 182, 170}.times(0.92 + 0.10*math.Cos(2.4*(fx-0.35)) - 0.10*math.Abs(fy-0.25))
		if y > corner-0.014*l.height {
			return rgb{120, 104, 86}
		}
		return wall.times(1 + 0.012*math.Sin(x*90/l.width) + 0.01*math.Sin(7*fx+23*fy))
	}
	depth := (corner - l.horizon) / (y - l.horizon) // 1 at the wall, less before it
	across := (x - l.width/2) / l.width * depth * 14
	plank := math.Floor(across)
	tone := 0.92 + 0.07*math.Sin(plank*12.9898) + 0.03*math.Sin(across*25+3*math.Sin(18/depth))
	if across-plank < 0.04 {
		tone *= 0.85
	}
	return rgb{142, 112, 82}.times(tone * (0.86 + 0.2*(1-depth)))
}

// furnish draws a window, a door, shelves and a picture on the wall.
func furnish(im *yuv.Image, l *lens, corner float64) {
	var f filler
	fill := func(x0, y0, x1, y1 float64, c rgb) {
		s := shape{col: c.ink()}
		s.add(x0, y0)
		s.add(x1, y0)
		s.add(x1, y1)
		s.add(x0, y1)
		f.draw(im, &s)
	}
	w := l.width
	// Window, right of where the stamp is.
	fill(0.40*w, 0.08*corner, 0.60*w, 0.62*corner, rgb{214, 210, 202})
	for i := range 2 {
		x := (0.408 + 0.096*float64(i)) * w
		fill(x, 0.12*corner, x+0.088*w, 0.58*corner, rgb{196, 214, 226})
		fill(x, 0.40*corner, x+0.088*w, 0.58*corner, rgb{168, 190, 168})
	}
	// Door.
	fill(0.80*w, 0.16*corner, 0.90*w, corner, rgb{104, 82, 62})
	fill(0.808*w, 0.20*corner, 0.892*w, corner, rgb{134, 106, 80})
	fill(0.880*w, 0.60*corner, 0.887*w, 0.63*corner, rgb{190, 180, 150})
	// Shelves with books.
	fill(0.06*w, 0.48*corner, 0.24*w, corner, rgb{96, 74, 56})
	for row := range 3 {
		top := (0.51 + 0.165*float64(row)) * corner
		fill(0.066*w, top, 0.234*w, top+0.14*corner, rgb{60, 48, 40})
		for i := range 14 {
			x, c := (0.068+0.0117*float64(i))*w, clothes[(i*5+row*3)%len(clothes)]
			fill(x, top+(0.02+0.012*float64((i*7+row)%4))*corner, x+0.0105*w, top+0.14*corner, c.times(0.8))
		}
	}
}

// drawBack draws the background, moved to the right by pan pixels. What is left of it
// is its mirror image.
func (r *room) drawBack(im *yuv.Image, pan int) error {
	if pan == 0 {
		return im.CopyFrom(r.back)
	}
	moveRows(im.Y, im.YStride, r.back.Y, r.back.YStride, im.Width, im.Height, pan)
	moveRows(im.U, im.CStride, r.back.U, r.back.CStride, im.ChromaWidth(), im.ChromaHeight(), pan/2)
	moveRows(im.V, im.CStride, r.back.V, r.back.CStride, im.ChromaWidth(), im.ChromaHeight(), pan/2)
	return nil
}

func moveRows(dst []byte, dstStride int, src []byte, srcStride, w, h, pan int) {
	for y := range h {
		to, from := dst[y*dstStride:][:w], src[y*srcStride:][:w]
		copy(to[pan:], from)
		for x := range pan {
			to[x] = from[pan-1-x]
		}
	}
}

// drawColumn puts the column before what was drawn so far, moved to the right by pan
// pixels.
func (r *room) drawColumn(im *yuv.Image, pan int) {
	c := r.column
	right := min(c.Max.X+pan, im.Width&^1)
	if left := c.Min.X + pan; left < right {
		for y := c.Min.Y; y < c.Max.Y; y++ {
			copy(im.Y[y*im.YStride+left:y*im.YStride+right], r.front.Y[y*r.front.YStride+c.Min.X:])
		}
		for y := c.Min.Y / 2; y < c.Max.Y/2; y++ {
			a, b := y*im.CStride, y*r.front.CStride
			copy(im.U[a+left/2:a+right/2], r.front.U[b+c.Min.X/2:])
			copy(im.V[a+left/2:a+right/2], r.front.V[b+c.Min.X/2:])
		}
	}
}
