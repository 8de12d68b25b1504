package main

import (
	"math"
	"math/rand/v2"
	"path/filepath"

	"scrim/pipeline/decode"
	"scrim/redact/geom"
)

const (
	// canvasWidth and canvasHeight are the size of the pictures: the detector's input of
	// a camera with 16:9, so that sizes are those in the input.
	canvasWidth, canvasHeight = 640, 360
	// minHeight and maxHeight are the sizes of faces, and maxEnlarged is the limit for
	// photographs that are scaled up: beyond it they have nothing fine to find.
	minHeight, maxHeight = 12, 200
	maxEnlarged          = 1.6
	// margin is what must be visible around a face, as a share of its height.
	margin = 0.25
)

// target is a face in a canvas.
type target struct {
	file string
	box  geom.Box
}

// canvas is a clean picture with faces of known places.
type canvas struct {
	picture *planes
	faces   []target
}

// composer puts photographs side by side, each scaled so that its faces have the sizes that are
// wanted: one photograph would not fill the picture where its faces must be small.
type composer struct {
	folder  string
	photos  []photo
	grounds []photo
	rand    *rand.Rand
}

// compose makes a picture in which faces are about height pixels high.
func (c *composer) compose(height float64) (*canvas, error) {
	ground := c.grounds[c.rand.IntN(len(c.grounds))]
	src, err := c.read(ground)
	if err != nil {
		return nil, err
	}
	cv := &canvas{picture: src.scaled(cover(src.w, src.h), canvasWidth, canvasHeight)}
	for y := 0; y < canvasHeight; {
		row := 0
		for x := 0; x < canvasWidth; {
			w, h, err := c.place(cv, x, y, height*math.Exp2(0.5*c.rand.Float64()-0.25))
			if err != nil {
				return nil, err
			}
			if w == 0 {
				break
			}
			x, row = x+w, max(row, h)
		}
		if row == 0 {
			break
		}
		y += row
	}
	return cv, nil
}

// cover returns the largest part of a photograph that has the canvas's shape.
func cover(w, h int) geom.Box {
	f := min(float64(w)/canvasWidth, float64(h)/canvasHeight)
	b := geom.Box{W: f * canvasWidth, H: f * canvasHeight}
	b.X, b.Y = (float64(w)-b.W)/2, (float64(h)-b.H)/2
	return b
}

// tries is how often another photograph is taken where one does not fit.
const tries = 60

// place puts a photograph at x, y, in which a face has about that height, and returns how
// much it takes; none if none fits.
func (c *composer) place(cv *canvas, x, y int, height float64) (w, h int, err error) {
	roomW, roomH := float64(canvasWidth-x), float64(canvasHeight-y)
	for range tries {
		p := c.photos[c.rand.IntN(len(c.photos))]
		face := p.faces[c.rand.IntN(len(p.faces))]
		f := height / face.H
		if f > maxEnlarged || f < 0.1 {
			continue
		}
		// The part of the photograph that has room, with the face about its middle.
		part := geom.Box{W: math.Floor(min(p.w*f, roomW, 4*height+64)), H: math.Floor(min(p.h*f, roomH, 4*height+64))}
		if part.W < (1+2*margin)*face.W*f || part.H < (1+2*margin)*face.H*f {
			continue
		}
		part.X = min(max((face.X+face.W/2)*f-part.W*(0.35+0.3*c.rand.Float64()), 0), p.w*f-part.W)
		part.Y = min(max((face.Y+face.H/2)*f-part.H*(0.35+0.3*c.rand.Float64()), 0), p.h*f-part.H)
		src, err := c.read(p)
		if err != nil {
			return 0, 0, err
		}
		w, h = int(part.W), int(part.H)
		cv.picture.paste(src.scaled(geom.Box{X: part.X / f, Y: part.Y / f, W: part.W / f, H: part.H / f}, w, h), x, y)
		for _, b := range p.faces {
			in := geom.Box{X: b.X*f - part.X, Y: b.Y*f - part.Y, W: b.W * f, H: b.H * f}
			m := margin * in.H
			if in.X < m || in.Y < m || in.X+in.W > part.W-m || in.Y+in.H > part.H-m || in.H < minHeight*0.8 {
				continue
			}
			in.X, in.Y = in.X+float64(x), in.Y+float64(y)
			cv.faces = append(cv.faces, target{file: p.file, box: in})
		}
		return w, h, nil
	}
	return 0, 0, nil
}

func (c *composer) read(p photo) (*planes, error) {
	im, _, err := decode.Image(filepath.Join(c.folder, p.file), geom.Upright)
	if err != nil {
		return nil, err
	}
	return fromYUV(im), nil
}
