package zone

import (
	"fmt"
	"math"
)

// Bounds of what may be left out, as fractions of the frame. A screen or a
// painting is no larger; what is would be a setting that lets pictures through.
const (
	// MaxIgnored is the most that one zone of kind Ignore may take.
	MaxIgnored = 0.1
	// MaxIgnoredTotal is the most that all of a camera may take together; what
	// lies in several counts once.
	MaxIgnoredTotal = 0.25
)

const (
	// areaSteps is the side of the raster on which zones are united.
	areaSteps = 1024
	// areaSlack is what rounding may add to the area of a polygon.
	areaSlack = 1e-9
)

// checkIgnored returns why a zone takes too much of the frame, in one line.
func checkIgnored(p []Point) error {
	if a := math.Abs(area(p)); !(a <= MaxIgnored+areaSlack) {
		return fmt.Errorf("faces would be left out in %.1f %% of the frame, at most %.0f %% in a zone of kind %s; "+
			"draw it closely around what shows the faces", 100*a, 100*MaxIgnored, Ignore)
	}
	return nil
}

// CheckIgnored returns the first of zones with which those of kind Ignore take
// more of the frame than they may, and why, in one line; nil when none does.
// It tells nothing of zones that Check refuses.
func CheckIgnored(zones []Zone) (int, error) {
	sum := 0.0
	var union *raster
	for i, z := range zones {
		if z.Kind != Ignore || z.Check() != nil {
			continue
		}
		if sum += math.Abs(area(z.Polygon)); sum <= MaxIgnoredTotal+areaSlack {
			continue // their union is no larger
		}
		if union == nil {
			union = new(raster)
			for _, before := range zones[:i] {
				if before.Kind == Ignore && before.Check() == nil {
					union.add(before.Polygon)
				}
			}
		}
		union.add(z.Polygon)
		if a := union.share(); a > MaxIgnoredTotal {
			return i, fmt.Errorf("with this zone faces would be left out in %.1f %% of the frame, at most %.0f %% in all zones of kind %s; "+
				"remove or shrink some", 100*a, 100*MaxIgnoredTotal, Ignore)
		}
	}
	return 0, nil
}

// raster is a set of cells of the frame. It holds every cell that a polygon
// covers in part, so it is never smaller than they are.
type raster struct {
	cells [areaSteps * areaSteps]bool
	count int
}

func (r *raster) add(p []Point) {
	scaled := make([]Point, len(p))
	for i, c := range p {
		scaled[i] = Point{c.X * areaSteps, c.Y * areaSteps}
	}
	s := rasterise(scaled, areaSteps, areaSteps)
	for y := s.Bounds().Min.Y; y < s.Bounds().Max.Y; y++ {
		for _, span := range s.Row(y) {
			for x := span.From; x < span.To; x++ {
				if c := &r.cells[y*areaSteps+x]; !*c {
					*c = true
					r.count++
				}
			}
		}
	}
}

// share returns the part of the frame that the set takes.
func (r *raster) share() float64 { return float64(r.count) / (areaSteps * areaSteps) }
