package obscure

import (
	"image"
	"testing"

	"scrim/redact/geom"
)

func BenchmarkApply(b *testing.B) {
	crowd := make([]geom.Region, 0, 21)
	for i := range 20 {
		x, y := 40+i%10*140, 50+i/10*150
		crowd = append(crowd, geom.Region{Rect: image.Rect(x, y, x+60, y+80), Track: uint64(i + 1)})
	}
	crowd = append(crowd, geom.Region{Rect: image.Rect(1400, 500, 1800, 1000), Track: 21})
	mask := []geom.Region{triangle(image.Rect(300, 200, 1500, 900))}
	one := []geom.Region{{Rect: image.Rect(301, 203, 501, 463), Track: 1}}
	for _, s := range styles {
		for name, regions := range map[string][]geom.Region{"20x60x80+400x500": crowd, "200x260": one, "triangle": mask} {
			for edge, feather := range map[string]float64{"": 0, "/no band": -1} {
				b.Run(string(s)+"/"+name+edge, func(b *testing.B) {
					im := padded(1920, 1080, 0)
					randomise(im, 1)
					o := newObscurer(b, Options{Style: s, Feather: feather})
					b.ReportAllocs()
					for b.Loop() {
						if err := o.Apply(im, regions); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
