package sight

import (
	"bytes"
	"compress/zlib"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"scrim/redact/geom"
)

// facesZ are the painted faces: of each pixel luma in full range, U, V and opacity, one byte each, less
// those of the pixel before, compressed. facesJSON has their sizes. A PNG would need a package that can encode
// pictures, which this one may not.
//
//go:generate go run gen.go
//go:embed faces.z
var facesZ []byte

//go:embed faces.json
var facesJSON []byte

// groundLevel is the level of the ground in which the faces are as hard to find as they were
// drawn to be.
const groundLevel = 128

// sprite is one face in several sizes, each half of the one before. Sprites do not change and are
// shared.
type sprite struct{ sizes []scaledSprite }

// scaledSprite holds levels of luma in full range, U and V around 128, each times the opacity, and the
// opacity, one byte each.
type scaledSprite struct {
	w, h int
	pix  []byte
	face geom.Box
}

// leastSprite is the height of the face below which no size is made, in pixels, and mostSprite bounds the
// sides of a sprite.
const leastSprite, mostSprite = 8, 512

// sprites decodes the faces once.
var sprites = sync.OnceValues(func() ([]sprite, error) {
	all, err := decodeSprites(facesZ, facesJSON)
	if err != nil {
		return nil, fmt.Errorf("built-in faces for sight tests: %w", err)
	}
	return all, nil
})

func decodeSprites(pixels, places []byte) ([]sprite, error) {
	var where []struct {
		W, H int
		Face geom.Box
	}
	if err := json.Unmarshal(places, &where); err != nil {
		return nil, err
	}
	z, err := zlib.NewReader(bytes.NewReader(pixels))
	if err != nil {
		return nil, err
	}
	all := make([]sprite, 0, len(where))
	for _, p := range where {
		if p.W < leastSprite || p.H < leastSprite || p.W > mostSprite || p.H > mostSprite || p.Face.H < leastSprite {
			return nil, fmt.Errorf("a face of %d×%d pixels is out of bounds", p.W, p.H)
		}
		s := scaledSprite{w: p.W, h: p.H, pix: make([]byte, 4*p.W*p.H), face: p.Face}
		if _, err := io.ReadFull(z, s.pix); err != nil {
			return nil, err
		}
		for i := 4; i < len(s.pix); i++ {
			s.pix[i] += s.pix[i-4]
		}
		for px := range slices.Chunk(s.pix, 4) {
			for i := range 3 {
				px[i] = byte((int(px[i])*int(px[3]) + 127) / 255) //nolint:gosec // a share of a byte
			}
		}
		one := sprite{sizes: []scaledSprite{s}}
		for s.face.H >= 2*leastSprite {
			s = s.halved()
			one.sizes = append(one.sizes, s)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, errors.New("there are none")
	}
	return all, nil
}

// halved returns s at half its size: means of 2×2 pixels.
func (s *scaledSprite) halved() scaledSprite {
	out := scaledSprite{w: s.w / 2, h: s.h / 2, face: geom.Box{X: s.face.X / 2, Y: s.face.Y / 2, W: s.face.W / 2, H: s.face.H / 2}}
	out.pix = make([]byte, 4*out.w*out.h)
	for y := range out.h {
		for x := range out.w {
			var sum [4]int
			for k := range 4 {
				p := s.pix[4*((2*y+k>>1)*s.w+2*x+k&1):]
				for i := range sum {
					sum[i] += int(p[i])
				}
			}
			to := out.pix[4*(y*out.w+x):]
			for i := range sum {
				to[i] = byte((sum[i] + 2) / 4) //nolint:gosec // a mean of bytes
			}
		}
	}
	return out
}

// sized returns the size that is best to paint a face of height pixels with: the smallest that
// is not enlarged.
func (s *sprite) sized(height float64) *scaledSprite {
	for i := len(s.sizes) - 1; i > 0; i-- {
		if s.sizes[i].face.H >= height {
			return &s.sizes[i]
		}
	}
	return &s.sizes[0]
}
