package bitstream

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/transport"
)

const streamLength = 320 // pictures

// stream codes a moving test picture that fades with the ffmpeg program, and
// returns what Inspect says of its access units.
func stream(t testing.TB, args ...string) []Info {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	cmd := exec.Command(ffmpeg, append(append([]string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc=s=160x128:r=25,fade=in:20:40,fade=out:150:60:c=white",
		"-frames:v", fmt.Sprint(streamLength), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-threads", "1",
	}, args...), "-bsf:v", "h264_metadata=aud=insert", "-f", "h264", "-")...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	delimiter := []byte{0, 0, 0, 1, 9}
	var infos []Info
	for _, u := range bytes.Split(out.Bytes(), delimiter)[1:] {
		info, err := Inspect(transport.H264, append(bytes.Clone(delimiter), u...))
		require.NoError(t, err)
		infos = append(infos, info)
	}
	require.Len(t, infos, streamLength)
	return infos
}

// firstSlice returns the first slice and its type.
func firstSlice(t testing.TB, info Info) (nalu []byte, typ uint32) {
	t.Helper()
	for _, nalu := range info.nalus {
		if n := nalu[0] & 0x1f; n == 1 || n == 5 {
			r := reader{b: nalu[1:]}
			r.ue(0)
			return nalu, r.ue(9) % 5
		}
	}
	t.Fatal("no slice")
	return nil, 0
}

// What the shapes of streams must have in them, or else they show nothing.
type shape struct {
	args                      []string
	idrs, bSlices, nonRefs    bool
	recovery, fields, slices4 bool
	weights                   bool
}

var shapes = map[string]shape{
	"no B-frames": {args: []string{"-profile:v", "baseline", "-g", "50"}, idrs: true},
	"B-frames":    {args: []string{"-bf", "3", "-b_strategy", "0", "-g", "50", "-x264-params", "b-pyramid=none"}, idrs: true, bSlices: true, nonRefs: true},
	"B-pyramid": {
		args: []string{"-bf", "7", "-b_strategy", "0", "-g", "50", "-x264-params", "b-pyramid=normal:ref=6"}, idrs: true, bSlices: true, nonRefs: true,
	},
	"strict B-pyramid": {
		args: []string{"-bf", "5", "-b_strategy", "0", "-g", "50", "-x264-params", "b-pyramid=strict:bluray-compat=1"}, idrs: true, bSlices: true, nonRefs: true,
	},
	"open GOP": {
		args: []string{"-bf", "3", "-b_strategy", "0", "-g", "40", "-x264-params", "open-gop=1"}, bSlices: true, nonRefs: true, recovery: true,
	},
	"intra refresh": {args: []string{"-x264-params", "intra-refresh=1:keyint=30:bframes=0:scenecut=0"}},
	"interlaced": {
		args: []string{"-flags", "+ildct+ilme", "-bf", "2", "-b_strategy", "0", "-g", "50", "-x264-params", "tff=1"}, idrs: true, bSlices: true, fields: true,
	},
	"four slices": {
		args: []string{"-bf", "2", "-b_strategy", "0", "-g", "50", "-x264-params", "slices=4"}, idrs: true, bSlices: true, nonRefs: true, slices4: true,
	},
	"slices by size": {args: []string{"-bf", "0", "-g", "50", "-x264-params", "slice-max-size=300"}, idrs: true},
	"weighted prediction": {
		args: []string{"-bf", "3", "-b_strategy", "0", "-g", "60", "-x264-params", "weightp=2:weightb=1:ref=16"}, idrs: true, bSlices: true, weights: true,
	},
	"CAVLC, one long GOP": {args: []string{"-bf", "0", "-g", "1000", "-coder", "0", "-x264-params", "scenecut=0"}},
	"HRD":                 {args: []string{"-g", "50", "-x264-params", "nal-hrd=vbr:vbv-maxrate=400:vbv-bufsize=400:pic-struct=1"}, idrs: true, bSlices: true},
	"fake interlaced":     {args: []string{"-bf", "2", "-g", "50", "-x264-params", "fake-interlaced=1"}, idrs: true, bSlices: true, fields: true},
}

// holds fails the test where the stream lacks what its name says.
func (s *shape) holds(t *testing.T, infos []Info) {
	t.Helper()
	var c frameNumbers
	idrs, bs, nonRefs, intra, weighted := 0, 0, 0, 0, 0
	for _, info := range infos {
		_, err := c.check(info)
		require.NoError(t, err)
		nalu, typ := firstSlice(t, info)
		h, err := c.readSlice(nalu, true)
		require.NoError(t, err)
		switch {
		case info.Key:
			idrs++
		case typ == sliceI:
			intra++
		case typ == sliceB:
			bs++
		}
		if !h.ref {
			nonRefs++
		}
		for _, p := range c.pps {
			if p.weighted || p.biWeighted == 1 {
				weighted++
			}
		}
		if s.slices4 {
			require.Equal(t, 4, info.Slices)
		}
	}
	require.Equal(t, s.idrs, idrs >= 3, "%d IDR pictures", idrs)
	require.Equal(t, s.bSlices, bs > 20, "%d B pictures", bs)
	if s.nonRefs {
		require.Greater(t, nonRefs, 20)
	}
	if s.recovery {
		require.GreaterOrEqual(t, intra, 3, "recovery points")
	}
	if s.weights {
		require.Positive(t, weighted)
	}
	require.Equal(t, s.fields, !c.seq.framesOnly)
}

func TestLossOfAnyReferencePictureIsNoticedAtTheNextPictureAndNothingElseIs(t *testing.T) {
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			infos := stream(t, s.args...)
			s.holds(t, infos)
			var c frameNumbers
			noticed := 0
			for i, info := range infos {
				if i > 0 && i+1 < len(infos) && !infos[i+1].Key {
					nalu, _ := firstSlice(t, info)
					ref := nalu[0]&0x60 != 0
					lost := c // without this one
					reason, err := lost.check(infos[i+1])
					require.NoError(t, err)
					switch {
					case !ref:
						require.Empty(t, reason, "picture %d, to which no other refers", i)
					case info.Key && c.prev == 0: // as documented
					default:
						require.Equal(t, reasonMissing, reason, "picture %d", i)
						noticed++
					}
				}
				reason, err := c.check(info)
				require.NoError(t, err)
				require.Empty(t, reason, "picture %d of an intact stream", i)
			}
			require.Greater(t, noticed, 30)
		})
	}
}

func TestLossOfManyPicturesIsNoticedOnceAndNotAfterAnIDR(t *testing.T) {
	infos := stream(t, "-bf", "0", "-g", "50", "-x264-params", "scenecut=0")
	for n := 1; n < 12; n++ {
		var c frameNumbers
		for i, info := range infos {
			if i >= 110 && i < 110+n {
				continue
			}
			reason, err := c.check(info)
			require.NoError(t, err)
			require.Equal(t, i == 110+n, reason != "", "picture %d with %d missing: %q", i, n, reason)
		}
		c = frameNumbers{}
		for i, info := range infos {
			if i >= 150-n && i < 150 {
				continue
			}
			reason, err := c.check(info)
			require.NoError(t, err)
			require.Empty(t, reason, i)
		}
	}
}

func TestAStreamJoinedInTheMidstIsNoGap(t *testing.T) {
	infos := stream(t, "-bf", "3", "-b_strategy", "0", "-g", "50")
	var c frameNumbers
	for i, info := range infos[17:] {
		reason, err := c.check(info)
		require.NoError(t, err)
		require.Empty(t, reason, i)
	}
}

func TestUnitWithoutItsFirstSliceIsDamagedAndSlicesOutOfOrderAreToo(t *testing.T) {
	infos := stream(t, "-bf", "0", "-g", "50", "-x264-params", "slices=4")
	require.Len(t, infos[7].nalus, 4)
	_, err := Inspect(transport.H264, join(infos[7].nalus[1:]))
	require.ErrorIs(t, err, ErrDamaged)

	n, other := infos[7].nalus, infos[8].nalus
	for name, slices := range map[string][][]byte{
		"out of order":           {n[0], n[2], n[1], n[3]},
		"twice":                  {n[0], n[1], n[1], n[2], n[3]},
		"of two pictures":        {n[0], n[1], other[2], other[3]},
		"two pictures":           {n[0], n[1], n[2], n[3], other[0], other[1], other[2], other[3]},
		"truncated":              {n[0], n[1][:2]},
		"truncated at the front": {n[0][:2], n[1]},
	} {
		var c frameNumbers
		for _, info := range infos[:7] {
			_, err := c.check(info)
			require.NoError(t, err)
		}
		info, err := Inspect(transport.H264, join(slices))
		require.NoError(t, err, name)
		_, err = c.check(info)
		require.ErrorIs(t, err, ErrDamaged, name)
	}
}
