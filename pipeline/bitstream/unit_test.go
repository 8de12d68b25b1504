package bitstream

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// An SPS of Constrained Baseline, 1920×1080, as x264 writes it.
var (
	baseline = []byte{
		0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x96, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x2a,
	}
	pps   = []byte{0x68, 0xce, 0x0f, 0xc8}
	idr   = []byte{0x65, 0x88, 0x84, 0x00, 0x33}
	slice = []byte{0x41, 0x9a, 0x24, 0x6c}
	sei   = []byte{0x06, 0x05, 0x01, 0x42, 0x80}
	aud   = []byte{0x09, 0xf0}
)

func annexB(nalus ...[]byte) []byte { return join(nalus) }

func TestKeyUnitTellsSizeAndIDR(t *testing.T) {
	info, err := Inspect(transport.H264, annexB(baseline, pps, idr, idr))
	require.NoError(t, err)
	require.True(t, info.Key)
	require.Equal(t, 2, info.Slices)
	require.Equal(t, baseline, info.SPS)
	require.Equal(t, 1920, info.Width)
	require.Equal(t, 1080, info.Height)
}

func TestMixedSlicesAreNoIDR(t *testing.T) {
	info, err := Inspect(transport.H264, annexB(idr, slice))
	require.NoError(t, err)
	require.False(t, info.Key)
}

func TestNothingButParameterSetsAndSlicesReachesTheDecoder(t *testing.T) {
	info, err := Inspect(transport.H264, annexB(aud, baseline, pps, sei, idr))
	require.NoError(t, err)
	require.Equal(t, annexB(baseline, pps, idr), info.Data)
}

func TestThreeByteStartCodesAndTrailingZerosAreUnderstood(t *testing.T) {
	au := append([]byte{0, 0, 1}, slice...)
	au = append(au, 0, 0, 0, 0, 1)
	au = append(au, slice...)
	au = append(au, 0, 0, 0)
	info, err := Inspect(transport.H264, au)
	require.NoError(t, err)
	require.Equal(t, 2, info.Slices)
}

func TestWhatIsNotOnTheAllowListIsRefused(t *testing.T) {
	profile := func(p byte) []byte { s := bytes.Clone(baseline); s[1] = p; return s }
	many := make([][]byte, MaxSlices+1)
	for i := range many {
		many[i] = slice
	}
	tooMany := make([][]byte, MaxNALUs+1)
	for i := range tooMany {
		tooMany[i] = sei
	}
	for name, c := range map[string]struct {
		au  []byte
		err error
	}{
		"high 4:2:2":        {annexB(profile(122), pps, idr), ErrUnsupported},
		"extended":          {annexB(profile(88), pps, idr), ErrUnsupported},
		"65 slices":         {annexB(many...), ErrUnsupported},
		"257 NAL units":     {annexB(tooMany...), ErrDamaged},
		"data partitioning": {annexB([]byte{0x62, 1, 2}), ErrUnsupported},
		"short SPS":         {annexB([]byte{0x67, 0x42}), ErrDamaged},
		"no start code":     {[]byte{1, 2, 3, 4}, ErrDamaged},
		"start code only":   {[]byte{0, 0, 0, 1}, ErrDamaged},
		"two SPS":           {annexB(baseline, append(bytes.Clone(baseline[:3]), append([]byte{0x1f}, baseline[4:]...)...)), ErrUnsupported},
		"too large":         {make([]byte, transport.MaxUnitBytes+1), ErrDamaged},
	} {
		_, err := Inspect(transport.H264, c.au)
		require.Error(t, err, name)
		if name != "two SPS" { // either: the second one need not parse
			require.ErrorIs(t, err, c.err, name)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(annexB(aud, baseline, pps, sei, idr))
	f.Add(annexB(slice))
	f.Add([]byte{0, 0, 1})
	f.Fuzz(func(t *testing.T, au []byte) {
		info, err := Inspect(transport.H264, au)
		if err != nil {
			return
		}
		again, err := Inspect(transport.H264, info.Data)
		if err != nil && len(info.Data) > 0 {
			t.Fatalf("what was let through is refused: %v", err)
		}
		if again.Slices != info.Slices || again.Key != info.Key {
			t.Fatalf("what was let through is something else: %+v, then %+v", info, again)
		}
	})
}

func TestReaderReadsNothingBehindTheEnd(t *testing.T) {
	r := reader{b: []byte{0xff}}
	require.EqualValues(t, 0xff, r.u(8))
	require.Zero(t, r.u(0))
	require.NoError(t, r.err)
	require.Zero(t, r.u(1))
	require.Error(t, r.err)
}
