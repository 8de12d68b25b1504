package bitstream

import (
	"bytes"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/transport"
)

// jpegOf codes a picture as cameras do, and takes its Huffman tables out, as RTP does.
func jpegOf(t testing.TB, args ...string) []byte {
	t.Helper()
	return withoutTables(t, fullJPEG(t, args...))
}

func fullJPEG(t testing.TB, args ...string) []byte {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	cmd := exec.Command(ffmpeg, append(append([]string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc=s=192x144:r=25", "-frames:v", "1", "-strict", "unofficial",
		"-c:v", "mjpeg", "-huffman", "default", "-pix_fmt", "yuvj420p",
	}, args...), "-f", "mjpeg", "-")...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	return out.Bytes()
}

// segments cuts an image into its segments; the last one is the scan.
func segments(im []byte) (out [][]byte) {
	for at := 2; ; {
		n := 2 + int(im[at+2])<<8 + int(im[at+3])
		if im[at+1] == jpegSOS {
			return append(out, im[at:])
		}
		out = append(out, im[at:at+n])
		at += n
	}
}

func withoutTables(t testing.TB, im []byte) []byte {
	t.Helper()
	out := bytes.Clone(im[:2])
	for _, s := range segments(im) {
		if s[1] != jpegDHT {
			out = append(out, s...)
		}
	}
	return out
}

func TestJPEGTellsItsSizeAndKeepsOnlyWhatIsNeeded(t *testing.T) {
	for _, luma := range []byte{0x22, 0x21} { // 4:2:0 and 4:2:2
		im := jpegOf(t)
		im[bytes.Index(im, []byte{0xff, jpegSOF0})+11] = luma
		require.Contains(t, string(im), "Lavc", "a comment that is to go")
		info, err := Inspect(transport.MJPEG, append(im, 0, 0, 'x'))
		require.NoError(t, err)
		require.True(t, info.Key)
		require.Equal(t, 1, info.Slices)
		require.Equal(t, [2]int{192, 144}, [2]int{info.Width, info.Height})
		require.Equal(t, luma, info.SPS[7])
		require.NotContains(t, string(info.Data), "Lavc")
		require.NotContains(t, string(info.Data), "JFIF")
		_, want, _ := bytes.Cut(im, []byte{0xff, jpegSOS})
		_, got, _ := bytes.Cut(info.Data, []byte{0xff, jpegSOS})
		require.Equal(t, want, got)
		again, err := Inspect(transport.MJPEG, info.Data)
		require.NoError(t, err)
		require.Equal(t, info.Data, again.Data)
		require.Equal(t, info.Data, again.AsFirst())
		reason, err := new(Continuity).Check(info)
		require.NoError(t, err)
		require.Empty(t, reason)
	}
}

func TestJPEGThatIsNotOnTheAllowListIsRefused(t *testing.T) {
	im := jpegOf(t)
	all := segments(im)
	build := func(change func(list [][]byte) [][]byte) []byte {
		list := make([][]byte, len(all))
		for i, s := range all {
			list[i] = bytes.Clone(s)
		}
		return append([]byte{0xff, jpegSOI}, slices.Concat(change(list)...)...)
	}
	find := func(list [][]byte, marker byte) []byte {
		return list[slices.IndexFunc(list, func(s []byte) bool { return s[1] == marker })]
	}
	frame := func(at int, b ...byte) []byte {
		return build(func(l [][]byte) [][]byte { copy(find(l, jpegSOF0)[4+at:], b); return l })
	}
	for name, c := range map[string]struct {
		im  []byte
		err error
	}{
		"nothing":                {nil, ErrDamaged},
		"no image":               {[]byte("GIF89a..."), ErrDamaged},
		"cut off":                {im[:len(im)/2], ErrDamaged},
		"without its end":        {im[:len(im)-2], ErrDamaged},
		"cut in a header":        {im[:40], ErrDamaged},
		"4:4:4":                  {jpegOf(t, "-pix_fmt", "yuvj444p"), ErrUnsupported},
		"too large":              {frame(1, 0x20, 0, 0x20, 0), ErrUnsupported},
		"of no size":             {frame(1, 0, 0, 0, 0), ErrUnsupported},
		"12 bits":                {frame(0, 12), ErrDamaged},
		"one component":          {frame(5, 1), ErrUnsupported},
		"same components":        {frame(9, 1), ErrDamaged},
		"odd sampling":           {frame(7, 0x41), ErrUnsupported},
		"4:2:2 of another order": {jpegOf(t, "-pix_fmt", "yuvj422p"), ErrUnsupported},
		"unknown table":          {frame(8, 3), ErrDamaged},
		"table of nothing":       {frame(8, 9), ErrDamaged},
		"Huffman tables":         {fullJPEG(t), ErrUnsupported},
		"progressive":            {build(func(l [][]byte) [][]byte { find(l, jpegSOF0)[1] = 0xc2; return l }), ErrUnsupported},
		"two frames":             {build(func(l [][]byte) [][]byte { return slices.Insert(l, len(l)-1, find(l, jpegSOF0)) }), ErrDamaged},
		"no frame": {build(func(l [][]byte) [][]byte {
			return slices.DeleteFunc(l, func(s []byte) bool { return s[1] == jpegSOF0 })
		}), ErrDamaged},
		"no tables":       {build(func(l [][]byte) [][]byte { return slices.DeleteFunc(l, func(s []byte) bool { return s[1] == jpegDQT }) }), ErrDamaged},
		"unknown segment": {build(func(l [][]byte) [][]byte { return append([][]byte{{0xff, 0xdc, 0, 4, 0, 0}}, l...) }), ErrDamaged},
		"many segments": {build(func(l [][]byte) [][]byte {
			return append(slices.Repeat([][]byte{{0xff, 0xfe, 0, 2}}, maxSegments), l...)
		}), ErrDamaged},
		"part of a scan": {build(func(l [][]byte) [][]byte { l[len(l)-1][4] = 1; return l }), ErrDamaged},
		"marker in scan": {build(func(l [][]byte) [][]byte { copy(l[len(l)-1][20:], []byte{0xff, 0xc4}); return l }), ErrDamaged},
	} {
		_, err := Inspect(transport.MJPEG, c.im)
		require.ErrorIs(t, err, c.err, name)
	}
}

func FuzzJPEG(f *testing.F) {
	f.Add(jpegOf(f))
	f.Add(fullJPEG(f, "-pix_fmt", "yuvj444p"))
	f.Fuzz(func(t *testing.T, im []byte) {
		info, err := Inspect(transport.MJPEG, im)
		if err != nil {
			return
		}
		again, err := Inspect(transport.MJPEG, info.Data)
		if err != nil {
			t.Fatalf("what was let through is refused: %v", err)
		}
		if !bytes.Equal(again.Data, info.Data) || !bytes.Equal(again.SPS, info.SPS) {
			t.Fatal("what was let through is something else")
		}
	})
}
