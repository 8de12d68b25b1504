package sight

import "slices"

// quantile sorts values and returns the one that a share of them is below.
func quantile(values []float64, share float64) float64 {
	slices.Sort(values)
	return values[int(share*float64(len(values)-1))]
}
