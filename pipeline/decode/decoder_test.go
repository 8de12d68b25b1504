package decode_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/redact/yuv"
	"scrim/transport"
)

// stream makes an H.264 stream with the ffmpeg program: a test picture of 32
// luma levels that change from picture to picture.
func stream(t testing.TB, frames int, size string, args ...string) [][]byte {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	cmd := exec.Command(ffmpeg, append(append([]string{
		"-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("color=black:s=%s:r=30,geq=lum='16+mod(N*6,192)':cb=128:cr=128", size),
		"-frames:v", fmt.Sprint(frames), "-pix_fmt", "yuv420p", "-c:v", "libx264",
	}, args...), "-bsf:v", "h264_metadata=aud=insert", "-f", "h264", "-")...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	aud := []byte{0, 0, 0, 1, 9}
	var units [][]byte
	for _, u := range bytes.Split(out.Bytes(), aud)[1:] {
		units = append(units, append(bytes.Clone(aud), u...))
	}
	require.Len(t, units, frames)
	return units
}

func TestPicturesOfReorderedUnitsKeepTheirOwnID(t *testing.T) {
	units := stream(t, 60, "64x48", "-preset", "medium", "-bf", "3", "-b_strategy", "0", "-qp", "4")
	d, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer d.Close()
	luma := make(map[int64]byte)
	var order []int64
	take := func(p decode.Picture) error {
		luma[p.ID] = p.Image.Y[24*p.Image.YStride+32]
		order = append(order, p.ID)
		return nil
	}
	for i, u := range units {
		info, err := bitstream.Inspect(transport.H264, u)
		require.NoError(t, err)
		require.NoError(t, d.Decode(info.Data, int64(i), take))
	}
	require.NoError(t, d.Flush(take))
	require.Len(t, order, 60)
	reordered := false
	for display, id := range order {
		reordered = reordered || int64(display) != id
		want := 16 + (display*6)%192
		require.InDelta(t, want, luma[id], 3, "picture %d of unit %d", display, id)
	}
	require.True(t, reordered, "the stream has no B-frames; the test shows nothing")
}

func TestGarbageIsAnErrorOrNothingAndNeverACrash(t *testing.T) {
	units := stream(t, 3, "64x48", "-preset", "ultrafast")
	d, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer d.Close()
	for i := range 500 {
		u := bytes.Clone(units[i%3])
		for j := range 8 {
			u[(i*31+j*17)%len(u)] ^= byte(1 << (j % 8))
		}
		_ = d.Decode(u, int64(i), func(p decode.Picture) error {
			require.Equal(t, 64, p.Image.Width)
			return nil
		})
	}
}

func TestUseAfterGarbageRecoversAtAnIDR(t *testing.T) {
	units := stream(t, 3, "64x48", "-preset", "ultrafast")
	d, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer d.Close()
	_ = d.Decode([]byte{0, 0, 0, 1, 0x65, 0xff, 0xff, 0xff}, 1, func(decode.Picture) error { return nil })
	got := 0
	require.NoError(t, d.Decode(units[0], 2, func(decode.Picture) error { got++; return nil }))
	require.Equal(t, 1, got)
}

func BenchmarkDecode1080p(b *testing.B) {
	units := stream(b, 60, "1920x1080", "-preset", "ultrafast", "-tune", "zerolatency")
	var pool yuv.Pool
	d, err := decode.New(decode.Options{Pool: &pool})
	require.NoError(b, err)
	defer d.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := d.Decode(units[i%60], int64(i), func(p decode.Picture) error { pool.Put(p.Image); return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
