package motion

import "slices"

const (
	// noiseRange and noiseSteps bound the histogram of changes: up to 64 levels, in steps
	// of 1/16.
	noiseSteps = 16
	noiseRange = 64
	// perMedian and perMean are the standard deviation of samples for a median and a
	// mean absolute difference between two of them, if these are normally distributed.
	perMedian = 1.4826 / 1.41421
	perMean   = 0.8862
	// recentNoise is the number of measurements whose median counts.
	recentNoise = 5
)

// noiseMeter measures the noise of the cells of a whole picture from picture to picture.
type noiseMeter struct {
	recent [recentNoise]float32
	n      int
	counts [noiseRange * noiseSteps]int32
}

// add adds the cells that f took from a picture and the one before. A change of the light
// between them, such as by the camera's exposure, is not noise.
func (m *noiseMeter) add(f *fit) {
	l := f.solve(max(leastLuma*weakShare, 2*m.sigma()), sameLight)
	clear(m.counts[:])
	for i, v := range f.was {
		d := f.now[i] - l.of(v)
		m.counts[min(int(max(d, -d)*noiseSteps), len(m.counts)-1)]++
	}
	seen, half := 0, len(f.was)/2
	for k, c := range m.counts {
		if seen += int(c); seen > half {
			m.recent[m.n%recentNoise] = float32(k) / noiseSteps * perMedian
			m.n++
			return
		}
	}
}

// sigma returns the standard deviation of a cell's mean luma, in levels.
func (m *noiseMeter) sigma() float32 {
	n := min(m.n, recentNoise)
	if n == 0 {
		return 0
	}
	s := m.recent
	slices.Sort(s[:n])
	return s[n/2]
}

// whiteLevel returns the luma that 5 % of the cells exceed.
func whiteLevel(luma []float32) float32 {
	var counts [256]int
	total := 0
	for i := 0; i < len(luma); i += fitStep {
		counts[min(max(int(luma[i]), 0), 255)]++
		total++
	}
	seen := 0
	for v := 255; v >= 0; v-- {
		if seen += counts[v]; seen*20 > total {
			return float32(v)
		}
	}
	return 0
}
