package detect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/redact/cv"
	"scrim/redact/yuv"
)

// BenchmarkSkipUnchanged is what an inspection costs where nothing moves, and where
// three people walk about, at 25 pictures a second.
func BenchmarkSkipUnchanged(b *testing.B) {
	cv.SetThreads(1)
	s, err := scene.New(scene.Options{Width: 1920, Height: 1080, Seed: 77, People: 3, NoStamp: true})
	require.NoError(b, err)
	pictures := make([]*yuv.Image, 10)
	for i := range pictures {
		pictures[i], err = yuv.New(1920, 1080)
		require.NoError(b, err)
		_, err = s.Draw(pictures[i], uint32(200+i), time.Time{}) //nolint:gosec // small
		require.NoError(b, err)
	}
	for _, tiles := range []bool{false, true} {
		for _, skip := range []bool{false, true} {
			for _, busy := range []bool{false, true} {
				b.Run(fmt.Sprintf("tiles=%v/skip=%v/busy=%v", tiles, skip, busy), func(b *testing.B) {
					d, now := skipping(b, Config{Size: 640, Tiles: tiles, SkipUnchanged: skip})
					_, err := d.Detect(pictures[0])
					require.NoError(b, err)
					b.ReportAllocs()
					before, i := d.pixels, 0
					for b.Loop() {
						*now = now.Add(40 * time.Millisecond)
						i++
						im := pictures[0]
						if k := i % (2*len(pictures) - 2); busy {
							im = pictures[min(k, 2*len(pictures)-2-k)] // forth and back
						}
						if _, err := d.Detect(im); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(d.pixels-before)/float64(i), "pixels/op")
				})
			}
		}
	}
}
