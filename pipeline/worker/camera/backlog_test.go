package camera

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestKeyFrameIsAskedForAlsoWhereALargeUnitWasDropped(t *testing.T) {
	b := backlog{}
	require.True(t, b.admit(true, maxUnsentBytes/2))
	require.False(t, b.admit(false, maxUnsentBytes/2+1))
	require.True(t, b.sent(maxUnsentBytes/2))
}

// A redactor that falls behind is asked for a key frame before its queue is empty, and goes
// on with that.
func TestBacklogThatFellBehindAsksForAKeyFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, waiting := backlog{}, []int(nil)
		asked := false
		t.Repeat(map[string]func(*rapid.T){
			"unit": func(t *rapid.T) {
				size, was := rapid.IntRange(1, maxUnsentBytes).Draw(t, "bytes"), b.behind
				if b.admit(rapid.IntRange(0, 9).Draw(t, "key") == 0, size) {
					waiting = append(waiting, size)
				}
				asked = asked && b.behind && was
			},
			"sent": func(*rapid.T) {
				if len(waiting) > 0 {
					asked = b.sent(waiting[0]) || asked
					waiting = waiting[1:]
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(waiting), b.units)
				require.LessOrEqual(t, b.units, maxUnsentUnits)
				require.False(t, b.behind && !asked && len(waiting) == 0, "nobody asks")
			},
		})
	})
}
