package sight

import (
	"math"

	"scrim/redact/yuv"
)

const (
	// structureCols and structureRows are the places at which a picture's structure is known;
	// each is the mean of structureSide² pixels.
	structureCols, structureRows = 40, 24
	structureSide                = 4
	// sameStructure is the least correlation of two pictures' structures that still show the same
	// scene. People who walk through take it to 0.8, a turned camera below 0.4.
	sameStructure = 0.6
	// lostEdges is the share of its edges that a picture may lose until its structure has changed.
	lostEdges = 0.4
	// leastEdges is the mean difference of neighbours, in samples, that any structure has.
	leastEdges = 1.0
)

// structure is what a picture shows, coarsely: enough to notice that a camera was turned or its lens
// covered.
type structure struct {
	known bool
	mean  [structureCols * structureRows]float32
	// edges is the mean difference of neighbours, norm that of all from their mean, squared.
	edges, average, norm float64
}

// measure reads about 15 thousand pixels of im.
func (s *structure) measure(im *yuv.Image) {
	s.known = true
	w, h := min(structureSide, im.Width), min(structureSide, im.Height)
	total := 0.0
	for j := range structureRows {
		y := j * (im.Height - h) / (structureRows - 1)
		for i := range structureCols {
			x := i * (im.Width - w) / (structureCols - 1)
			sum := 0
			for k := range h {
				for _, p := range im.Y[(y+k)*im.YStride+x:][:w] {
					sum += int(p)
				}
			}
			v := float32(sum) / float32(w*h)
			s.mean[j*structureCols+i] = v
			total += float64(v)
		}
	}
	n := float64(len(s.mean))
	s.average, s.norm, s.edges = total/n, 0, 0
	for i, v := range s.mean {
		d := float64(v) - s.average
		s.norm += d * d
		if i%structureCols > 0 {
			s.edges += math.Abs(float64(v - s.mean[i-1]))
		}
	}
	s.edges /= n
}

// changed reports whether s no longer shows what before showed.
func (s *structure) changed(before *structure) bool {
	if !before.known || !s.known {
		return false
	}
	if before.edges < leastEdges && s.edges < leastEdges {
		return false
	}
	if s.edges < lostEdges*before.edges {
		return true
	}
	shared := 0.0
	for i, v := range s.mean {
		shared += (float64(v) - s.average) * (float64(before.mean[i]) - before.average)
	}
	return shared < sameStructure*math.Sqrt(s.norm*before.norm)
}
