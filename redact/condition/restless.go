package condition

import (
	"math"
	"slices"
	"time"

	"scrim/redact/yuv"
)

const (
	// restCols×restRows squares of restSide pixels, spread over the picture, are compared with
	// the picture before.
	restCols, restRows, restSide = 8, 6, 16
	// A picture is restless if half of the squares change by restlessShare of the deviation of all
	// their pixels, and by restlessLeast samples. Of eight clips of rooms and streets the most was 0.11, a cut
	// included; heavy rain, and noise of 25 levels, have 0.3 and more.
	restlessShare, restlessLeast = 0.18, 1.0
	// restlessTime is how long pictures count as restless after one was.
	restlessTime = 2 * time.Second
)

// Restlessness tells whether pictures change all over from one to the next, as in rain, snow
// or noise, and not only where somebody moves. The zero Restlessness is ready; it must be
// used by one goroutine at a time.
type Restlessness struct {
	width, height int // of the pictures; 0: there was none
	known         bool
	until         time.Time
	now, before   restSquares
}

type restSquares [restCols * restRows][restSide * restSide]byte

// Update adds the picture of a time, and reports whether pictures are restless. Before there were two it is
// not known, and taken for true. The same picture once more says nothing. It reads only the luma.
func (r *Restlessness) Update(at time.Time, im *yuv.Image) bool {
	g, ok := greyOf(im)
	if !ok || g.width < restSide || g.height < restSide {
		return true
	}
	r.now.copyFrom(&g)
	if r.width != g.width || r.height != g.height {
		r.width, r.height, r.known = g.width, g.height, false
		r.before = r.now
		return true
	}
	if r.now == r.before {
		return !r.known || at.Before(r.until)
	}
	change, spread := r.change()
	r.before = r.now
	if r.known = true; change > max(restlessShare*spread, restlessLeast) {
		r.until = at.Add(restlessTime)
	}
	return at.Before(r.until)
}

// Reset forgets the pictures.
func (r *Restlessness) Reset() { r.width, r.height, r.until = 0, 0, time.Time{} }

// copyFrom copies the squares of g.
func (s *restSquares) copyFrom(g *grey) {
	for i := range s {
		x, y := spread(i%restCols, restCols, g.width-restSide), spread(i/restCols, restRows, g.height-restSide)
		for j := range restSide {
			copy(s[i][j*restSide:(j+1)*restSide], g.pix[(y+j)*g.stride+x:])
		}
	}
}

// change returns the deviation of what squares have in one picture and not in the other, without a
// change of light, in the median of all squares; and the deviation of all pixels.
func (r *Restlessness) change() (median, spread float64) {
	const n = restSide * restSide
	var all [restCols * restRows]float64
	total, totals := 0, 0
	for i := range all {
		sum, squares := 0, 0
		for k, p := range r.now[i] {
			d := int(p) - int(r.before[i][k])
			sum += d
			squares += d * d
			total += int(p)
			totals += int(p) * int(p)
		}
		mean := float64(sum) / n
		all[i] = math.Sqrt(max(float64(squares)/n-mean*mean, 0) / 2)
	}
	slices.Sort(all[:])
	count := float64(n * len(all))
	mean := float64(total) / count
	return all[len(all)/2], math.Sqrt(max(float64(totals)/count-mean*mean, 0))
}
