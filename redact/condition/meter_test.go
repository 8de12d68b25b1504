package condition

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// good is the condition of a picture in good light.
var good = Condition{Dark: 12, Median: 110, Bright: 230, Contrast: 50, Noise: 1.5, Blur: 0.8, Clipped: 0.01}

func TestMeterSmoothsSmallChanges(t *testing.T) {
	at := time.Unix(100, 0)
	var m Meter
	_, known := m.Last()
	require.False(t, known)
	require.Equal(t, good, m.Update(at, good), "the first one counts whole")
	other := good
	other.Noise, other.Median = 2.5, 120
	c := m.Update(at.Add(40*time.Millisecond), other)
	require.InDelta(t, 1.54, c.Noise, 0.005)
	require.InDelta(t, 110.4, c.Median, 0.05)
	for i := range 75 {
		c = m.Update(at.Add(time.Duration(i+2)*40*time.Millisecond), other)
	}
	require.InDelta(t, 2.5, c.Noise, 0.06, "after three time constants")
	last, known := m.Last()
	require.True(t, known)
	require.Equal(t, c, last)
}

func TestMeterFollowsLargeChangesAtOnce(t *testing.T) {
	at := time.Unix(100, 0)
	for name, change := range map[string]func(*Condition){
		"lamp off":  func(c *Condition) { c.Median, c.Bright = 20, 60 },
		"noise":     func(c *Condition) { c.Noise = 9 },
		"defocused": func(c *Condition) { c.Blur = 4 },
		"sprayed":   func(c *Condition) { c.Contrast = 5 },
		"headlight": func(c *Condition) { c.Clipped = 0.4 },
	} {
		t.Run(name, func(t *testing.T) {
			var m Meter
			m.Update(at, good)
			c := good
			change(&c)
			require.Equal(t, c, m.Update(at.Add(40*time.Millisecond), c))
		})
	}
}

func TestMeterTimeMayStandStillOrGoBack(t *testing.T) {
	at := time.Unix(100, 0)
	m := Meter{Smoothing: 100 * time.Millisecond}
	m.Update(at, good)
	other := good
	other.Noise = 2
	require.Equal(t, good, m.Update(at, other))
	require.Equal(t, good, m.Update(at.Add(-time.Hour), other))
	m.Reset()
	require.Equal(t, other, m.Update(at, other))
}
