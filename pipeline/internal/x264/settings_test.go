package x264_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/pipeline/internal/x264"
	"scrim/pipeline/scene"
	"scrim/redact/yuv"
)

// settingsPictures is for how many pictures BenchmarkSettings codes.
const settingsPictures = 90

// BenchmarkSettings is what the settings of the live encoder were chosen by: CPU time,
// bits and likeness of a drawn scene at 1080p, with 20 people and with one.
func BenchmarkSettings(b *testing.B) {
	for _, s := range []struct {
		name   string
		people int
	}{{"busy", 20}, {"quiet", 1}} {
		drawn, err := scene.New(scene.Options{Width: 1920, Height: 1080, FPS: 30, Seed: 1, People: s.people, MinFace: 33, MaxFace: 360, NoStamp: true})
		require.NoError(b, err)
		var ims []*yuv.Image
		for i := range settingsPictures {
			im, err := yuv.New(1920, 1080)
			require.NoError(b, err)
			_, err = drawn.Draw(im, uint32(i), time.Unix(int64(i), 0))
			require.NoError(b, err)
			ims = append(ims, im)
		}
		for _, c := range []struct {
			name string
			o    x264.Options
		}{
			{"ultrafast", x264.Options{}},
			{"ultrafast,foreseen", x264.Options{Predict: true}},
			{"ultrafast,2_slices", x264.Options{Threads: 2}},
			{"superfast", x264.Options{Preset: "superfast"}},
			{"superfast,foreseen", x264.Options{Preset: "superfast", Predict: true}},
			{"veryfast", x264.Options{Preset: "veryfast"}},
		} {
			b.Run(s.name+"/"+c.name, func(b *testing.B) { settings(b, c.o, ims) })
		}
	}
}

func settings(b *testing.B, o x264.Options, ims []*yuv.Image) {
	o.Width, o.Height = 1920, 1080
	var spent time.Duration
	var bits, likeness float64
	for b.Loop() {
		e := encoder(b, o)
		d, err := decode.New(decode.Options{})
		require.NoError(b, err)
		for i, im := range ims {
			before := cpuTime(b)
			p, err := e.Encode(im, int64(i*tick), false)
			spent += cpuTime(b) - before
			require.NoError(b, err)
			bits += 8 * float64(len(p.Data))
			require.NoError(b, d.Decode(p.Data, int64(i), func(p decode.Picture) error {
				likeness += psnr(im, p.Image)
				return nil
			}))
		}
		e.Close()
		d.Close()
	}
	n := float64(b.N * len(ims))
	b.ReportMetric(spent.Seconds()*1e3/n, "cpu-ms/picture")
	b.ReportMetric(bits/n*30/1e6, "Mbit/s")
	b.ReportMetric(likeness/n, "dB")
	b.ReportMetric(0, "ns/op")
}

// cpuTime is what the process has spent.
func cpuTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
