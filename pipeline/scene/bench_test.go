package scene

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/yuv"
)

// benchmark draws ten seconds over and over, once all heads are rendered.
func benchmark(b *testing.B, o Options) {
	s, err := New(o)
	require.NoError(b, err)
	im, err := yuv.New(o.Width, o.Height)
	require.NoError(b, err)
	const frames = 250
	now := time.Now()
	draw := func(n int) {
		_, err := s.Draw(im, uint32(n%frames), now)
		require.NoError(b, err)
	}
	for n := range frames {
		draw(n)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		draw(n)
		n++
	}
}

func BenchmarkDraw1080p(b *testing.B) { benchmark(b, Options{Width: 1920, Height: 1080, Seed: 1}) }

func BenchmarkDraw360p(b *testing.B) { benchmark(b, Options{Width: 640, Height: 360, Seed: 1}) }

func BenchmarkNew1080p(b *testing.B) {
	for b.Loop() {
		_, err := New(Options{Width: 1920, Height: 1080})
		require.NoError(b, err)
	}
}

func BenchmarkRenderHead(b *testing.B) {
	p := newPerson(0, &lens{width: 640, height: 360, focal: 576, logMin: 2, logMax: 5}, &Options{Seed: 1})
	h := newHead(&p.looks)
	var r renderer
	for b.Loop() {
		r.render(h, 30, modelScale)
	}
}

func BenchmarkDrawNoise720p(b *testing.B) {
	benchmark(b, Options{Width: 1280, Height: 720, Seed: 1, Noise: 25, Light: 25})
}

func BenchmarkDraw720p(b *testing.B) { benchmark(b, Options{Width: 1280, Height: 720, Seed: 1}) }

func BenchmarkDrawBlur720p(b *testing.B) {
	benchmark(b, Options{Width: 1280, Height: 720, Seed: 1, Blur: 3})
}

func BenchmarkDrawRainTurned720p(b *testing.B) {
	benchmark(b, Options{Width: 1280, Height: 720, Seed: 1, Rain: true, Rotate: 90})
}
