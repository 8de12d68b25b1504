package transport

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFacesAreInTheClassOfTheirSize(t *testing.T) {
	sizes := FaceSizes()
	require.Len(t, sizes, FaceSizeClasses)
	require.IsIncreasing(t, sizes)
	for height, least := range map[float64]int{0: 8, 7.9: 8, 8: 8, 19.9: 16, 20: 20, 24.9: 20, 25: 25, 255: 200, 256: 256, 4000: 256, math.Inf(1): 256} {
		require.Equal(t, least, sizes[FaceSizeClass(height)], height)
	}
}

func TestSightsOutsideTheirBoundsAreRefused(t *testing.T) {
	good := func() *Sight {
		return &Sight{
			Size: 34, Need: 48, Condition: &Condition{Dark: 3, Bright: 255, Clipped: 1}, DetectSize: 640,
			Cols: 2, Rows: 1, Parts: []SightPart{{Size: 30}, {Faces: make([]uint32, FaceSizeClasses)}},
		}
	}
	require.NoError(t, good().Check())
	require.NoError(t, (&Sight{}).Check())
	for name, spoil := range map[string]func(*Sight){
		"size":       func(s *Sight) { s.Size = -1 },
		"no number":  func(s *Sight) { s.Need = math.NaN() },
		"infinite":   func(s *Sight) { s.Painted = math.Inf(1) },
		"condition":  func(s *Sight) { s.Condition.Noise = 256 },
		"clipped":    func(s *Sight) { s.Condition.Clipped = 1.1 },
		"detector":   func(s *Sight) { s.DetectSize = -1 },
		"parts":      func(s *Sight) { s.Rows = 2 },
		"negative":   func(s *Sight) { s.Cols, s.Rows = -2, -1 },
		"many parts": func(s *Sight) { s.Cols, s.Parts = MaxSightParts+1, make([]SightPart, MaxSightParts+1) },
		"overflow":   func(s *Sight) { s.Cols, s.Rows, s.Parts = 1<<32, 1<<32, nil },
		"part":       func(s *Sight) { s.Parts[0].Size = 1e9 },
		"classes":    func(s *Sight) { s.Parts[1].Faces = s.Parts[1].Faces[1:] },
	} {
		s := good()
		spoil(s)
		require.Error(t, s.Check(), name)
	}
	var none *Sight
	require.Nil(t, none.Summary())
	require.Equal(t, &Sight{Size: 34, Need: 48, DetectSize: 640}, good().Summary())
}

func TestNeedIsRiskyAboveAShareOfTheHeight(t *testing.T) {
	for need, risky := range map[float64]bool{0: false, 86: false, 87: true} {
		require.Equal(t, risky, (&Status{Height: 1080, Sight: &Sight{Need: need}}).NeedIsRisky(), need)
	}
	require.False(t, (&Status{Height: 1080}).NeedIsRisky())
	require.False(t, (&Status{Sight: &Sight{Need: 1000}}).NeedIsRisky(), "no picture yet")
}
