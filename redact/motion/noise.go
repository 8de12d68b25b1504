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
	// recentNoise is the number of measurements of which the median counts: a change of
	// the light between two pictures is not noise.
	recentNoise = 5
)

// noiseMeter measures the noise of the cells of a whole picture from picture to picture.
type noiseMeter struct {
	recent [recentNoise]float32
	n      int
	counts [noiseRange * noiseSteps]int32
}

// add adds a picture and the one before.
func (m *noiseMeter) add(now, before []float32) {
	clear(m.counts[:])
	total := 0
	for i := 0; i < len(now); i += fitStep {
		d := now[i] - before[i]
		if d < 0 {
			d = -d
		}
		m.counts[min(int(d*noiseSteps), len(m.counts)-1)]++
		total++
	}
	seen, half := 0, total/2
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
