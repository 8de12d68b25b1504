package x264_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/stretchr/testify/require"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/pipeline/internal/x264"
	"scrim/redact/yuv"
	"scrim/transport"
)

const tick = 90000 / 30

// pattern draws moving gradients that differ in every picture.
func pattern(t testing.TB, w, h, n int) *yuv.Image {
	t.Helper()
	im, err := yuv.New(w, h)
	require.NoError(t, err)
	for y := range h {
		for x := range w {
			im.Y[y*im.YStride+x] = byte(16 + (x*3+y*2+n*5)%200)
		}
	}
	for y := range im.ChromaHeight() {
		for x := range im.ChromaWidth() {
			im.U[y*im.CStride+x] = byte(64 + (x+n)%128)
			im.V[y*im.CStride+x] = byte(64 + (y+n)%128)
		}
	}
	return im
}

func encoder(t testing.TB, o x264.Options) *x264.Encoder {
	t.Helper()
	e, err := x264.New(o)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

func psnr(a, b *yuv.Image) float64 {
	var sum, n float64
	for y := range a.Height {
		for x := range a.Width {
			d := float64(a.Y[y*a.YStride+x]) - float64(b.Y[y*b.YStride+x])
			sum += d * d
			n++
		}
	}
	return 10 * math.Log10(255*255/(sum/n+1e-9))
}

func TestOnePictureInIsOneUnitOutAndDecodesToThePicture(t *testing.T) {
	for i, size := range [][2]int{{640, 360}, {1920, 1080}, {34, 18}, {640, 360}, {34, 18}} {
		e := encoder(t, x264.Options{Width: size[0], Height: size[1], Bitrate: 20_000_000, Predict: i >= 3})
		d, err := decode.New(decode.Options{})
		require.NoError(t, err)
		defer d.Close()
		for i := range 8 {
			in := pattern(t, size[0], size[1], i)
			p, err := e.Encode(in, int64(i*tick), false)
			require.NoError(t, err)
			require.Equal(t, int64(i*tick), p.PTS)
			require.Equal(t, i == 0, p.Key)
			info, err := bitstream.Inspect(transport.H264, p.Data)
			require.NoError(t, err)
			require.Equal(t, p.Data, info.Data, "something else than parameter sets and slices is in the unit")
			require.Equal(t, p.Key, info.Key)
			var got []decode.Picture
			require.NoError(t, d.Decode(p.Data, int64(i), func(p decode.Picture) error { got = append(got, p); return nil }))
			require.Len(t, got, 1, "the decoder held a picture back")
			require.Equal(t, int64(i), got[0].ID)
			require.False(t, got[0].Corrupt)
			require.Greater(t, psnr(in, got[0].Image), 30.0)
		}
		require.Regexp(t, `^avc1\.42c0[0-9a-f]{2}$`, e.Codec())
	}
}

func TestKeyFramesComeOnRequestAndInTime(t *testing.T) {
	e := encoder(t, x264.Options{Width: 64, Height: 64, KeyframeInterval: time.Second})
	var keys []int
	for i := range 95 {
		p, err := e.Encode(pattern(t, 64, 64, i), int64(i*tick), i == 40)
		require.NoError(t, err)
		if p.Key {
			keys = append(keys, i)
			info, err := bitstream.Inspect(transport.H264, p.Data)
			require.NoError(t, err)
			require.NotNil(t, info.SPS, "a key frame without SPS")
		}
	}
	require.Equal(t, []int{0, 30, 40, 70}, keys)
}

func TestFullRangeIsCarriedThrough(t *testing.T) {
	e := encoder(t, x264.Options{Width: 64, Height: 64, FullRange: true})
	p, err := e.Encode(pattern(t, 64, 64, 0), 0, false)
	require.NoError(t, err)
	d, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer d.Close()
	var full bool
	require.NoError(t, d.Decode(p.Data, 1, func(p decode.Picture) error { full = p.Image.FullRange; return nil }))
	require.True(t, full)
}

func TestEncoderRefusesWhatItCannotCode(t *testing.T) {
	for name, o := range map[string]x264.Options{
		"odd":       {Width: 63, Height: 64},
		"empty":     {},
		"too large": {Width: 8192, Height: 64},
		"preset":    {Width: 64, Height: 64, Preset: "warp"},
	} {
		_, err := x264.New(o)
		require.ErrorIs(t, err, x264.ErrOptions, name)
	}
	e := encoder(t, x264.Options{Width: 64, Height: 64})
	_, err := e.Encode(pattern(t, 32, 32, 0), 0, false)
	require.Error(t, err)
	for _, spoil := range []func(*yuv.Image){
		func(im *yuv.Image) { im.Y = im.Y[:len(im.Y)-1] },
		func(im *yuv.Image) { im.U = nil },
		func(im *yuv.Image) { im.V = im.V[:100] },
		func(im *yuv.Image) { im.YStride = 63 },
		func(im *yuv.Image) { im.CStride = 31 },
	} {
		im := pattern(t, 64, 64, 0)
		spoil(im)
		_, err := e.Encode(im, 0, false)
		require.Error(t, err)
	}
	e.Close()
	e.Close()
}

// TestKeyFrameIsBounded holds that an IDR of the hardest picture stays within
// what one message carries.
func TestKeyFrameIsBounded(t *testing.T) {
	for _, predict := range []bool{false, true} {
		keyFrameIsBounded(t, encoder(t, x264.Options{Width: 1920, Height: 1080, Predict: predict}))
	}
}

func keyFrameIsBounded(t *testing.T, e *x264.Encoder) {
	t.Helper()
	im := pattern(t, 1920, 1080, 0)
	seed := uint32(1)
	for i := range im.Y {
		seed = seed*1664525 + 1013904223
		im.Y[i] = byte(seed >> 24)
	}
	for i := range 10 {
		p, err := e.Encode(im, int64(i*tick), i%5 == 0)
		require.NoError(t, err)
		require.Less(t, len(p.Data), 1<<20)
	}
}

// With the quantiser chosen by the pictures before, too, the ceiling holds for
// pictures that nobody could foresee; and one that came out too large, which nobody
// got, is followed by what a decoder can go on with.
func TestCeilingHoldsForWhatNobodyForesaw(t *testing.T) {
	const bitrate = 1_500_000
	e := encoder(t, x264.Options{Width: 640, Height: 360, Bitrate: bitrate, Predict: true})
	d, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer d.Close()
	calm, seed, total, keys := pattern(t, 640, 360, 0), uint32(1), 0, 0
	for i := range 150 {
		im := calm
		if i >= 60 { // noise, from one picture to the next
			im = pattern(t, 640, 360, i)
			for j := range im.Y {
				seed = seed*1664525 + 1013904223
				im.Y[j] = 100 + byte(seed>>24)%48
			}
		}
		p, err := e.Encode(im, int64(i*tick), false)
		require.NoError(t, err)
		require.LessOrEqual(t, 8*len(p.Data), bitrate/2+bitrate/20, "picture %d is more than the buffer holds", i)
		if i == 60 {
			require.True(t, p.Key, "the cut was encoded again")
		}
		if p.Key {
			keys++
		}
		if i >= 90 {
			total += 8 * len(p.Data)
		}
		n := 0
		require.NoError(t, d.Decode(p.Data, int64(i), func(got decode.Picture) error {
			n++
			require.False(t, got.Corrupt)
			require.Greater(t, psnr(im, got.Image), map[bool]float64{true: 40, false: 24}[i < 60])
			return nil
		}))
		require.Equal(t, 1, n)
	}
	require.Less(t, total, bitrate*2*11/10, "two seconds of noise")
	require.Less(t, keys, 8)
}

// Two key frames that follow each other have different numbers, also where one was coded
// again.
func TestKeyFramesThatFollowEachOtherDiffer(t *testing.T) {
	e := encoder(t, x264.Options{Width: 640, Height: 360, Bitrate: 600_000, Predict: true})
	seed, last := uint32(1), -1
	for i := range 12 {
		im := pattern(t, 640, 360, i)
		if i%3 == 1 { // not foreseen: coded again
			for j := range im.Y {
				seed = seed*1664525 + 1013904223
				im.Y[j] = 100 + byte(seed>>24)%64
			}
		}
		p, err := e.Encode(im, int64(i*tick), true)
		require.NoError(t, err)
		require.True(t, p.Key)
		id := idrPicID(t, p.Data)
		require.NotEqual(t, last, id, "picture %d", i)
		last = id
	}
}

// idrPicID reads idr_pic_id of the first slice (H.264, 7.3.3), of a stream as x264 makes
// it: frames only, 4 bits of frame_num.
func idrPicID(t *testing.T, data []byte) int {
	t.Helper()
	var nalus h264.AnnexB
	require.NoError(t, nalus.Unmarshal(data))
	var sps h264.SPS
	for _, n := range nalus {
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeSPS:
			require.NoError(t, sps.Unmarshal(n))
		case h264.NALUTypeIDR:
			r, at := h264.EmulationPreventionRemove(n[1:]), 0
			for range 3 { // first_mb_in_slice, slice_type, pic_parameter_set_id
				_, err := bits.ReadGolombUnsigned(r, &at)
				require.NoError(t, err)
			}
			_, err := bits.ReadBits(r, &at, int(sps.Log2MaxFrameNumMinus4+4))
			require.NoError(t, err)
			id, err := bits.ReadGolombUnsigned(r, &at)
			require.NoError(t, err)
			return int(id)
		}
	}
	t.Fatal("no key frame")
	return 0
}

func BenchmarkEncode1080p(b *testing.B) {
	for _, predict := range []bool{false, true} {
		b.Run(fmt.Sprintf("predict=%v", predict), func(b *testing.B) { benchmark(b, predict) })
	}
}

func benchmark(b *testing.B, predict bool) {
	e := encoder(b, x264.Options{Width: 1920, Height: 1080, Predict: predict})
	ims := []*yuv.Image{pattern(b, 1920, 1080, 0), pattern(b, 1920, 1080, 1)}
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		i++
		if _, err := e.Encode(ims[i%2], i*tick, false); err != nil {
			b.Fatal(err)
		}
	}
}
