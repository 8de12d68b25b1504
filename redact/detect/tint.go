package detect

import "math"

// A picture's colours are remembered in tintCols×tintRows blocks, each by
// tintSide×tintSide samples of U and of V: 37 thousand bytes of a picture of any
// size, read in some tens of microseconds.
const (
	tintCols, tintRows = 16, 9
	tintSide           = 8
	// tintLevel is by how much the mean of a block's U or V must have changed, plus
	// tintNoise times the noise of the luma where that is strong.
	tintLevel = 2
	tintNoise = 0.18
	// tintShare is the share of changed blocks from which on everything is
	// inspected, in percent. Ten people who walk about in the drawn scene change
	// up to 56; without its colours 98 are changed, and 71 to 94 of photographs.
	tintShare = 60
)

// tint remembers the colours of the last picture that was inspected whole. When a
// camera removes its infrared filter, colours turn grey and the luma may hardly
// change; the network sees both.
type tint struct {
	now, ref tintSums
	// noise is that of the picture's luma, in levels; 0: there is little.
	noise float64
}

// tintSums are the sums of U and V, and of how many samples each, by block.
type tintSums [tintCols * tintRows]struct{ u, v, n int32 }

// update sums the colours of a picture.
func (t *tint) update(picture *view) {
	w, h := picture.chroma()
	for row := range tintRows {
		y0, y1 := row*h/tintRows, (row+1)*h/tintRows
		dy := max(1, (y1-y0)/tintSide)
		for col := range tintCols {
			x0, x1 := col*w/tintCols, (col+1)*w/tintCols
			dx := max(1, (x1-x0)/tintSide)
			s := &t.now[row*tintCols+col]
			s.u, s.v, s.n = 0, 0, 0
			for y := y0; y < y1; y += dy {
				us, vs := picture.u[y*picture.cs:y*picture.cs+w], picture.v[y*picture.cs:y*picture.cs+w]
				for x := x0; x < x1; x += dx {
					s.u += int32(us[x])
					s.v += int32(vs[x])
					s.n++
				}
			}
		}
	}
}

// changed reports whether the colours differ from those of the last full inspection.
func (t *tint) changed() bool {
	count, more := 0, int32(math.Round(tintNoise*t.noise*tintSide*tintSide))
	for i := range t.now {
		a, b := &t.now[i], &t.ref[i]
		limit := tintLevel*a.n + more*a.n/(tintSide*tintSide)
		if d := a.u - b.u; d > limit || -d > limit {
			count++
		} else if d := a.v - b.v; d > limit || -d > limit {
			count++
		}
	}
	return count*100 > len(t.now)*tintShare
}
