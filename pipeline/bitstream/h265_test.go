package bitstream

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/transport"
)

// stream265 codes a moving test picture with the ffmpeg program, and returns what
// Inspect says of its access units.
func stream265(t testing.TB, frames int, params string) []Info {
	t.Helper()
	var infos []Info
	for _, u := range units265(t, frames, params) {
		info, err := Inspect(transport.H265, u)
		require.NoError(t, err)
		infos = append(infos, info)
	}
	return infos
}

func units265(t testing.TB, frames int, params string, args ...string) [][]byte {
	t.Helper()
	ffmpeg := testenv.Path(t, testenv.FFmpeg)
	cmd := exec.Command(ffmpeg, append(append([]string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc=s=192x144:r=25,fade=in:20:40",
		"-frames:v", fmt.Sprint(frames), "-pix_fmt", "yuv420p", "-c:v", "libx265", "-preset", "ultrafast",
		"-x265-params", "log-level=none:aud=1:repeat-headers=1:pools=1:frame-threads=1:scenecut=0:" + params,
	}, args...), "-f", "hevc", "-")...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	delimiter := []byte{0, 0, 0, 1, byte(h265.NALUType_AUD_NUT) << 1, 1}
	var units [][]byte
	for _, u := range bytes.Split(out.Bytes(), delimiter)[1:] {
		units = append(units, append(bytes.Clone(delimiter), u...))
	}
	require.Len(t, units, frames)
	return units
}

// shapes265 are streams as cameras send them; what must be in them, or else they
// show nothing.
var shapes265 = map[string]struct {
	params             string
	cra, rasl, radl, b bool
	nonRefs, slices4   bool
}{
	"no B-frames":         {params: "keyint=20:bframes=0:ref=1:open-gop=0"},
	"several references":  {params: "keyint=20:bframes=0:ref=5:weightp=1:open-gop=0"},
	"B-pyramid":           {params: "keyint=24:bframes=4:b-adapt=0:b-pyramid=1:ref=4:open-gop=0", b: true, nonRefs: true},
	"open GOP":            {params: "keyint=16:min-keyint=16:bframes=3:b-adapt=0:open-gop=1:ref=3", b: true, cra: true, rasl: true, nonRefs: true},
	"RADL":                {params: "keyint=16:min-keyint=16:bframes=3:b-adapt=0:open-gop=0:radl=2:ref=3", b: true, radl: true, nonRefs: true},
	"four slices":         {params: "keyint=20:bframes=2:b-adapt=0:slices=4:open-gop=0:ctu=16:wpp=1", b: true, nonRefs: true, slices4: true},
	"temporal sub-layers": {params: "keyint=24:bframes=3:b-adapt=0:temporal-layers=3:open-gop=0", b: true, nonRefs: true},
	"one long GOP":        {params: "keyint=1000:bframes=0:ref=2"},
	"intra refresh":       {params: "keyint=1000:bframes=0:intra-refresh=1"},
}

const length265 = 70

// A reference picture that is lost is noticed before anything that needs it is
// decoded, and nothing else is: x265 lets every reference be used.
func TestH265LossOfAnyReferencePictureIsNoticed(t *testing.T) {
	for name, s := range shapes265 {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			infos := stream265(t, length265, s.params)
			var c Continuity
			cras, rasls, radls, nonRefs, noticed := 0, 0, 0, 0, 0
			for i, info := range infos {
				typ := info.pictureType()
				if s.slices4 {
					require.Equal(t, 4, info.Slices)
				}
				require.Equal(t, [2]int{192, 144}, [2]int{infos[0].Width, infos[0].Height})
				if typ == h265.NALUType_CRA_NUT {
					cras++
				}
				if info.RASL {
					rasls++
				}
				if isRADL(typ) {
					radls++
				}
				ref := typ > h265.NALUType_RSV_VCL_R15 || typ&1 == 1
				if !ref {
					nonRefs++
				}
				if i > 0 && i+1 < len(infos) {
					if after(t, c, infos[i+1:]) {
						require.True(t, ref, "picture %d of type %s, to which no other refers", i, typ)
						noticed++
					} else if ref && !info.Key {
						require.Truef(t, i+10 > len(infos) || unused(infos, i), "loss of picture %d of type %s is not noticed", i, typ)
					}
				}
				reason, err := c.Check(info)
				require.NoError(t, err)
				require.Empty(t, reason, "picture %d of an intact stream", i)
			}
			require.Equal(t, s.cra, cras > 0, "CRA pictures")
			require.Equal(t, s.rasl, rasls > 0, "RASL pictures")
			require.Equal(t, s.radl, radls > 0, "RADL pictures")
			require.Equal(t, s.nonRefs, nonRefs > 0, "pictures that no other refers to")
			require.Greater(t, noticed, 10)
		})
	}
}

// after reports whether a loss before rest is noticed up to the next key frame, or in
// the RASL pictures behind it.
func after(t *testing.T, c Continuity, rest []Info) bool {
	t.Helper()
	keys := 0
	for _, info := range rest {
		if info.Key {
			keys++
		}
		if keys > 0 && !info.Key && !info.RASL && !isRADL(info.pictureType()) {
			return false
		}
		reason, err := c.Check(info)
		require.NoError(t, err)
		if reason != "" {
			return true
		}
	}
	return false
}

// unused reports whether a reference picture is the last before a key frame, or its
// successors can do without it: it is of the type that others may refer to, and none
// does.
func unused(infos []Info, i int) bool {
	for _, info := range infos[i+1:] {
		if info.Key {
			return true
		}
		var c references
		c.check(infos[0]) //nolint:errcheck // for its parameter sets
		for _, nalu := range info.nalus {
			if isSlice265(type265(nalu)) {
				s, err := c.readSegment(nalu)
				if err != nil {
					return false
				}
				for _, d := range append(s.refs.before, s.refs.after...) {
					if d.used {
						return false
					}
				}
			}
		}
	}
	return true
}

func TestH265StreamJoinedInTheMidstBeginsAtItsKeyFrame(t *testing.T) {
	infos := stream265(t, length265, shapes265["open GOP"].params)
	var c Continuity
	skipped := 0
	for i, info := range infos[5:] {
		if info.RASL && c.h265.noRASL {
			skipped++
		}
		reason, err := c.Check(info)
		require.NoError(t, err)
		require.Empty(t, reason, i)
	}
	require.Positive(t, skipped, "RASL pictures of the first key frame")
}

// A relay that drops all up to a CRA picture: what is after it is whole, and the RASL
// pictures before it in display are not.
func TestH265LossBeforeACRAPictureShowsInItsRASLPicturesOnly(t *testing.T) {
	infos := stream265(t, length265, shapes265["open GOP"].params)
	var c Continuity
	reasons, state := 0, 0
	for _, info := range infos {
		if state == 0 && info.Key && info.pictureType() == h265.NALUType_CRA_NUT {
			state = 1
		}
		if state == 0 && !info.Key {
			continue // lost
		}
		reason, err := c.Check(info)
		require.NoError(t, err)
		if reason != "" {
			require.True(t, info.RASL)
			reasons++
		}
	}
	require.Positive(t, reasons)
}

func TestH265KeyFrameThatBeginsIsABrokenLink(t *testing.T) {
	for _, info := range stream265(t, length265, shapes265["open GOP"].params) {
		first, err := Inspect(transport.H265, info.AsFirst())
		require.NoError(t, err)
		if info.pictureType() != h265.NALUType_CRA_NUT {
			require.Equal(t, info.Data, first.Data)
			continue
		}
		require.True(t, first.Key && first.BLA)
		require.Len(t, first.Data, len(info.Data))
		require.Equal(t, info.SPS, first.SPS)
		require.False(t, info.BLA, "the unit itself is left as it is")
	}
}

func TestH265NothingButParameterSetsAndSlicesReachesTheDecoder(t *testing.T) {
	unit := units265(t, 2, "keyint=2:bframes=0:slices=2:ctu=16")[0]
	nalus, err := split(unit)
	require.NoError(t, err)
	extra := append([][]byte{}, nalus...)
	extra = append(extra, []byte{byte(h265.NALUType_SUFFIX_SEI_NUT) << 1, 1, 5, 1, 0x80}, []byte{62 << 1, 1, 9}, // unspecified
		[]byte{byte(h265.NALUType_TRAIL_R) << 1, 1 << 3 & 0xf8, 0x80})
	extra[len(extra)-1][1] |= 1 // a slice of layer 1
	info, err := Inspect(transport.H265, join(extra))
	require.NoError(t, err)
	require.True(t, info.Key)
	require.Equal(t, 2, info.Slices)
	var want [][]byte
	for _, n := range nalus {
		if typ := type265(n); isSlice265(typ) || typ >= h265.NALUType_VPS_NUT && typ <= h265.NALUType_PPS_NUT {
			want = append(want, n)
		}
	}
	require.Equal(t, join(want), info.Data)
	require.Len(t, want, 5)
}

func TestH265WhatIsNotOnTheAllowListIsRefused(t *testing.T) {
	nalus, err := split(units265(t, 2, "keyint=2:bframes=0:slices=2:ctu=16")[0])
	require.NoError(t, err)
	info, err := Inspect(transport.H265, join(nalus))
	require.NoError(t, err)
	vps, sps, pps, one, two := info.nalus[0], info.nalus[1], info.nalus[2], info.nalus[3], info.nalus[4]
	with := func(n []byte, at int, b byte) []byte { n = bytes.Clone(n); n[at] = b; return n }
	many := [][]byte{vps, sps, pps, one}
	for range MaxSlices {
		many = append(many, two)
	}
	for name, c := range map[string]struct {
		err   error
		nalus [][]byte
	}{
		"65 slices":                      {ErrUnsupported, many},
		"no first slice":                 {ErrDamaged, [][]byte{vps, sps, pps, two}},
		"two pictures":                   {ErrDamaged, [][]byte{vps, sps, pps, one, two, one}},
		"slices of two types":            {ErrDamaged, [][]byte{one, with(two, 0, byte(h265.NALUType_CRA_NUT)<<1)}},
		"sets behind a slice":            {ErrDamaged, [][]byte{one, pps}},
		"header of one byte":             {ErrDamaged, [][]byte{{0x26}}},
		"forbidden bit":                  {ErrDamaged, [][]byte{with(one, 0, 0x80|one[0])}},
		"no temporal sub-layer":          {ErrDamaged, [][]byte{with(one, 1, 0)}},
		"PPS of nothing":                 {ErrDamaged, [][]byte{{byte(h265.NALUType_PPS_NUT) << 1, 1}}},
		"SPS of nothing":                 {ErrDamaged, [][]byte{{byte(h265.NALUType_SPS_NUT) << 1, 1}}},
		"SPS too long":                   {ErrDamaged, [][]byte{append(bytes.Clone(sps), bytes.Repeat([]byte{7}, maxParameterSet)...), pps}},
		"profile Main 4:4:4":             {ErrUnsupported, [][]byte{with(with(sps, 3, 4), 4, 0)}},
		"range extensions, not for Main": {ErrUnsupported, [][]byte{with(with(sps, 3, 4), 4, 8)}},
	} {
		_, err := Inspect(transport.H265, join(c.nalus))
		require.ErrorIs(t, err, c.err, name)
	}
	for _, format := range []string{"yuv422p", "yuv420p10le", "yuv444p"} {
		unit := units265(t, 1, "keyint=2", "-pix_fmt", format)[0]
		_, err := Inspect(transport.H265, unit)
		require.ErrorIs(t, err, ErrUnsupported, format)
		require.ErrorContains(t, err, "choose Main in the camera")
	}
	_, err = Inspect("av1", []byte{0, 0, 1, 2})
	require.ErrorIs(t, err, ErrUnsupported)
}

// sps265 writes an SPS of Main with two temporal sub-layers; the lower one has a
// profile and a level or none, and with so many long-term reference pictures.
func sps265(profile, level bool, longTerms int) []byte {
	w := new(writer)
	w.u(8, 1).u(4, 0).u(3, 1).u(1, 1)                                    // header, VPS, sub-layers
	w.u(8, mainIDC).u(32, 0x60000000).u(4, 9).u(32, 0).u(12, 0).u(8, 93) // general profile, level
	w.u(1, b2u(profile)).u(1, b2u(level)).u(14, 0)                       // which the sub-layer has
	if profile {
		w.u(8, mainIDC).u(32, 0x60000000).u(4, 9).u(32, 0).u(12, 0)
	}
	if level {
		w.u(8, 63)
	}
	w.ue(0, 1, 192, 144).u(1, 0).ue(0, 0, 4) // ID, 4:2:0, size, no window, 8 bits, order counts
	w.u(1, 0).ue(2, 0, 0)                    // pictures that are kept
	w.ue(0, 1, 0, 2, 0, 0).u(4, 0)           // blocks; no scaling lists, AMP, SAO, PCM
	w.ue(0).u(1, b2u(longTerms >= 0))        // no short-term sets
	if longTerms >= 0 {
		w.ue(uint32(longTerms)) //nolint:gosec // small
		for range longTerms {
			w.u(8, 5).u(1, 1)
		}
	}
	return w.u(4, 0).nalu(byte(h265.NALUType_SPS_NUT) << 1)
}

// What nothing here can read is not damage: another setting in the camera mends it.
func TestH265SPSThatCannotBeReadSaysWhatToChangeInTheCamera(t *testing.T) {
	for name, sps := range map[string][]byte{"sub-layers without levels": sps265(false, false, -1), "long-term references in slices": sps265(false, false, 0)} {
		info, err := Inspect(transport.H265, join([][]byte{sps}))
		require.NoError(t, err, name)
		require.Equal(t, [2]int{192, 144}, [2]int{info.Width, info.Height}, name)
	}
	for name, c := range map[string]struct {
		sps []byte
		say string
	}{
		"profile of a sub-layer": {sps265(true, false, -1), "temporal sub-layers"},
		"level of a sub-layer":   {sps265(false, true, -1), "temporal sub-layers"},
		"both":                   {sps265(true, true, -1), "temporal sub-layers"},
		"long-term references":   {sps265(false, false, 2), "long-term reference pictures"},
	} {
		_, err := Inspect(transport.H265, join([][]byte{c.sps}))
		require.ErrorIs(t, err, ErrUnsupported, name)
		require.NotErrorIs(t, err, ErrDamaged, name)
		require.ErrorContains(t, err, c.say, name)
		require.ErrorContains(t, err, "turn SVC (temporal layers)", name)
	}
	for _, longTerms := range []int{-1, 0} {
		whole := sps265(false, false, longTerms)
		_, err := Inspect(transport.H265, join([][]byte{whole[:len(whole)-2]}))
		require.ErrorIs(t, err, ErrDamaged, "one that is cut")
	}
}

func TestH265SlicesOutOfOrderAreDamage(t *testing.T) {
	infos := stream265(t, 12, "keyint=20:bframes=0:slices=4:ctu=16")
	n, other := infos[7].nalus, infos[8].nalus
	require.Len(t, n, 4)
	for name, slices := range map[string][][]byte{
		"out of order":     {n[0], n[2], n[1], n[3]},
		"twice":            {n[0], n[1], n[1], n[2], n[3]},
		"of two pictures":  {n[0], n[1], other[2], other[3]},
		"truncated":        {n[0], n[1][:3]},
		"cut at the front": {n[0][:3], n[1]},
	} {
		var c Continuity
		for _, info := range infos[:7] {
			_, err := c.Check(info)
			require.NoError(t, err)
		}
		info, err := Inspect(transport.H265, join(slices))
		require.NoError(t, err, name)
		_, err = c.Check(info)
		require.ErrorIs(t, err, ErrDamaged, name)
	}
}

func TestAnotherCodecBeginsAnew(t *testing.T) {
	var c Continuity
	for _, info := range stream265(t, 8, "keyint=20:bframes=0") {
		reason, err := c.Check(info)
		require.NoError(t, err)
		require.Empty(t, reason)
	}
	key, err := Inspect(transport.H264, annexB(baseline, pps, idr))
	require.NoError(t, err)
	reason, err := c.Check(key)
	require.NoError(t, err)
	require.Empty(t, reason)
	require.Empty(t, c.h265.sps)
}

// FuzzH265 feeds a key frame's parameter sets and then what it likes.
func FuzzH265(f *testing.F) {
	for _, name := range []string{"open GOP", "four slices", "temporal sub-layers"} {
		units := units265(f, 10, shapes265[name].params)
		for _, u := range units {
			f.Add(u)
		}
		f.Add(units[0][:len(units[0])/2])
	}
	sets := units265(f, 1, shapes265["open GOP"].params)[0]
	f.Fuzz(func(t *testing.T, au []byte) {
		var c Continuity
		for _, u := range [][]byte{sets, au, au} {
			info, err := Inspect(transport.H265, u)
			if err != nil {
				continue
			}
			again, err := Inspect(transport.H265, info.Data)
			if err != nil && len(info.Data) > 0 {
				t.Fatalf("what was let through is refused: %v", err)
			}
			if again.Slices != info.Slices || again.Key != info.Key {
				t.Fatalf("what was let through is something else: %+v, then %+v", info, again)
			}
			if first, err := Inspect(transport.H265, info.AsFirst()); len(info.Data) > 0 && (err != nil || first.Key != info.Key) {
				t.Fatalf("as the first it is something else: %v", err)
			}
			_, _ = c.Check(info)
			if c.h265.n > len(c.h265.kept) {
				t.Fatal("too many references")
			}
		}
	})
}
