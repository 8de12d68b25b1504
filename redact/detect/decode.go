package detect

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"scrim/redact/geom"
)

const (
	// maxCandidates and maxFaces bound what is believed of the network; more is
	// a network gone wrong, or a picture made to exhaust us.
	maxCandidates = 4096
	maxFaces      = 512
	// maxGrowth bounds a box's side, as a multiple of the input's longer side.
	maxGrowth = 4
	// overlap is the IoU from which on two candidates are the same face. It is
	// higher than the customary 0.3, which drops the farther of two heads close
	// together.
	overlap = 0.4
	// inside is the share of a cut box from which on it is taken for a part of
	// the larger one that it lies in.
	inside = 0.7
	// weakShare is the share of the threshold from which on a candidate still
	// counts as the whereabouts of a face that was found before. maxWeak bounds
	// those that are compared with each other, maxPassWeak those that a pass keeps:
	// the best ones, wherever they are.
	weakShare   = 1.0 / 3
	maxWeak     = 1024
	maxPassWeak = 128
	// slack is how far a score may lie outside 0 to 1, for rounding.
	slack = 1e-3
)

// candidate is a box in pixels of the network's input, with its score.
type candidate struct {
	x, y, w, h, score float32
	// weak is set when the score is below the threshold.
	weak bool
	// cut is set when the box ends where the part that was inspected ends, and
	// the picture goes on.
	cut bool
}

// rect returns the whole pixels of c and of a margin.
func (c *candidate) rect(margin int) image.Rectangle {
	r := geom.Box{X: float64(c.x), Y: float64(c.y), W: float64(c.w), H: float64(c.h)}.Rect()
	return r.Inset(-margin)
}

var errOutput = errors.New("the network's output makes no sense")

// decode appends the candidates of the threshold or more to found, and behind them
// the best of those of weakShare of it as weak ones. A weak one without a sane box
// is none. outs has the outputs in the order of `outputs`, for an input of
// width × height pixels.
// score = sqrt(cls·obj), centre = (cell + bbox[0:2])·stride,
// size = exp(bbox[2:4])·stride.
func decode(found []candidate, outs [][]float32, width, height int, threshold float32) ([]candidate, error) {
	if len(outs) != len(outputs) {
		return nil, fmt.Errorf("%w: %d outputs", errOutput, len(outs))
	}
	limit := float64(maxGrowth * max(width, height))
	minScore, confident := weakShare*threshold, 0
	for i, stride := range strides {
		columns, rows := width/stride, height/stride
		cls, obj, box := outs[i], outs[len(strides)+i], outs[2*len(strides)+i]
		if n := columns * rows; len(cls) != n || len(obj) != n || len(box) != 4*n {
			return nil, fmt.Errorf("%w: stride %d has %d, %d and %d values for %d cells", errOutput, stride, len(cls), len(obj), len(box), n)
		}
		for cell := range cls {
			c, o := cls[cell], obj[cell]
			// Written so that NaN is caught, too.
			if !(c >= -slack && c <= 1+slack && o >= -slack && o <= 1+slack) {
				return nil, fmt.Errorf("%w: scores %v and %v", errOutput, c, o)
			}
			if c*o < minScore*minScore || c < 0 {
				continue
			}
			weak := c*o < threshold*threshold
			s := float64(stride)
			b := box[4*cell : 4*cell+4]
			w, h := math.Exp(float64(b[2]))*s, math.Exp(float64(b[3]))*s
			x := (float64(cell%columns)+float64(b[0]))*s - w/2
			y := (float64(cell/columns)+float64(b[1]))*s - h/2
			if !(w <= limit && h <= limit && math.Abs(x) <= limit && math.Abs(y) <= limit) {
				if weak && !math.IsNaN(w) && !math.IsNaN(h) && !math.IsNaN(x) && !math.IsNaN(y) {
					continue
				}
				return nil, fmt.Errorf("%w: box %v×%v at %v, %v", errOutput, w, h, x, y)
			}
			if !weak {
				if confident++; confident > maxCandidates {
					return nil, fmt.Errorf("%w: over %d candidates", errOutput, maxCandidates)
				}
			}
			score := float32(math.Min(1, math.Sqrt(float64(c)*float64(o))))
			found = append(found, candidate{x: float32(x), y: float32(y), w: float32(w), h: float32(h), score: score, weak: weak})
		}
	}
	return limitWeak(found, maxWeak), nil
}

// limitWeak keeps the best weak candidates, up to a limit, in place. If it drops any,
// the weak ones come last.
func limitWeak(found []candidate, limit int) []candidate {
	weak := 0
	for i := range found {
		if found[i].weak {
			weak++
		}
	}
	if weak <= limit {
		return found
	}
	confident := 0
	for i := range found {
		if !found[i].weak {
			found[confident], found[i] = found[i], found[confident]
			confident++
		}
	}
	slices.SortFunc(found[confident:], func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	return found[:confident+limit]
}

// suppress keeps the best of candidates that overlap (greedy non-maximum
// suppression), in place: whole ones by score, then those that are cut, the
// larger first; after all these the weak ones, likewise, but only the best are
// looked at. One that is cut goes, too, when it lies within a kept one.
func suppress(found []candidate) []candidate {
	found = limitWeak(found, maxWeak)
	slices.SortStableFunc(found, func(a, b candidate) int {
		switch {
		case a.weak != b.weak:
			if b.weak {
				return -1
			}
			return 1
		case a.cut != b.cut:
			if b.cut {
				return -1
			}
			return 1
		case a.cut && a.w*a.h != b.w*b.h:
			if a.w*a.h > b.w*b.h {
				return -1
			}
			return 1
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	kept := found[:0]
next:
	for i := range found {
		c := found[i]
		for k := range kept {
			if iou(c, kept[k]) > overlap || c.cut && within(c, kept[k]) {
				continue next
			}
		}
		kept = append(kept, c)
	}
	return kept
}

// within reports whether a, the smaller, lies mostly within b.
func within(a, b candidate) bool {
	return a.w*a.h <= b.w*b.h && shared(a, b) > inside*a.w*a.h
}

// shared returns the area that a and b share.
func shared(a, b candidate) float32 {
	w := min(a.x+a.w, b.x+b.w) - max(a.x, b.x)
	h := min(a.y+a.h, b.y+b.h) - max(a.y, b.y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h
}

func iou(a, b candidate) float32 {
	inter := shared(a, b)
	if inter == 0 {
		return 0
	}
	return inter / (a.w*a.h + b.w*b.h - inter)
}
