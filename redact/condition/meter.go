package condition

import (
	"math"
	"time"
)

// DefaultSmoothing is the time constant of a Meter whose Smoothing is zero.
const DefaultSmoothing = time.Second

// Meter smooths conditions over time, because single measurements scatter. It follows
// large changes at once. The zero Meter is ready. It must be used by one goroutine at a
// time.
type Meter struct {
	// Smoothing is the time constant; zero is DefaultSmoothing.
	Smoothing time.Duration

	known bool
	at    time.Time
	c     Condition
}

// Update adds the condition of the picture at a time, and returns the smoothed condition.
// A time that is not after the last one counts as the last one.
func (m *Meter) Update(at time.Time, c Condition) Condition {
	since := max(at.Sub(m.at), 0)
	if !m.known || jumped(m.c, c) {
		m.known, m.at, m.c = true, at, c
		return c
	}
	smoothing := m.Smoothing
	if smoothing <= 0 {
		smoothing = DefaultSmoothing
	}
	share := 1 - math.Exp(-since.Seconds()/smoothing.Seconds())
	next := c.values()
	for i, v := range m.c.values() {
		*next[i] = *v + share*(*next[i]-*v)
	}
	m.at, m.c = at, c
	return c
}

// Last returns the smoothed condition; false: there is none yet.
func (m *Meter) Last() (Condition, bool) { return m.c, m.known }

// Reset forgets what was measured.
func (m *Meter) Reset() { m.known = false }

// values returns the fields of c.
func (c *Condition) values() [7]*float64 {
	return [...]*float64{&c.Dark, &c.Median, &c.Bright, &c.Contrast, &c.Noise, &c.Blur, &c.Clipped}
}

// jumps are by how much a measurement must differ from the smoothed one to be
// followed at once: by so much, and by that share of it. They are far above what
// single measurements of one scene scatter, people who walk through it included.
var jumps = [...]struct{ levels, share float64 }{
	{24, 0.25}, // dark
	{24, 0.25}, // median
	{32, 0.25}, // bright
	{16, 0.4},  // contrast
	{2.5, 0.4}, // noise
	{1, 0.5},   // blur
	{0.25, 0},  // clipped
}

// jumped reports whether anything differs so much that it is followed at once.
func jumped(a, b Condition) bool {
	now := b.values()
	for i, was := range a.values() {
		if math.Abs(*now[i]-*was) > jumps[i].levels+jumps[i].share**was {
			return true
		}
	}
	return false
}
