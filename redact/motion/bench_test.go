package motion

import (
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/obscure"
	"scrim/redact/surface"
	"scrim/redact/yuv"
)

// walk draws three people who walk, one of them near.
func walk(n int) func(im *yuv.Image) {
	return func(im *yuv.Image) {
		k := im.Height / 180
		for i, r := range []image.Rectangle{image.Rect(0, 20, 70, 180), image.Rect(100, 60, 125, 150), image.Rect(200, 50, 220, 120)} {
			at := image.Pt(n*k*(i+1)%im.Width, 0)
			paint(im, image.Rect(r.Min.X*k, r.Min.Y*k, r.Max.X*k, r.Max.Y*k).Add(at), byte(40+80*i), 120, 140)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	for name, draw := range map[string]func(n int) func(im *yuv.Image){"empty": func(int) func(*yuv.Image) { return nil }, "people": walk} {
		b.Run(name, func(b *testing.B) {
			c := learned(b, Options{Absorb: DefaultAbsorb}, 1920, 1080)
			c.interval = 40 * time.Millisecond
			c.sigma = 3
			ims := make([]*yuv.Image, 8)
			for i := range ims {
				c.look(draw(i))
				ims[i] = c.im.Clone()
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				_, err := c.b.Observe(c.at, ims[n%len(ims)], c.seen)
				require.NoError(b, err)
				c.at = c.at.Add(c.interval)
				n++
			}
		})
	}
}

// What is not wanted is looked at five times a second.
func BenchmarkObserveUnwantedSecond(b *testing.B) {
	c := learned(b, Options{Absorb: DefaultAbsorb}, 1920, 1080)
	c.seen.Wanted = false
	for b.Loop() {
		for range 25 {
			_, err := c.b.Observe(c.at, c.empty, c.seen)
			require.NoError(b, err)
			c.at = c.at.Add(40 * time.Millisecond)
		}
	}
}

func BenchmarkObscureWhatMoves(b *testing.B) {
	for _, style := range []obscure.Style{obscure.Veil, obscure.Blur, obscure.Mosaic, obscure.Fill} {
		b.Run(string(style), func(b *testing.B) {
			c := learned(b, Options{Absorb: DefaultAbsorb}, 1920, 1080)
			c.interval = 40 * time.Millisecond
			o, err := obscure.New(obscure.Options{Style: style, Surface: surface.Paint})
			require.NoError(b, err)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				b.StopTimer()
				// Shapes of people who walk are new in each picture.
				m := c.look(walk(8 + n))
				b.StartTimer()
				require.NoError(b, o.Apply(c.im, m.Regions))
				n++
			}
		})
	}
}
