package obscure

import (
	"encoding/binary"
	"image"
	"testing"

	"scrim/redact/geom"
)

// FuzzApply takes any geometry: it must neither panic nor leave the picture, and
// it must be done with what it knows from outside the regions.
func FuzzApply(f *testing.F) {
	f.Add(uint8(33), uint8(35), uint8(3), uint8(0), uint8(5), []byte{1, 0, 2, 0, 20, 0, 30, 0})
	f.Add(uint8(1), uint8(1), uint8(0), uint8(1), uint8(64), []byte{0xff, 0xff, 0xff, 0xff, 9, 0, 9, 0})
	f.Add(uint8(96), uint8(80), uint8(9), uint8(2), uint8(1), []byte{0, 0x80, 0, 0x80, 0xff, 0x7f, 0xff, 0x7f, 90, 0, 70, 0, 99, 0, 99, 0})
	f.Fuzz(func(t *testing.T, width, height, pad, style, cells uint8, geometry []byte) {
		im := padded(int(width%testWidth)+1, int(height%testHeight)+1, int(pad))
		randomise(im, uint64(cells))
		before := im.Clone()
		var regions []geom.Region
		for ; len(geometry) >= 8 && len(regions) < 8; geometry = geometry[8:] {
			at := func(i int) int { return int(int16(binary.LittleEndian.Uint16(geometry[2*i:]))) }
			regions = append(regions, geom.Region{
				Rect:  image.Rectangle{Min: image.Pt(at(0), at(1)), Max: image.Pt(at(2), at(3))},
				Track: uint64(geometry[0] % 3),
			})
			if n := len(regions) - 1; geometry[1]%4 == 0 && regions[n].Rect.Dy() < 1000 {
				regions[n] = shaped(regions[n], uint64(geometry[1]))
			}
		}
		o, err := New(Options{Style: styles[int(style)%len(styles)], Cells: int(cells%MaxCosmeticCells) + 1, Cosmetic: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Apply(im, regions); err != nil {
			t.Fatal(err)
		}
		was := split(before)
		eachByte(im, func(i int, p *plane, x, y int, v *byte, inPicture bool) {
			if was[i].pix[y*p.stride+x] != *v && (!inPicture || beyond(p.kind, x, y, im, regions, o.o)) {
				t.Fatalf("plane %d changed beyond all regions and their bands, at %d, %d", i, x, y)
			}
		})
	})
}
