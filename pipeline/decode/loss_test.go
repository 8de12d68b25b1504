package decode

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// show sends packets 1 to n and returns which pictures, in the given order of
// display, are damaged.
func show(l *losses, n int64, key map[int64]bool, order ...int64) (out []int64) {
	for i := range n {
		l.sent = i + 1
		l.await(i + 1)
	}
	for _, m := range order {
		l.arrived(span{m, m})
	}
	for _, m := range order {
		if l.shown(span{m, m}, key[m]) != "" {
			out = append(out, m)
		}
	}
	return out
}

func TestDamageGoesToThePicturesSentAfterIt(t *testing.T) {
	for name, c := range map[string]struct {
		damage []int64
		want   []int64
	}{
		"none":                         {nil, nil},
		"of a P-frame":                 {[]int64{5}, []int64{6, 7, 5, 9, 10}},
		"of a B-frame":                 {[]int64{3}, []int64{3, 4, 6, 7, 5, 9, 10}},
		"of a key frame":               {[]int64{8}, []int64{9, 10, 8, 12, 13, 11}},
		"before a key frame was shown": {[]int64{4, 9}, []int64{4, 6, 7, 5, 9, 10, 12, 13, 11}},
	} {
		t.Run(name, func(t *testing.T) {
			var l losses
			for _, d := range c.damage {
				l.noteDamage(d, "x")
			}
			// 8 is a key frame whose B-frames come before it.
			got := show(&l, 13, map[int64]bool{1: true, 8: true}, 1, 3, 4, 2, 6, 7, 5, 9, 10, 8, 12, 13, 11)
			require.Equal(t, c.want, got)
			require.Empty(t, l.waiting)
		})
	}
}

func TestPicturesWaitForThoseSentBefore(t *testing.T) {
	var l losses
	for n := range int64(4) {
		l.await(n + 1)
	}
	l.arrived(span{1, 1})
	require.True(t, l.settled(span{1, 1}, 1))
	l.arrived(span{3, 3})
	require.False(t, l.settled(span{3, 3}, 1), "2 may be damaged")
	l.arrived(span{2, 2})
	require.True(t, l.settled(span{3, 3}, 2))
	require.True(t, l.settled(span{9, 9}, maxHeld+1))
	require.EqualValues(t, 1, l.missing, "4 never came")
}

func TestDamageAfterTheLastPictureIsLeft(t *testing.T) {
	var l losses
	l.noteDamage(4, "lost")
	require.Empty(t, show(&l, 3, map[int64]bool{1: true}, 1, 2, 3))
	require.Equal(t, "lost", l.left())
}

func TestLossesForgetWhatIsOver(t *testing.T) {
	var l losses
	for n := range int64(1000) {
		l.noteDamage(n*2+1, "x")
		l.shown(span{n*2 + 2, n*2 + 2}, true)
	}
	require.LessOrEqual(t, len(l.damages), keysKept+1)
	require.LessOrEqual(t, len(l.keys), keysKept)
	require.Equal(t, "x", l.shown(span{1, 1}, false))
}

func TestLengthsBecomeStartCodes(t *testing.T) {
	for prefix := 1; prefix <= 4; prefix++ {
		var in []byte
		for _, n := range []string{"\x65ab", "", "\x41c"} {
			var size [4]byte
			binary.BigEndian.PutUint32(size[:], uint32(len(n)))
			in = append(append(in, size[4-prefix:]...), n...)
		}
		c := &avcCheck{prefix: prefix}
		out, err := c.annexB(in)
		require.NoError(t, err)
		require.Equal(t, "\x00\x00\x00\x01\x65ab\x00\x00\x00\x01\x41c", string(out))
		_, err = c.annexB(in[:len(in)-1])
		require.ErrorContains(t, err, "cut off")
	}
}

func FuzzAVCRecord(f *testing.F) {
	f.Add([]byte{1, 66, 0, 30, 255, 225, 0, 1, 103, 1, 0, 1, 104}, []byte{0, 0, 0, 1, 101})
	f.Add([]byte{1, 66, 0, 30, 255, 225, 0}, []byte{0, 0, 0, 2, 101})
	f.Fuzz(func(t *testing.T, extra, unit []byte) {
		c, err := newAVCCheck(extra)
		if err != nil {
			return
		}
		if c.prefix == 0 && len(extra) > 0 {
			require.NotEqual(t, byte(1), extra[0])
		}
		_, _ = c.annexB(unit)
	})
}
