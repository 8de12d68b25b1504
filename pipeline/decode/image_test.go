package decode

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// Every orientation, done by looking up each sample.
func TestTurn(t *testing.T) {
	src, err := yuv.New(6, 4)
	require.NoError(t, err)
	for y := range 4 {
		for x := range 6 {
			src.Y[y*src.YStride+x] = byte(10*y + x)
		}
	}
	for value, from := range map[int]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return 5 - x, y },
		3: func(x, y int) (int, int) { return 5 - x, 3 - y },
		4: func(x, y int) (int, int) { return x, 3 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, 3 - x },
		7: func(x, y int) (int, int) { return 5 - y, 3 - x },
		8: func(x, y int) (int, int) { return 5 - y, x },
	} {
		o := exifOrientations[value]
		dst, err := yuv.New(o.Size(6, 4))
		require.NoError(t, err)
		require.NoError(t, o.Image(dst, src))
		for y := range dst.Height {
			for x := range dst.Width {
				sx, sy := from(x, y)
				require.Equal(t, src.Y[sy*src.YStride+sx], dst.Y[y*dst.YStride+x], "orientation %d at %d, %d", value, x, y)
			}
		}
	}
}

func TestLastColumnAndRowAreRepeatedWhereThereIsRoom(t *testing.T) {
	src, err := yuv.New(5, 3)
	require.NoError(t, err)
	for i := range src.Y {
		src.Y[i] = byte(i)
	}
	for _, o := range exifOrientations {
		w, h := o.Size(5, 3)
		exact, err := yuv.New(w, h)
		require.NoError(t, err)
		require.NoError(t, o.Image(exact, src))
		dst, err := yuv.New(w+1, h+1)
		require.NoError(t, err)
		require.NoError(t, o.Image(dst, src))
		for y := range h + 1 {
			for x := range w + 1 {
				require.Equal(t, exact.Y[min(y, h-1)*exact.YStride+min(x, w-1)], dst.Y[y*dst.YStride+x], "%+v at %d, %d", o, x, y)
			}
		}
	}
}

func matrix(a, b, c, d int32) []byte {
	var out []byte
	for _, v := range []int32{a, b, 0, c, d, 0, 0, 0, 1 << 30} {
		out = binary.NativeEndian.AppendUint32(out, uint32(v)) //nolint:gosec // a bit pattern
	}
	return out
}

func TestDisplayMatrix(t *testing.T) {
	const one = matrixOne
	for value, m := range map[int][]byte{
		1: matrix(one, 0, 0, one), 2: matrix(-one, 0, 0, one), 3: matrix(-one, 0, 0, -one), 4: matrix(one, 0, 0, -one),
		5: matrix(0, one, one, 0), 6: matrix(0, one, -one, 0), 7: matrix(0, -one, -one, 0), 8: matrix(0, -one, one, 0),
	} {
		o, err := displayOrientation(m)
		require.NoError(t, err)
		require.Equal(t, exifOrientations[value], o, "like orientation %d", value)
	}
	_, err := displayOrientation(nil)
	require.NoError(t, err)
	for _, bad := range [][]byte{{1, 2}, matrix(0, 0, 0, 0), matrix(46341, 46341, -46341, 46341), matrix(2*one, 0, 0, one)} {
		_, err := displayOrientation(bad)
		require.Error(t, err, "%v", bad)
	}
}

func TestImageTooLargeIsRefusedBeforeItsMemoryIsTaken(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil))
	data := b.Bytes()
	at := bytes.Index(data, []byte{0xff, 0xc0}) // frame header: length, precision, height, width
	binary.BigEndian.PutUint16(data[at+5:], 65000)
	binary.BigEndian.PutUint16(data[at+7:], 65000)
	path := filepath.Join(t.TempDir(), "large.jpg")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	_, _, err := Image(path, geom.Upright)
	require.ErrorContains(t, err, "65000×65000")
}

// samplesOf returns the luma of a picture.
func samplesOf(im *yuv.Image) (out [][]byte) {
	for y := range im.Height {
		out = append(out, im.Y[y*im.YStride:][:im.Width])
	}
	return out
}

func TestImagesAreTurnedByHandAfterWhatTheySay(t *testing.T) {
	src := image.NewGray(image.Rect(0, 0, 6, 4))
	for i := range src.Pix {
		src.Pix[i] = byte(9 * i)
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, src))
	const quarterTurn = "II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
	exif := binary.BigEndian.AppendUint32(nil, uint32(len(quarterTurn)))
	exif = append(exif, "eXIf"+quarterTurn...)
	exif = binary.BigEndian.AppendUint32(exif, crc32.ChecksumIEEE(exif[4:]))
	const headBytes = 8 + 25 // signature and IHDR
	turned := slices.Concat(b.Bytes()[:headBytes], exif, b.Bytes()[headBytes:])
	plain, said := filepath.Join(t.TempDir(), "plain.png"), filepath.Join(t.TempDir(), "turned.png")
	require.NoError(t, os.WriteFile(plain, b.Bytes(), 0o600))
	require.NoError(t, os.WriteFile(said, turned, 0o600))
	for _, r := range geom.Rotations {
		want, told, err := Image(plain, geom.Turned90.Then(r))
		require.NoError(t, err)
		require.False(t, told)
		got, told, err := Image(said, r)
		require.NoError(t, err)
		require.True(t, told)
		require.True(t, reflect.DeepEqual(samplesOf(want), samplesOf(got)), "%d", r)
	}
}

func TestVideosAreTurnedByHandAfterWhatTheySay(t *testing.T) {
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	plain, said := filepath.Join(t.TempDir(), "plain.mp4"), filepath.Join(t.TempDir(), "turned.mp4")
	for _, args := range [][]string{
		{"-f", "lavfi", "-i", "testsrc=size=63x48:rate=5", "-frames:v", "2", "-c:v", "mjpeg", plain},
		{"-i", plain, "-c", "copy", "-metadata:s:v", "rotate=270", said}, // counterclockwise
	} {
		out, err := exec.Command(ffmpeg, append([]string{"-v", "error"}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	first := func(path string, r geom.Rotation) (*yuv.Image, bool) {
		f, err := OpenFile(path, FileOptions{Rotate: r})
		require.NoError(t, err)
		defer f.Close()
		p, err := f.Next()
		require.NoError(t, err)
		require.Equal(t, [2]int{f.Info().Width, f.Info().Height}, [2]int{p.Image.Width, p.Image.Height})
		return p.Image.Clone(), f.Info().Oriented
	}
	for _, r := range geom.Rotations {
		want, told := first(plain, geom.Turned90.Then(r))
		require.False(t, told)
		got, told := first(said, r)
		require.True(t, told)
		require.True(t, reflect.DeepEqual(samplesOf(want), samplesOf(got)), "%d", r)
	}
}

func FuzzImageOrientation(f *testing.F) {
	tiff := "II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x1eExif\x00\x00" + tiff))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x16eXIf" + tiff + "\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xd8\xff\xff\xff\xe0\x00\x02\xff\xe1\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := imageOrientation(data)
		require.Contains(t, exifOrientations, o)
	})
}

func TestExifIsFoundInPNG(t *testing.T) {
	tiff := "II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
	o := imageOrientation([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x16eXIf" + tiff + "\x00\x00\x00\x00"))
	require.Equal(t, exifOrientations[6], o)
}
