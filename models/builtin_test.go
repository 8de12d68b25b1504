package models

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCardIsThatOfTheEmbeddedWeights(t *testing.T) {
	sum := sha256.Sum256(Weights())
	c := BuiltIn()
	require.Equal(t, hex.EncodeToString(sum[:]), c.SHA256, "scrim-face.onnx and scrim-face.json are written together")
	require.Equal(t, "scrim-face", c.Name)
	require.Equal(t, "scrim-face.onnx", c.File)
	require.NotEmpty(t, c.Licence)
	require.NotEmpty(t, c.Description)
	for _, share := range []float64{c.Clean.Exposed, c.Clean.ExposedYuNetN} {
		require.True(t, share >= 0 && share <= 100, "%v %%", share)
	}
}

func TestWeightsBelongToTheCaller(t *testing.T) {
	w := Weights()
	w[0]++
	require.NotEqual(t, w, Weights())
}

// Neither a file of that name nor a folder makes a difference.
func TestBuiltInModelNeedsNoFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, BuiltIn().File, []byte("something else"))
	for _, dirs := range [][]string{nil, {dir}, {filepath.Join(dir, "absent")}} {
		found, err := find(dirs, "scrim-face")
		require.NoError(t, err)
		require.Equal(t, Found{Model: Known()[0]}, found)
	}
	found, err := choose(BuiltIn(), func(name string) (Found, error) { return find(nil, name) })
	require.NoError(t, err)
	require.Equal(t, Found{Model: Known()[0]}, found)
}

func TestAutoTakesYuNetOnlyWhereItIsThereAndExposesLess(t *testing.T) {
	yunet := Known()[1]
	there := func(string) (Found, error) { return Found{yunet, "/models/" + yunet.File}, nil }
	absent := func(name string) (Found, error) { return find(nil, name) }
	dir := t.TempDir()
	write(t, dir, yunet.File, []byte("half a model"))
	corrupt := func(name string) (Found, error) { return find([]string{dir}, name) }
	for name, c := range map[string]struct {
		own, yunetN float64
		find        func(string) (Found, error)
		want        string
		err         error
	}{
		"ours exposes less":                      {1, 2, there, "scrim-face", nil},
		"both expose the same":                   {2, 2, there, "scrim-face", nil},
		"ours exposes more":                      {2.1, 2, there, "yunet-n", nil},
		"ours exposes more, no YuNet":            {2.1, 2, absent, "scrim-face", nil},
		"ours exposes more, YuNet is corrupt":    {2.1, 2, corrupt, "", ErrCorrupt},
		"ours exposes less, YuNet is corrupt":    {1, 2, corrupt, "scrim-face", nil},
		"ours exposes less, and it is not there": {1, 2, absent, "scrim-face", nil},
	} {
		t.Run(name, func(t *testing.T) {
			card := BuiltIn()
			card.Clean = Clean{Exposed: c.own, ExposedYuNetN: c.yunetN}
			found, err := choose(card, c.find)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, found.Name)
			require.Equal(t, c.want == "yunet-n", found.Path != "")
		})
	}
}

func TestShortAreTheConditionsThatMissWhatIsWanted(t *testing.T) {
	good := Condition{Name: "clean", Faces: 10, Covered: 92, Wanted: 92}
	bad := Condition{Name: "night", Faces: 10, Covered: 71.9, Wanted: 72}
	free := Condition{Name: "mask", Faces: 10, Covered: 1}
	require.Empty(t, Card{Crowds: []Condition{good, free}}.Short())
	require.Equal(t, []Condition{bad, bad}, Card{Crowds: []Condition{good, bad}, Stills: []Condition{bad, free}}.Short())
}

// What is measured of the weights stands in the card, or nobody would know it.
func TestCardHasAllThatWasMeasured(t *testing.T) {
	c := BuiltIn()
	for _, all := range [][]Condition{c.Crowds, c.Stills} {
		wanted := 0
		for _, m := range all {
			require.Positive(t, m.Faces, m.Name)
			for _, share := range []float64{m.Covered, m.CoveredYuNetN, m.Obscured, m.ObscuredYuNetN} {
				require.True(t, share >= 0 && share <= 100, "%s: %v %%", m.Name, share)
			}
			if m.Wanted > 0 {
				wanted++
			}
		}
		require.Equal(t, 9, wanted)
	}
	require.InDelta(t, 100-c.Crowds[0].Covered, c.Clean.Exposed, 0.1)
	require.InDelta(t, 100-c.Crowds[0].CoveredYuNetN, c.Clean.ExposedYuNetN, 0.1)
}

// The page for people tells of these weights, and not of some before.
func TestCardPageNamesTheEmbeddedWeights(t *testing.T) {
	page, err := os.ReadFile("CARD.md")
	require.NoError(t, err)
	require.Contains(t, string(page), BuiltIn().SHA256)
}
