package bench

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCamerasHoldOnlyIfEverythingIsShownAndNoFaceExposed(t *testing.T) {
	for name, c := range map[string]struct {
		trial Trial
		want  string
	}{
		"all is well":          {Trial{In: 300, Faces: 900}, ""},
		"no truth":             {Trial{In: 300}, ""},
		"a picture is dropped": {Trial{In: 300, Dropped: 1}, "1 of 300 pictures dropped"},
		"a slate":              {Trial{In: 300, Slates: 2}, "2 slates instead of pictures"},
		"a face is exposed":    {Trial{In: 300, Faces: 900, Exposed: 1}, "1 of 900 faces exposed"},
		"no pictures":          {Trial{}, "no pictures arrived"},
		"it did not start":     {Trial{Why: "scrim ended"}, "scrim ended"},
	} {
		t.Run(name, func(t *testing.T) {
			c.trial.Judge()
			require.Equal(t, c.want, c.trial.Why)
			require.Equal(t, c.want == "", c.trial.Held)
		})
	}
}

func TestMostCamerasAreFoundFromAnyStart(t *testing.T) {
	const most = 20
	for truly := range most + 5 {
		for begin := 1; begin <= most; begin++ {
			asked := make(map[int]bool)
			got, err := MostCameras(begin, most, func(n int) (bool, error) {
				require.False(t, asked[n], "%d was asked for twice", n)
				require.True(t, n >= 1 && n <= most, n)
				asked[n] = true
				return n <= truly, nil
			})
			require.NoError(t, err)
			require.Equal(t, min(truly, most), got, "from %d on", begin)
			require.LessOrEqual(t, len(asked), 8)
		}
	}
	_, err := MostCameras(1, 4, func(int) (bool, error) { return false, errors.ErrUnsupported })
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
