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
	// markLevel is by how many samples a place must differ from the next one to be a mark. A mark is
	// kept if it differs in the same direction by keptShare of that or more.
	markLevel = 6
	keptShare = 0.35
	// leastKept is the share of its marks that a picture of the same scene keeps: chance keeps about a
	// quarter, and people and cars hide few at a time. With less than leastMarks nothing is known.
	leastKept  = 0.5
	leastMarks = 24
	// sameStructure is the least correlation of all places in two pictures of the same scene. In a scene
	// without marks of its own, only people have some.
	sameStructure = 0.6
)

// structure is what a picture shows, coarsely: enough to notice that a camera was turned or its lens
// covered.
type structure struct {
	known bool
	mean  [structureCols * structureRows]int16
}

// measure reads about 15 thousand pixels of im.
func (s *structure) measure(im *yuv.Image) {
	s.known = true
	w, h := min(structureSide, im.Width), min(structureSide, im.Height)
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
			s.mean[j*structureCols+i] = int16(sum / (w * h)) //nolint:gosec // a mean of bytes
		}
	}
}

// changed reports whether s no longer shows what before showed.
func (s *structure) changed(before *structure) bool {
	if !before.known || !s.known {
		return false
	}
	marks, kept := 0, 0
	for i := range s.mean {
		for _, next := range [...]int{i + 1, i + structureCols} {
			if next >= len(s.mean) || next == i+1 && next%structureCols == 0 {
				continue
			}
			was, is := int(before.mean[next])-int(before.mean[i]), int(s.mean[next])-int(s.mean[i])
			if was < 0 {
				was, is = -was, -is
			}
			if was < markLevel {
				continue
			}
			marks++
			if float64(is) >= keptShare*float64(was) {
				kept++
			}
		}
	}
	return marks >= leastMarks && float64(kept) < leastKept*float64(marks) && s.correlation(before) < sameStructure
}

// correlation returns how alike the brightness of all places is, −1 to 1.
func (s *structure) correlation(o *structure) float64 {
	var a, b, aa, bb, ab float64
	for i, v := range s.mean {
		x, y := float64(v), float64(o.mean[i])
		a, b, aa, bb, ab = a+x, b+y, aa+x*x, bb+y*y, ab+x*y
	}
	n := float64(len(s.mean))
	return (ab - a*b/n) / math.Sqrt(max((aa-a*a/n)*(bb-b*b/n), 1))
}
