package files

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/yuv"
)

// listedSight sees or not as its list says, verdict by verdict.
type listedSight struct {
	sees  []bool
	times []time.Time
}

func (s *listedSight) Judge(at time.Time, _ *yuv.Image) (redact.Verdict, error) {
	v := redact.Verdict{Proved: s.sees[0]}
	s.sees, s.times = s.sees[1:], append(s.times, at)
	return v, nil
}

func (s *listedSight) Reset() {}

func TestPictureThatFailsAfterOneThatDidNotIsTestedAgain(t *testing.T) {
	im, err := yuv.New(64, 48)
	require.NoError(t, err)
	for _, c := range []struct {
		verdicts, want []bool
	}{
		{[]bool{true, true}, []bool{true, true}},
		{[]bool{false, true}, []bool{true}},
		{[]bool{false, false, true}, []bool{true}},
		{[]bool{false, false, false, false, true, false, false, false}, []bool{false, false, true, false}},
	} {
		l := &listedSight{sees: c.verdicts}
		s := &patientSight{Sight: l}
		for i, want := range c.want {
			at := time.Unix(int64(i), 0)
			v, err := s.Judge(at, im)
			require.NoError(t, err)
			require.Equal(t, want, v.Proved, "%v: picture %d", c.verdicts, i)
			require.Equal(t, at, l.times[len(l.times)-1], "it is the same picture, at its time")
		}
		require.Empty(t, l.sees, "how often it is tested")
	}
}

func TestSmallPicturesAreNotJudged(t *testing.T) {
	l := &listedSight{sees: []bool{false}}
	s := roomySight{l}
	for _, size := range [][2]int{{minJudged - 1, 400}, {400, minJudged - 1}, {1, 1}} {
		im, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		v, err := s.Judge(time.Time{}, im)
		require.NoError(t, err)
		require.True(t, v.Proved)
	}
	im, err := yuv.New(minJudged, minJudged)
	require.NoError(t, err)
	v, err := s.Judge(time.Time{}, im)
	require.NoError(t, err)
	require.False(t, v.Proved)
}
