package motion

import "slices"

// light is how the whole picture differs from the background: what a plane shows is
// gain × background + offset.
type light struct{ gain, offset float32 }

var sameLight = light{gain: 1}

const (
	// Bounds of the light that is compensated. Beyond them the background is lost.
	minGain, maxGain = 0.6, 1.7
	maxOffset        = 32
	// fitStep is the distance between the cells that a fit looks at: with the number
	// of columns it has few common factors.
	fitStep = 5
	// fitRounds is how often the cells that agree are chosen.
	fitRounds = 3
)

func (l light) of(v float32) float32 { return l.gain*v + l.offset }

// fit finds the light of one plane of a picture. It is reused for its memory.
type fit struct {
	was, now        []float32 // background and picture
	sorted, sorted2 []float32
}

// add adds a cell.
func (f *fit) add(was, now float32) {
	f.was, f.now = append(f.was, was), append(f.now, now)
}

// solve returns the light in which most of the cells agree to within tolerance, of those
// that begin at one of the given and at the one that the distribution of all cells
// suggests.
func (f *fit) solve(tolerance float32, from ...light) light {
	best, most := sameLight, -1
	from = append(from, f.guess())
	for _, l := range from {
		for range fitRounds {
			l = f.improve(l, tolerance)
		}
		if n := f.agree(l, tolerance); n > most {
			best, most = l, n
		}
	}
	// What changes nothing is better than what changes little.
	if n := f.agree(sameLight, tolerance); n >= most {
		best = sameLight
	}
	f.was, f.now = f.was[:0], f.now[:0]
	return best
}

// guess compares quartiles.
func (f *fit) guess() light {
	n := len(f.was)
	if n < 8 {
		return sameLight
	}
	f.sorted = append(f.sorted[:0], f.was...)
	f.sorted2 = append(f.sorted2[:0], f.now...)
	slices.Sort(f.sorted)
	slices.Sort(f.sorted2)
	a0, a1, b0, b1 := f.sorted[n/5], f.sorted[n-1-n/5], f.sorted2[n/5], f.sorted2[n-1-n/5]
	if a1-a0 < 8 {
		return light{1, f.sorted2[n/2] - f.sorted[n/2]}.bounded()
	}
	gain := min(max((b1-b0)/(a1-a0), minGain), maxGain)
	return light{gain, f.sorted2[n/2] - gain*f.sorted[n/2]}.bounded()
}

func (l light) bounded() light {
	return light{min(max(l.gain, minGain), maxGain), min(max(l.offset, -maxOffset), maxOffset)}
}

func (f *fit) agree(l light, tolerance float32) (n int) {
	for i, v := range f.was {
		if d := f.now[i] - l.of(v); d < tolerance && d > -tolerance {
			n++
		}
	}
	return n
}

// improve returns the least-squares fit to the cells that agree with l.
func (f *fit) improve(l light, tolerance float32) light {
	var n, sx, sy, sxx, sxy float64
	for i, v := range f.was {
		if d := f.now[i] - l.of(v); d < tolerance && d > -tolerance {
			x, y := float64(v), float64(f.now[i])
			n++
			sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
		}
	}
	if n < 8 {
		return l
	}
	spread := sxx - sx*sx/n
	if spread < 16*n { // cells of one brightness say nothing about the gain
		return light{l.gain, float32(sy/n) - l.gain*float32(sx/n)}.bounded()
	}
	gain := (sxy - sx*sy/n) / spread
	return light{float32(gain), float32((sy - gain*sx) / n)}.bounded()
}
