package motion

// light is how the whole picture differs from the background: what a plane shows is
// gain × background + offset.
type light struct{ gain, offset float32 }

var sameLight = light{gain: 1}

const (
	// Bounds of the light that is compensated. Beyond them the background is lost.
	minGain, maxGain = 0.6, 1.7
	maxOffset        = 32
	// fitStep is the distance between the cells that a fit looks at: with the number
	// of columns it has no common factor, mostly.
	fitStep = 11
	// fitRounds is how often the cells that agree are chosen.
	fitRounds = 3
)

func (l light) of(v float32) float32 { return l.gain*v + l.offset }

// without returns what v would be in the light of the background.
func (l light) without(v float32) float32 { return (v - l.offset) / l.gain }

// fit finds the light of one plane of a picture. It is reused for its memory.
type fit struct {
	was, now []float32 // background and picture
}

// take takes the cells to look at: known ones that are not covered.
func (f *fit) take(m *model, plane int, now []float32) {
	f.was, f.now = f.was[:0], f.now[:0]
	mean := m.mean[plane]
	for i := 0; i < len(now); i += fitStep {
		if m.known[i] != 0 && m.left[i] == 0 {
			f.was, f.now = append(f.was, mean[i]), append(f.now, now[i])
		}
	}
}

// takeAll takes cells of two pictures: those for which chosen is above 0; nil: of all.
func (f *fit) takeAll(was, now, chosen []float32) {
	f.was, f.now = f.was[:0], f.now[:0]
	for i := 0; i < len(now); i += fitStep {
		if chosen == nil || chosen[i] > 0 {
			f.was, f.now = append(f.was, was[i]), append(f.now, now[i])
		}
	}
}

// solve returns the light in which most of the cells agree to within tolerance, of those
// that begin at the last one, at none and at the one that the distribution of all cells
// suggests. What changes nothing is better than what changes little.
func (f *fit) solve(tolerance float32, last light) light {
	best, most := sameLight, f.agree(sameLight, tolerance)
	for _, l := range [...]light{sameLight, last, f.guess()} {
		for range fitRounds {
			l = f.improve(l, tolerance)
		}
		if n := f.agree(l, tolerance); n > most {
			best, most = l, n
		}
	}
	return best
}

// guess compares the distributions of the cells of background and picture.
func (f *fit) guess() light {
	was, now := levelsAt(f.was), levelsAt(f.now)
	if was[2]-was[0] < 8 {
		return light{1, now[1] - was[1]}.bounded()
	}
	gain := min(max((now[2]-now[0])/(was[2]-was[0]), minGain), maxGain)
	return light{gain, now[1] - gain*was[1]}.bounded()
}

// levelsAt returns what a fifth, half and four fifths of the cells do not exceed.
func levelsAt(cells []float32) (at [3]float32) {
	var counts [256]int
	for _, v := range cells {
		counts[min(max(int(v), 0), 255)]++
	}
	seen, k := 0, 0
	for level, n := range counts {
		for seen += n; k < len(at) && seen*10 >= len(cells)*(2+3*k); k++ {
			at[k] = float32(level)
		}
	}
	return at
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
