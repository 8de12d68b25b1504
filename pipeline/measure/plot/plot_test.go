package plot

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTicksAreRoundAndFew(t *testing.T) {
	for _, most := range []float64{0.01, 0.07, 1, 3, 59.96, 60, 1000, 99999} {
		got := Ticks(most, 900, func(float64) string { return "" })
		require.LessOrEqual(t, len(got), maxTicks+1, most)
		require.GreaterOrEqual(t, len(got), 3, most)
		require.LessOrEqual(t, got[len(got)-1].At, 900.0001)
	}
	require.Nil(t, Ticks(0, 900, nil))
}

func TestTicksHaveShortLabels(t *testing.T) {
	plain := func(v float64) string { return fmt.Sprintf("%g", v) }
	for _, most := range []float64{1e-5, 0.0006, 0.003, 0.02, 0.5, 0.6, 0.7, 1.2, 3, 12.5, 59.96, 600, 12345} {
		for _, tick := range Ticks(most, 900, plain) {
			require.LessOrEqual(t, len(tick.Label), 6, "%v of %v", tick.Label, most)
		}
	}
	var labels []string
	for _, tick := range Ticks(0.6, 900, plain) {
		labels = append(labels, tick.Label)
	}
	require.Equal(t, []string{"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"}, labels)
}
