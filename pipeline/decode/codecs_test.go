package decode_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
	"scrim/transport"
)

// hevc codes pictures of 32 luma levels, or what source says, with the ffmpeg program.
func hevc(t testing.TB, frames int, source, params string) [][]byte {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	cmd := exec.Command(ffmpeg, "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", fmt.Sprint(frames), "-pix_fmt", "yuv420p",
		"-c:v", "libx265", "-preset", "ultrafast",
		"-x265-params", "log-level=none:aud=1:repeat-headers=1:pools=1:frame-threads=1:scenecut=0:"+params, "-f", "hevc", "-")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	aud := []byte{0, 0, 0, 1, 0x46, 1}
	var units [][]byte
	for _, u := range bytes.Split(out.Bytes(), aud)[1:] {
		units = append(units, append(bytes.Clone(aud), u...))
	}
	require.Len(t, units, frames)
	return units
}

const levels = "color=black:s=64x48:r=30,geq=lum='16+mod(N*6,192)':cb=128:cr=128"

func TestH265PicturesOfReorderedUnitsKeepTheirOwnID(t *testing.T) {
	units := hevc(t, 40, levels, "bframes=3:b-adapt=0:keyint=20:qp=8:open-gop=1")
	d, err := decode.New(decode.Options{Codec: transport.H265})
	require.NoError(t, err)
	defer d.Close()
	luma := make(map[int64]byte)
	var order []int64
	take := func(p decode.Picture) error {
		require.False(t, p.Corrupt)
		luma[p.ID] = p.Image.Y[24*p.Image.YStride+32]
		order = append(order, p.ID)
		return nil
	}
	for i, u := range units {
		info, err := bitstream.Inspect(transport.H265, u)
		require.NoError(t, err)
		require.NoError(t, d.Decode(info.Data, int64(i), take))
	}
	require.NoError(t, d.Flush(take))
	require.Len(t, order, 40)
	reordered := false
	for display, id := range order {
		reordered = reordered || int64(display) != id
		require.InDelta(t, 16+(display*6)%192, luma[id], 3, "picture %d of unit %d", display, id)
	}
	require.True(t, reordered, "the stream has no B-frames; the test shows nothing")
}

// What is lost is noticed before any picture is wrong by it: with one unit left out,
// every picture up to the unit at which bitstream.Continuity speaks is that of the
// whole stream, and so are those from the next key frame on, RASL pictures left out.
func TestH265LossIsNoticedBeforeAnyPictureIsWrong(t *testing.T) {
	for _, params := range []string{
		"keyint=12:bframes=0:ref=3:open-gop=0", "keyint=12:min-keyint=12:bframes=3:b-adapt=0:ref=3:open-gop=1",
		"keyint=12:min-keyint=12:bframes=3:b-adapt=0:radl=2:open-gop=0",
	} {
		units := hevc(t, 40, "testsrc=s=96x64:r=25", params)
		whole := run265(t, units, -1)
		require.Len(t, whole, len(units))
		for lost := range len(units) - 1 {
			got := run265(t, units, lost)
			for id, sum := range got {
				require.Equal(t, whole[id], sum, "%s: without unit %d picture %d is wrong", params, lost, id)
			}
			require.Greater(t, len(got), 20, "without unit %d", lost)
		}
	}
}

// run265 decodes as the pipeline does and returns the pictures that would be shown.
func run265(t *testing.T, units [][]byte, lost int) map[int64]string {
	t.Helper()
	d, err := decode.New(decode.Options{Codec: transport.H265})
	require.NoError(t, err)
	defer d.Close()
	var c bitstream.Continuity
	chain, chains := 0, map[int64]int{}
	shown := make(map[int64]string)
	take := func(p decode.Picture) error {
		if chains[p.ID] == chain {
			shown[p.ID] = visible(p.Image)
		}
		return nil
	}
	whole, noRASL := false, false
	for i, u := range units {
		if i == lost {
			continue
		}
		info, err := bitstream.Inspect(transport.H265, u)
		require.NoError(t, err)
		gap, err := c.Check(info)
		require.NoError(t, err)
		if info.RASL && noRASL {
			continue
		}
		if gap != "" && whole {
			whole = false
			chain++
		}
		data := info.Data
		if info.Key {
			noRASL = !whole
			if !whole {
				data = info.AsFirst()
			}
			whole = true
		}
		if whole {
			chains[int64(i)] = chain
			require.NoError(t, d.Decode(data, int64(i), take))
		}
	}
	require.NoError(t, d.Flush(take))
	return shown
}

// pyramid has RASL pictures that other RASL pictures refer to.
const pyramid = "keyint=16:min-keyint=16:bframes=7:rc-lookahead=10:b-adapt=0:b-pyramid=1:ref=4:open-gop=1"

// One decoder that starts over at every CRA picture of a film in turn, wherever it was
// before, shows no picture that is not the film's without saying so.
func TestH265DecoderThatBeginsAnewAtAnyKeyFrameShowsNothingWrong(t *testing.T) {
	units := hevc(t, 100, "testsrc=s=96x64:r=25", pyramid)
	whole := run265(t, units, -1)
	require.Len(t, whole, len(units))
	var keys []int
	infos := make([]bitstream.Info, len(units))
	for i, u := range units {
		var err error
		infos[i], err = bitstream.Inspect(transport.H265, u)
		require.NoError(t, err)
		if infos[i].Key {
			keys = append(keys, i)
		}
	}
	require.Greater(t, len(keys), 4)
	d, err := decode.New(decode.Options{Codec: transport.H265})
	require.NoError(t, err)
	defer d.Close()
	const run = 1000 // units, whose IDs differ from those of another run
	runs := 0
	for _, order := range [][]int{keys, {keys[4], keys[1], keys[3], keys[2], keys[0]}} {
		for _, from := range order {
			for _, length := range []int{3, 20, 50} {
				runs++
				shown, rasl, others := 0, 0, 0
				take := func(p decode.Picture) error {
					require.False(t, p.Corrupt)
					require.EqualValues(t, runs, p.ID/run, "it was in the decoder before")
					require.Equal(t, whole[p.ID%run], visible(p.Image), "from unit %d picture %d is wrong", from, p.ID%run)
					shown++
					return nil
				}
				d.Reset()
				data := infos[from].AsFirst()
				noRASL, broken := true, false
				for i := from; i < min(from+length, len(units)); i++ {
					if i > from {
						data = infos[i].Data
						noRASL = noRASL && !infos[i].Key
					}
					if noRASL && infos[i].RASL {
						continue
					}
					if infos[i].RASL {
						rasl++
					}
					others++
					broken = broken || d.Decode(data, int64(runs*run+i), take) != nil
				}
				require.False(t, broken, "from unit %d", from)
				require.GreaterOrEqual(t, shown, others-5, "from unit %d", from)
				require.True(t, length < 20 || rasl > 0 || from+20 > len(units))
			}
		}
	}
}

// FFmpeg leaves RASL pictures out at which decoding has begun, and slices whose parameter
// sets it lacks, and says nothing; what refers to them would be made up.
func TestH265PictureThatIsSkippedIsAnError(t *testing.T) {
	units := hevc(t, 40, "testsrc=s=96x64:r=25", pyramid)
	d, err := decode.New(decode.Options{Codec: transport.H265})
	require.NoError(t, err)
	defer d.Close()
	take := func(decode.Picture) error { return nil }
	key, skipped := -1, 0
	for i, u := range units {
		info, err := bitstream.Inspect(transport.H265, u)
		require.NoError(t, err)
		switch {
		case key < 0 && info.Key && i > 0:
			key = i
			require.NoError(t, d.Decode(info.AsFirst(), int64(i), take))
			require.NoError(t, d.Decode(info.Sets(), int64(i), take), "nothing is in it that could be skipped")
		case key >= 0 && info.RASL && i < key+8:
			require.Error(t, d.Decode(info.Data, int64(i), take), "RASL picture %d", i)
			skipped++
		}
	}
	require.Greater(t, skipped, 3)
	fresh, err := decode.New(decode.Options{Codec: transport.H265})
	require.NoError(t, err)
	defer fresh.Close()
	require.Error(t, fresh.Decode(units[1], 1, take), "it has no parameter sets")
}

// visible are the samples of luma without what pads the rows.
func visible(im *yuv.Image) string {
	var b []byte
	for y := range im.Height {
		b = append(b, im.Y[y*im.YStride:][:im.Width]...)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

func TestH265GarbageIsAnErrorOrNothingAndNeverACrash(t *testing.T) {
	units := hevc(t, 3, levels, "keyint=2:bframes=0")
	d, err := decode.New(decode.Options{Codec: transport.H265})
	require.NoError(t, err)
	defer d.Close()
	for i := range 500 {
		u := bytes.Clone(units[i%3])
		for j := range 8 {
			u[(i*31+j*17)%len(u)] ^= byte(1 << (j % 8))
		}
		_ = d.Decode(u, int64(i), func(decode.Picture) error { return nil })
	}
}

// jpegBits writes the coded data of a scan.
type jpegBits struct {
	out  []byte
	acc  uint32
	bits int
}

func (b *jpegBits) put(v uint32, n int) {
	b.acc, b.bits = b.acc<<n|v, b.bits+n
	for b.bits >= 8 {
		c := byte(b.acc >> (b.bits - 8)) //nolint:gosec // the top byte
		if b.out = append(b.out, c); c == 0xff {
			b.out = append(b.out, 0)
		}
		b.bits -= 8
	}
}

// flatJPEG is an image of 64×48 pixels, each block of one colour, as cameras send it
// by RTP: by the Huffman tables of annex K.3. Chroma is 136 in the first row of MCUs, and 128 below.
func flatJPEG(luma byte) []byte {
	im := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	im = append(im, bytes.Repeat([]byte{1}, 64)...)
	im = append(im, 0xff, 0xc0, 0, 17, 8)
	im = binary.BigEndian.AppendUint16(im, 48)
	im = binary.BigEndian.AppendUint16(im, 64)
	im = append(im, 3, 1, luma, 0, 2, 0x11, 0, 3, 0x11, 0, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0)
	var b jpegBits
	blocks, wide, high := 2, 4, 6
	if luma == 0x22 {
		blocks, high = 4, 3
	}
	for mcu := range wide * high {
		for k := range blocks {
			if mcu == 0 && k == 0 {
				b.put(0b111110, 6) // category 8
				b.put(160, 8)      // 128 + 160/8 = 148
			} else {
				b.put(0b00, 2)
			}
			b.put(0b1010, 4) // end of block
		}
		for range 2 {
			switch mcu {
			case 0:
				b.put(0b1111110, 7) // category 7
				b.put(64, 7)        // 128 + 64/8 = 136
			case wide:
				b.put(0b1111110, 7)
				b.put(63, 7) // minus 64
			default:
				b.put(0b00, 2)
			}
			b.put(0b00, 2) // end of block
		}
	}
	b.put(0x7f, 7)
	return append(append(im, b.out...), 0xff, 0xd9)
}

func TestMJPEGOf420And422KeepsItsSamplesAndTheirRange(t *testing.T) {
	for _, luma := range []byte{0x22, 0x21} {
		info, err := bitstream.Inspect(transport.MJPEG, flatJPEG(luma))
		require.NoError(t, err)
		d, err := decode.New(decode.Options{Codec: transport.MJPEG})
		require.NoError(t, err)
		defer d.Close()
		var got []decode.Picture
		for id := range int64(3) {
			require.NoError(t, d.Decode(info.Data, id, func(p decode.Picture) error { got = append(got, p); return nil }))
			require.Len(t, got, int(id)+1, "none is held back")
		}
		for i, p := range got {
			require.EqualValues(t, i, p.ID)
			require.False(t, p.Corrupt)
			im := p.Image
			require.True(t, im.FullRange)
			require.Equal(t, [2]int{64, 48}, [2]int{im.Width, im.Height})
			rows := func(plane []byte, stride, w, h int, want func(y int) int) {
				for y := range h {
					for x := range w {
						require.EqualValues(t, want(y), plane[y*stride+x], "%#x: %d,%d", luma, x, y)
					}
				}
			}
			rows(im.Y, im.YStride, 64, 48, func(int) int { return 148 })
			first := map[byte]int{0x22: 8, 0x21: 4}[luma] // rows of chroma in an MCU
			chroma := func(y int) int {
				if y < first {
					return 136
				}
				return 128
			}
			rows(im.U, im.CStride, 32, 24, chroma)
			rows(im.V, im.CStride, 32, 24, chroma)
		}
	}
}

func TestMJPEGThatEndsEarlyIsAnErrorAndTheNextPictureIsWhole(t *testing.T) {
	whole := flatJPEG(0x22)
	info, err := bitstream.Inspect(transport.MJPEG, whole)
	require.NoError(t, err)
	d, err := decode.New(decode.Options{Codec: transport.MJPEG})
	require.NoError(t, err)
	defer d.Close()
	short := append(bytes.Clone(info.Data[:len(info.Data)-20]), 0xff, 0xd9)
	cut, err := bitstream.Inspect(transport.MJPEG, short)
	require.NoError(t, err)
	n := 0
	err = d.Decode(cut.Data, 1, func(p decode.Picture) error {
		if !p.Corrupt {
			n++
		}
		return nil
	})
	require.True(t, err != nil || n == 0, "%v, %d pictures", err, n)
	require.NoError(t, d.Decode(info.Data, 2, func(decode.Picture) error { n++; return nil }))
	require.Equal(t, 1, n)
}

func TestMJPEGGarbageIsAnErrorOrNothingAndNeverACrash(t *testing.T) {
	im := flatJPEG(0x22)
	d, err := decode.New(decode.Options{Codec: transport.MJPEG})
	require.NoError(t, err)
	defer d.Close()
	for i := range 500 {
		u := bytes.Clone(im)
		for j := range 4 {
			u[(i*31+j*17)%len(u)] ^= byte(1 << (j % 8))
		}
		_ = d.Decode(u, int64(i), func(decode.Picture) error { return nil })
	}
}

func TestOnlyTheCodecsOfCamerasAreOpened(t *testing.T) {
	_, err := decode.New(decode.Options{Codec: "vp9"})
	require.ErrorContains(t, err, `unsupported codec "vp9"`)
	units := hevc(t, 2, levels, "keyint=2:bframes=0")
	d, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer d.Close()
	n := 0
	_ = d.Decode(units[0], 1, func(decode.Picture) error { n++; return nil })
	require.Zero(t, n, "what is no H.264 is not decoded by another decoder")
}

func BenchmarkHEVC1080p(b *testing.B) {
	units := hevc(b, 60, "testsrc=s=1920x1080:r=30", "keyint=60:bframes=0")
	benchmark(b, transport.H265, units)
}

func benchmark(b *testing.B, codec transport.Codec, units [][]byte) {
	b.Helper()
	var pool yuv.Pool
	d, err := decode.New(decode.Options{Codec: codec, Pool: &pool})
	require.NoError(b, err)
	defer d.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := d.Decode(units[i%len(units)], int64(i), func(p decode.Picture) error { pool.Put(p.Image); return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMJPEG1080p(b *testing.B) {
	ffmpeg := testenv.Path(b, testenv.FFmpeg)
	out, err := exec.Command(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc=s=1920x1080:r=30", "-frames:v", "30", "-pix_fmt", "yuvj420p",
		"-c:v", "mjpeg", "-huffman", "default", "-q:v", "4", "-f", "mjpeg", "-").Output()
	require.NoError(b, err)
	soi := []byte{0xff, 0xd8}
	var units [][]byte
	for _, u := range bytes.Split(out, soi)[1:] {
		units = append(units, append(bytes.Clone(soi), u...))
	}
	benchmark(b, transport.MJPEG, units)
}

// A picture that lacks a slice is an error at once, also when it is shown later; and
// so is one whose slice was cut anywhere, without a hint from FFmpeg.
func TestH265PictureWithoutAPartIsAnError(t *testing.T) {
	units := hevc(t, 8, "testsrc=s=160x128:r=25", "keyint=8:bframes=2:b-adapt=0:slices=2:ctu=16:open-gop=0")
	last := bytes.LastIndex(units[1], []byte{0, 0, 1})
	require.Positive(t, last)
	for _, cut := range []int{last - 1, last + 8, (last + len(units[1])) / 2, len(units[1]) - 12} {
		d, err := decode.New(decode.Options{Codec: transport.H265})
		require.NoError(t, err)
		defer d.Close()
		show := func(p decode.Picture) error {
			require.Zero(t, p.ID, "nothing else is shown")
			return nil
		}
		require.NoError(t, d.Decode(units[0], 0, show))
		require.Error(t, d.Decode(units[1][:cut], 1, func(p decode.Picture) error {
			require.True(t, p.Corrupt)
			return nil
		}), "cut at %d of %d", cut, len(units[1]))
		require.NoError(t, d.Decode(units[0], 2, func(decode.Picture) error { return nil }), "it goes on at a key frame")
	}
}

func TestTurnedPicturesAreThoseOfTheCodecTurned(t *testing.T) {
	for _, luma := range []byte{0x22, 0x21} {
		info, err := bitstream.Inspect(transport.MJPEG, flatJPEG(luma))
		require.NoError(t, err)
		requireTurned(t, transport.MJPEG, [][]byte{info.Data})
	}
	requireTurned(t, transport.H265, hevc(t, 3, "testsrc=size=64x48:rate=30", "keyint=1"))
}

// requireTurned decodes units upright and turned.
func requireTurned(t *testing.T, codec transport.Codec, units [][]byte) {
	t.Helper()
	pictures := func(r geom.Rotation) (all []*yuv.Image) {
		d, err := decode.New(decode.Options{Codec: codec, Rotate: r})
		require.NoError(t, err)
		defer d.Close()
		take := func(p decode.Picture) error { all = append(all, p.Image); return nil }
		for i, u := range units {
			require.NoError(t, d.Decode(u, int64(i), take))
		}
		require.NoError(t, d.Flush(take))
		require.Len(t, all, len(units))
		return all
	}
	upright := pictures(geom.Upright)
	for _, r := range geom.Rotations[1:] {
		for i, im := range pictures(r) {
			want, err := yuv.New(r.Size(64, 48))
			require.NoError(t, err)
			require.NoError(t, rotate.By(r).Image(want, upright[i]))
			require.Equal(t, [2]int{want.Width, want.Height}, [2]int{im.Width, im.Height})
			require.Equal(t, want.FullRange, im.FullRange)
			for y := range want.Height {
				require.Equal(t, want.Y[y*want.YStride:][:want.Width], im.Y[y*im.YStride:][:want.Width])
			}
			for y := range want.ChromaHeight() {
				require.Equal(t, want.U[y*want.CStride:][:want.ChromaWidth()], im.U[y*im.CStride:][:want.ChromaWidth()])
				require.Equal(t, want.V[y*want.CStride:][:want.ChromaWidth()], im.V[y*im.CStride:][:want.ChromaWidth()])
			}
		}
	}
}
