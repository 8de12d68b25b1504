package sight

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSightIsTheSmallestCertainSize(t *testing.T) {
	for name, c := range map[string]struct {
		rows      []count
		low, high float64
	}{
		"nothing painted":    {[]count{{}, {}, {}}, 0, 0},
		"all found":          {[]count{{5, 5}, {5, 5}, {5, 5}}, 12, 12},
		"none found":         {[]count{{5, 0}, {5, 0}, {5, 0}}, 0, 0},
		"small ones missed":  {[]count{{10, 0}, {10, 5}, {10, 10}}, 15.2, 19.1},
		"a large one missed": {[]count{{10, 10}, {10, 10}, {10, 9}}, 12, 12},
		"two of few missed":  {[]count{{5, 5}, {5, 5}, {5, 3}}, 0, 0},
		"some not painted":   {[]count{{10, 0}, {}, {10, 10}}, 18, 19.1},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTally([]float64{12, 12 * sizeStep, 12 * sizeStep * sizeStep})
			copy(tl.counts, c.rows)
			size := tl.size(nil)
			require.True(t, size >= c.low && size <= c.high, "%v", size)
		})
	}
}

func TestSightIsOneOfTheSizesOrBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		need := rapid.Float64Range(10, 300).Draw(t, "need")
		height := rapid.IntRange(64, 2304).Draw(t, "height")
		sizes := ladder(need, height)
		require.NotEmpty(t, sizes)
		tl, prior := newTally(sizes), newTally(sizes)
		for range rapid.IntRange(0, 60).Draw(t, "faces") {
			h := rapid.Float64Range(5, 400).Draw(t, "height")
			tl.add(h, rapid.Bool().Draw(t, "found"))
			prior.add(h, rapid.Bool().Draw(t, "found there"))
		}
		for _, p := range []*tally{nil, &prior} {
			size := tl.size(p)
			require.True(t, size == 0 || size >= sizes[0]*0.999 && size <= sizes[len(sizes)-1]*1.001, "%v of %v", size, sizes)
		}
		before := tl.painted()
		tl.fade()
		require.InDelta(t, before*fading, tl.painted(), 1e-9)
	})
}
