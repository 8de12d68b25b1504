package sight

import "math"

const (
	// certainty is the share of painted faces that must be found.
	certainty = 0.95
	// leastSize and mostSize are the heights of the painted faces, in pixels, sizeStep what
	// lies between two.
	leastSize, mostSize = 12.0, 200.0
	sizeStep            = 1.2599 // three make two
	// fading is what is left of the counts of earlier tests at each test.
	fading = 0.85
	// ownWeight is how many faces of the whole picture are added to those of a part of it: few
	// were painted there.
	ownWeight = 2.0
)

// ladder returns the heights of the faces that are painted where those of need pixels matter, in a
// picture of that height.
func ladder(need float64, height int) []float64 {
	most := min(max(mostSize, 2*need), 0.45*float64(height))
	var sizes []float64
	for s := min(leastSize, most); s <= most*1.001; s *= sizeStep {
		sizes = append(sizes, s)
	}
	return sizes
}

// count is how many faces were painted and found.
type count struct{ painted, found float64 }

// tally counts painted faces by size.
type tally struct {
	sizes  []float64
	counts []count
}

func newTally(sizes []float64) tally { return tally{sizes, make([]count, len(sizes))} }

// add counts a face of a height.
func (t *tally) add(height float64, found bool) {
	c := &t.counts[t.step(height)]
	c.painted++
	if found {
		c.found++
	}
}

// step returns the number of the size that is nearest to a height.
func (t *tally) step(height float64) int {
	i := int(math.Round(math.Log(height/t.sizes[0]) / math.Log(sizeStep)))
	return min(max(i, 0), len(t.sizes)-1)
}

// fade makes what was counted count less.
func (t *tally) fade() {
	for i := range t.counts {
		t.counts[i].painted *= fading
		t.counts[i].found *= fading
	}
}

// painted returns the number of faces.
func (t *tally) painted() (n float64) {
	for _, c := range t.counts {
		n += c.painted
	}
	return n
}

// size returns the height from which on faces are found with certainty; 0 if none of them is, or if
// none was painted. prior, if it is not nil, is what is taken for likely where few were painted. Larger
// faces are not harder to find: the counts of sizes that say otherwise are put together.
func (t *tally) size(prior *tally) float64 {
	type level struct {
		count
		first, last int
	}
	var levels []level
	for i, c := range t.counts {
		if prior != nil {
			if p := prior.counts[i]; p.painted > 0 {
				c.painted += ownWeight
				c.found += ownWeight * p.found / p.painted
			}
		}
		if c.painted <= 0 {
			continue
		}
		levels = append(levels, level{c, i, i})
		for n := len(levels); n > 1; n = len(levels) {
			a, b := levels[n-2], levels[n-1]
			if a.found*b.painted < b.found*a.painted {
				break
			}
			levels = append(levels[:n-2], level{count{a.painted + b.painted, a.found + b.found}, a.first, b.last})
		}
	}
	for i, l := range levels {
		share := l.found / l.painted
		if share < certainty {
			continue
		}
		size := t.sizes[l.first]
		if i > 0 {
			// Somewhere after the last of those that are not certain.
			before := levels[i-1]
			low := before.found / before.painted
			f := (certainty - low) / (share - low)
			size = t.sizes[before.last] * math.Pow(size/t.sizes[before.last], f)
		}
		return size
	}
	return 0
}
