package selftest

import (
	"bytes"
	_ "embed"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"sync"

	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

// facePNG shows a drawn face in the middle.
//
//go:generate go run gen.go
//go:embed face.png
var facePNG []byte

const (
	// faceSide is the side of facePNG in pixels, faceHeight and faceWidth are the
	// parts of it that the face takes.
	faceSide   = 256
	faceHeight = 0.5
	faceWidth  = 0.37
	// share is the part of a picture's shorter side that the face's height takes,
	// and leastFace its height in pixels where that is less.
	share     = 0.2
	leastFace = 48
	// leastSide is the least shorter side of a picture that has room for it.
	leastSide = 2 * leastFace
	// clearFace is the height of a face in the detector's input, in pixels, that
	// leaves no doubt.
	clearFace = 32
	// ground is the luma around the face.
	ground = 110
)

const (
	// larger is by how much the picture with the small face is larger than the
	// detector's input, in pixels: enough for it to be divided, into few parts.
	larger = 640
	// smallFace is the height of the small face in pixels. A detector with a
	// threshold above smallThreshold gets plainFace.
	smallFace      = 24
	smallThreshold = 0.7
	plainFace      = 36
	// moreCertain is by how much a small face has to score more than in the picture
	// scaled down to the detector's input: else its part was not looked at. Pictures
	// of less than tellTale times the input show it too well when they are scaled down.
	moreCertain = 0.08
	tellTale    = 1.5
)

// drawn is a picture with a face.
type drawn struct {
	width, height int
	face          float64 // height in pixels
	// parts is set where the face has to score more than in the whole of the picture,
	// scaled down to the detector's input.
	parts bool
	tile  bool // it lies where small faces are expected
}

// scenes returns what is drawn for pictures of a size.
func scenes(o Options, width, height int) []drawn {
	longer := max(width, height)
	if !o.Tiles && !o.TileZones || longer <= o.Size {
		w, h := shape(width, height, longer)
		w, h = crop(w, h, max(o.Size, int(plain(w, h)*float64(o.Size)/clearFace)))
		return []drawn{{width: w, height: h, face: plain(w, h)}}
	}
	w, h := shape(width, height, o.Size)
	w, h = crop(w, h, o.Size)
	whole := drawn{width: w, height: h, face: plain(w, h)}
	w, h = shape(width, height, min(longer, o.Size+larger))
	w, h = crop(w, h, o.Size+larger)
	small := drawn{width: w, height: h, face: smallFace, tile: !o.Tiles}
	if o.Threshold > smallThreshold {
		small.face = plainFace
	}
	small.parts = float64(max(w, h)) >= tellTale*float64(o.Size)
	return []drawn{whole, small}
}

func plain(width, height int) float64 { return max(share*float64(min(width, height)), leastFace) }

// shape returns a size of the shape of width × height with the given longer
// side, or larger where a face would have no room.
func shape(width, height, longer int) (w, h int) {
	f := float64(longer) / float64(max(width, height, 1))
	f = max(f, leastSide/float64(max(min(width, height), 1)))
	side := func(v int) int { return min(max(int(math.Round(f*float64(v))), leastSide), yuv.MaxSide) }
	return side(width), side(height)
}

// crop cuts both sides to a length. Pictures that are very wide or very high
// would be scaled down too far for the face.
func crop(w, h, most int) (int, int) {
	most = max(most, leastSide)
	return min(w, most), min(h, most)
}

// draw draws the picture into im, and returns the face's box in pixels.
func (s drawn) draw(im *yuv.Image, zones []zone.Zone) (geom.Box, error) {
	x, y := s.place(zone.Compile(zones, s.width, s.height))
	return Draw(im, x, y, s.face)
}

// places is how many places a face may have along each side.
const places = 5

// place returns where the middle of the face is: as near to that of the picture
// as zones allow. It counts there, and if possible no mask is over it.
func (s drawn) place(set *zone.Set) (x, y float64) {
	w, h := float64(s.width), float64(s.height)
	side := s.face / faceHeight
	best := math.Inf(1)
	x, y = w/2, h/2
	try := func(cx, cy float64) {
		cx, cy = min(max(cx, side/2), max(w-side/2, w/2)), min(max(cy, side/2), max(h-side/2, h/2))
		cost := math.Hypot((cx-w/2)/w, (cy-h/2)/h)
		if s.tile && !within(set.Tiles(), cx, cy) {
			cost += 10
		}
		room := image.Rect(int(cx-side/2), int(cy-side/2), int(cx+side/2), int(cy+side/2))
		for _, m := range set.Masks() {
			if m.Rect.Overlaps(room) {
				cost += 100
			}
		}
		// Not even where the detector puts its box a little aside.
		for _, d := range [][2]float64{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			fw, fh := side*faceWidth*0.8, s.face*0.8
			if set.Ignored(geom.Box{X: cx - fw/2 + d[0]*fw/4, Y: cy - fh/2 + d[1]*fh/4, W: fw, H: fh}) {
				cost += 1000
			}
		}
		if cost < best {
			best, x, y = cost, cx, cy
		}
	}
	for _, t := range set.Tiles() {
		try(float64(t.Min.X+t.Max.X)/2, float64(t.Min.Y+t.Max.Y)/2)
	}
	for i := range places * places {
		try(w*(float64(i%places)+0.5)/places, h*(float64(i/places)+0.5)/places)
	}
	return x, y
}

func within(list []image.Rectangle, x, y float64) bool {
	for _, r := range list {
		if image.Pt(int(x), int(y)).In(r) {
			return true
		}
	}
	return false
}

// picture decodes facePNG once.
var picture = sync.OnceValues(func() (image.Image, error) { return png.Decode(bytes.NewReader(facePNG)) })

// Draw fills im with an even background and draws a face of height h around x, y.
// It returns the face's box. All are in pixels.
func Draw(im *yuv.Image, x, y, h float64) (geom.Box, error) {
	src, err := picture()
	if err != nil {
		return geom.Box{}, fmt.Errorf("drawn face: %w", err)
	}
	im.FullRange = false
	im.Fill(ground, 128, 128)
	side := int(h / faceHeight)
	left, top := int(x-float64(side)/2), int(y-float64(side)/2)
	at := func(x, y int) color.YCbCr { // of pixel x, y of the scaled face: the mean of its area
		x0, x1 := x*faceSide/side, max((x+1)*faceSide/side, x*faceSide/side+1)
		y0, y1 := y*faceSide/side, max((y+1)*faceSide/side, y*faceSide/side+1)
		var r, g, b, n uint32
		for sy := y0; sy < min(y1, faceSide); sy++ {
			for sx := x0; sx < min(x1, faceSide); sx++ {
				cr, cg, cb, _ := src.At(sx, sy).RGBA()
				r, g, b, n = r+cr>>8, g+cg>>8, b+cb>>8, n+1
			}
		}
		n = max(n, 1)
		yy, u, v := color.RGBToYCbCr(uint8(r/n), uint8(g/n), uint8(b/n)) //nolint:gosec // means of bytes
		return color.YCbCr{Y: uint8(16 + int(yy)*219/255), Cb: u, Cr: v} //nolint:gosec // limited range
	}
	for y := range side {
		for x := range side {
			px, py := left+x, top+y
			if px < 0 || py < 0 || px >= im.Width || py >= im.Height {
				continue
			}
			c := at(x, y)
			im.Y[py*im.YStride+px] = c.Y
			im.U[py/2*im.CStride+px/2], im.V[py/2*im.CStride+px/2] = c.Cb, c.Cr
		}
	}
	w := float64(side) * faceWidth
	return geom.Box{X: float64(left) + (float64(side)-w)/2, Y: float64(top) + float64(side)*(1-faceHeight)/2, W: w, H: h}, nil
}
